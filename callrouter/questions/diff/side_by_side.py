"""Two trees walked side by side by one caller: all that can be decided on the way, and what differs then.

Wherever something is asked that nobody has decided yet, the pair of calls is forked, once for each option: so only what
a node on the way really reads is varied, and all of that against each other. A pair that stands as another one stood
goes on as that did, whoever called and whenever; a pair that stands at the same place of both trees, with nothing ahead
of it that differs, is followed no further.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from msgspec import Struct

from callrouter.core.call import replace
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.questions.decisions import KEYS, WRONG, Decided, Option, words_of
from callrouter.questions.diff.diagram import Diagrams, Folding, Fork
from callrouter.questions.diff.experience import MOST_KEPT, MOST_MET, UNSERVED, Change, changes_between, first_of
from callrouter.questions.diff.same_tree import Likeness
from callrouter.questions.diff.side import Needed, Side, Tree
from callrouter.questions.examples import Distinctions

MOST_PLACES = 2_500
MANY_PLACES = 150
"""Pairs of waiting calls that are followed; and from how many on only some is kept of what they have met."""

NOT_FOLLOWED = Change(before="", now="", ends=True)
"""Stands where more would have to be followed than that."""


class SideBySide:
    """Two trees, and all pairs of calls that were followed through them."""

    def __init__(self, old: Plan, new: Plan) -> None:
        examples = Distinctions(old, new)
        self.diagrams = Diagrams()
        self._trees = Tree(old, examples), Tree(new, examples)
        self._likeness = Likeness(old, new)
        self._starts: dict[Hashable, int] = {}
        self._places: list[Fork | frozenset[Change]] = []
        self._numbers: dict[Hashable, int] = {}
        """Where a place stands among them: by the state of the pair, or by the changes that hold at its end."""
        self._folding = Folding(self.diagrams, self._places)

    @property
    def alike(self) -> bool:
        """No call can meet a difference."""
        old, new = (tree.plan for tree in self._trees)
        return self._likeness.same_from(old.start, new.start)

    def differences(self, offered: CallOffered) -> int:
        """The diagram of what differs for a caller."""
        (before, reads_before), (now, reads_now) = (tree.begun(offered) for tree in self._trees)
        read = reads_before, reads_now
        if read not in self._starts:
            self._starts[read] = self._follow(_Pair(before=before, now=now).gone_on(exact=True))
        return self._folding.fold(self._starts[read])

    def _follow(self, pair: _Pair) -> int:
        """Follow all ways of a pair; gives the place it begins at."""
        waiting: deque[tuple[int, _Pair]] = deque()
        start = self._place(pair, waiting)
        while waiting:
            place, pair = waiting.popleft()
            if len(self._places) > MOST_PLACES:
                self._places[place] = frozenset({NOT_FOLLOWED})
                continue
            needed = pair.needed()
            branches = [
                (words_of(option), self._place(self._after(pair, needed, option), waiting)) for option in needed.options
            ]
            self._places[place] = Fork(needed.decision, tuple(branches))
        return start

    def _place(self, pair: _Pair, waiting: deque[tuple[int, _Pair]]) -> int:
        """The place of a pair; it is put into `waiting` where nothing is known of it yet."""
        differs = self._all_that_differs(pair)
        place = self._numbers.setdefault(pair.state() if differs is None else differs, len(self._places))
        if place == len(self._places):
            self._places.append(differs or frozenset())
            if differs is None:
                waiting.append((place, pair))
        return place

    def _all_that_differs(self, pair: _Pair) -> frozenset[Change] | None:
        """Once nothing else can; None: there is still something to follow."""
        before, now = pair.before, pair.now
        if before.stand.end and now.stand.end:
            was, becomes = before.stand.end, now.stand.end
            if was != becomes and {was, becomes} != UNSERVED:
                return pair.changes | {Change(before=was, now=becomes, ends=True)}
            return pair.changes.union(changes_between(before.all_met, now.all_met))
        if pair.in_step and self._likeness.same_from(before.node, now.node):
            return pair.changes
        return None

    def _after(self, pair: _Pair, needed: Needed, option: Option) -> _Pair:
        return pair.forked(needed, option).gone_on(exact=len(self._places) < MANY_PLACES)


class _Pair(Struct, frozen=True, kw_only=True):
    """A call in both trees: the same caller, the same decisions."""

    before: Side
    now: Side
    decided: Decided = {}
    answers: tuple[str, ...] = ()
    """What was keyed, question by question; one side may have asked fewer than the other."""
    changes: frozenset[Change] = frozenset()
    """What differed on the way until both last waited for the same."""

    def forked(self, needed: Needed, option: Option) -> _Pair:
        """The same pair, for which one thing more is decided."""
        if needed.decision == KEYS:
            return replace(self, answers=(*self.answers, words_of(option)))
        return replace(self, decided={**self.decided, needed.decision: option})

    def gone_on(self, *, exact: bool) -> _Pair:
        """The same, as far as the decisions lead; not `exact`: with only the first things met."""
        before, now = (side.gone_on(self.decided, self.answers) for side in (self.before, self.now))
        pair = replace(self, before=before, now=now)
        if pair.in_step:
            waits = ((), ()) if before.waits == now.waits else (before.waits, now.waits)
            return replace(
                pair,
                before=replace(before, met=(), waits=waits[0]),
                now=replace(now, met=(), waits=waits[1]),
                changes=pair.changes.union(changes_between(before.met, now.met)),
            )
        if before.stand.end and now.stand.end:
            return pair
        # A call that goes on when the other has ended ends elsewhere, most often.
        most = MOST_MET if not exact and (before.stand.end or now.stand.end) else MOST_KEPT
        sides = (replace(side, met=first_of(side.met, most)) for side in (before, now))
        return replace(pair, before=next(sides), now=next(sides))

    @property
    def in_step(self) -> bool:
        """Whether both wait for the same, and nothing but what lies ahead can part them."""
        before, now = self.before, self.now
        if before.stand.end or now.stand.end:
            return False
        return before.used == now.used == len(self.answers) and before.stand.progress == now.stand.progress

    def needed(self) -> Needed:
        """What is to be decided next: what is keyed last, so that the answers to both sides' questions are tried."""
        needs = [side.needs for side in (self.before, self.now) if side.needs]
        for needed in needs:
            if needed.decision != KEYS:
                return needed
        keys = dict.fromkeys(option for needed in needs for option in needed.options)
        last = tuple(option for option in (WRONG, "") if option in keys)
        return Needed(decision=KEYS, options=(*(option for option in keys if option not in last), *last))

    def state(self) -> Hashable:
        """All that can matter for what follows, and for what is told of it."""
        sides = [(side.state(self.decided, self.answers), side.met, side.waits) for side in (self.before, self.now)]
        return (*sides, self.changes)
