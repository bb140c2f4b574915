"""Two trees walked side by side by one caller: all that can be decided on his way, and what differs for him then.

Wherever something is asked that nobody has decided yet, the pair of calls is forked, once for each decision: so only
what a node on the way really reads is varied, and all of that against each other. A pair that stands as another one
stood goes on as that did, whoever called and whenever; a pair that stands at the same place of both trees, with nothing
behind it that differs, is followed no further.
"""

from __future__ import annotations

from collections.abc import Hashable

from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.questions.diff.diagram import KEYS, Decision, Diagrams, Folding, Undecided
from callrouter.questions.diff.experience import MOST_KEPT, MOST_MET, UNSERVED, Change, changes_between, ended, first_of
from callrouter.questions.diff.same_tree import Likeness
from callrouter.questions.diff.side import WRONG, Decided, Side, Tree
from callrouter.questions.examples import Distinctions

MOST_STATES = 2_500
MANY_STATES = 150
"""Pairs of waiting calls that are followed; and from how many on only some is kept of what they have met."""

Met = tuple[str, ...]
"""Things met on the way, in order."""

NOT_FOLLOWED = Change(before="", now="", ends=True)
"""Stands where more would have to be followed than that."""


class SideBySide:
    """Two trees, and all pairs of calls that were followed through them."""

    def __init__(self, old: Plan, new: Plan) -> None:
        told_apart = Distinctions(old, new)
        self.diagrams = Diagrams()
        self._trees = Tree(old, told_apart), Tree(new, told_apart)
        self._likeness = Likeness(old, new)
        self._starts: dict[Hashable, Hashable] = {}
        self._places: dict[Hashable, Undecided | frozenset[Change]] = {}
        self._folding = Folding(self.diagrams, self._places)

    @property
    def alike(self) -> bool:
        """No call can meet a difference."""
        old, new = (tree.plan for tree in self._trees)
        return self._likeness.same_behind(old.start, new.start)

    def differences(self, offered: CallOffered) -> int:
        """The diagram of what differs for a caller."""
        before, now = (tree.begun(offered) for tree in self._trees)
        known = before.facing(before.plan.start), now.facing(now.plan.start)
        if known not in self._starts:
            self._starts[known] = self._follow(_Pair(before, now).settled(exact=True))
        return self._folding.fold(self._starts[known])

    def _follow(self, pair: _Pair) -> Hashable:
        """All ways of a pair; gives the place it begins at."""
        waiting: list[tuple[Hashable, _Pair]] = []
        start = self._place(pair, waiting)
        while waiting:
            place, pair = waiting.pop(0)
            if len(self._places) > MOST_STATES:
                self._places[place] = frozenset({NOT_FOLLOWED})
                continue
            decision, options = pair.next_decision()
            self._places[place] = Undecided(
                decision=decision,
                branches=tuple(
                    (option, self._place(self._after(pair, decision, option), waiting)) for option in options
                ),
            )
        return start

    def _place(self, pair: _Pair, waiting: list[tuple[Hashable, _Pair]]) -> Hashable:
        """By what a pair is known; it is put into `waiting` where nothing is known of it yet."""
        differs = self._all_that_differs(pair)
        place = pair.state() if differs is None else differs
        if place not in self._places:
            self._places[place] = differs or frozenset()
            if differs is None:
                waiting.append((place, pair))
        return place

    def _all_that_differs(self, pair: _Pair) -> frozenset[Change] | None:
        """Once nothing else can; None: there is still something to follow."""
        before, now = pair.before, pair.now
        if before.call.ended and now.call.ended:
            was, becomes = ended(before.plan, before.call), ended(now.plan, now.call)
            if was != becomes and {was, becomes} != UNSERVED:
                return pair.changes | {Change(before=was, now=becomes, ends=True)}
            return pair.changes.union(changes_between(*pair.all_met))
        if pair.in_step and self._likeness.same_behind(before.call.node, now.call.node):
            return pair.changes
        return None

    def _after(self, pair: _Pair, decision: Decision, option: str) -> _Pair:
        return pair.fork(decision, option).settled(exact=len(self._places) < MANY_STATES)


class _Pair:
    """A call in both trees: the same caller, the same decisions."""

    def __init__(self, before: Side, now: Side) -> None:
        self.before = before
        self.now = now
        self.decided: Decided = {}
        self.answers: tuple[str, ...] = ()
        """What was keyed, question by question; one side may have asked fewer than the other."""
        self.met: tuple[Met, Met] = ((), ())
        """What was met on either side since they last were in step, before what they wait for now."""
        self.waits: tuple[Met, Met] = ((), ())
        """What they wait for now, where it differs."""
        self.changes: frozenset[Change] = frozenset()
        """What differed on the way until then."""

    def fork(self, decision: Decision, option: str) -> _Pair:
        """The same pair, for which one thing more is decided."""
        other = _Pair(self.before.fork(), self.now.fork())
        other.met, other.waits, other.changes = self.met, self.waits, self.changes
        keyed = decision == KEYS
        other.answers = (*self.answers, option) if keyed else self.answers
        other.decided = self.decided if keyed else {**self.decided, decision: option}
        return other

    def settled(self, *, exact: bool) -> _Pair:
        """The same, as far on as it goes by what is decided; not `exact`: with the first things met only."""
        before = self._gone_on(self.before, self.met[0], self.waits[0])
        now = self._gone_on(self.now, self.met[1], self.waits[1])
        self.met, self.waits = (before[0], now[0]), (before[1], now[1])
        if self.in_step:
            self.changes = self.changes.union(changes_between(*self.met))
            self.met = ((), ())
            if self.waits[0] == self.waits[1]:
                self.waits = ((), ())
        elif not (self.before.call.ended and self.now.call.ended):
            # One who goes on when the other's call has ended comes to another end, most often.
            parted = self.before.call.ended != self.now.call.ended
            most = MOST_KEPT if exact or not parted else MOST_MET
            self.met = first_of(self.met[0], most), first_of(self.met[1], most)
        return self

    def _gone_on(self, side: Side, met: Met, waits: Met) -> tuple[Met, Met]:
        while not side.call.ended and side.needs(self.decided, self.answers) is None:
            side.go_on(self.decided, self.answers)
        if found := side.met_since():
            met, waits = (*met, *waits, *found[0]), found[1]
        return met, waits

    @property
    def all_met(self) -> tuple[Met, Met]:
        """What they wait for, or waited for in the end, included."""
        return (*self.met[0], *self.waits[0]), (*self.met[1], *self.waits[1])

    @property
    def in_step(self) -> bool:
        """Whether both wait for the same, and nothing but what lies ahead can part them."""
        before, now = self.before, self.now
        if before.call.ended or now.call.ended:
            return False
        if before.answers_ahead(self.answers) or now.answers_ahead(self.answers):
            return False
        return before.stands_like(now)

    def next_decision(self) -> tuple[Decision, tuple[str, ...]]:
        """What is to be decided next: what is keyed last, so that the answers to both sides' questions are tried."""
        keyed: list[str] = []
        for side in (self.before, self.now):
            needed = None if side.call.ended else side.needs(self.decided, self.answers)
            if needed and needed[0] != KEYS:
                return needed
            keyed += needed[1] if needed else ()
        named = [option for option in keyed if option not in (WRONG, "")]
        return KEYS, tuple(dict.fromkeys((*named, *(option for option in (WRONG, "") if option in keyed))))

    def state(self) -> Hashable:
        """All that can matter for what follows, and for what is told of it."""
        sides = (side.state(self.decided, self.answers) for side in (self.before, self.now))
        return (*sides, self.met, self.waits, self.changes)
