"""What changes for callers from one version of a client's tree to the next: who, when, after which keys.

Both trees are walked by the engine with the same callers, at the same instants, pressing the same keys, with agents and
contacts who answer and who do not; what callers come to and what they hear is compared. Names of nodes and the order of
lines are no difference. A way is followed only as long as it can still come to a node that differs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import product
from math import prod
from textwrap import shorten

from msgspec import Struct, field

from callrouter.core.call import Call, DialOutcome, QueueOutcome, replace
from callrouter.core.distinctions import ORDINARY_ANSWER, Distinctions, in_words
from callrouter.core.effects import CollectDigits, Dial, Effect, EnterQueue, LookAtQueues, Lookup, Play, Record
from callrouter.core.exploring import WRONG_NUMBER, keys_at, numbers_asked_for, state_of
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import BranchNode, CollectDigitsNode, LookupNode, MenuNode, Node
from callrouter.core.plan import Plan
from callrouter.core.rehearsal import DialBehaviour, QueueBehaviour, Rehearsal, Script, Scripted, begin
from callrouter.dialplan.likeness import differing, leading_to
from callrouter.dialplan.outcomes import call_ids
from callrouter.dialplan.render import length
from callrouter.dialplan.situations import CallerKind, Stretch, calendar, caller_kinds, moment

OTHER = "other"
"""A number no branch of the tree tells apart."""

MOST_MET = 2
LONGEST = 120
"""Things met on the way that are told of one change, and letters of a sentence heard."""

WRONG = "?"
"""A key that means nothing where it is pressed."""

MANY_WAYS = 300
MANY_QUESTIONS = 4
"""Ways for one caller at one instant, and questions answered on each, up to which every way is looked at. Beyond, only
those go on that have come to a state of the trees no other had come to."""

MOST_WAYS = 3_000
"""Ways looked at in any case."""

MOST_ANSWERS = 24
"""Combinations of what a web service may answer; of more, each field is varied on its own."""

Keys = tuple[str, ...]
"""What a caller keys at one question after the other; nothing behind the last."""


class Circumstance(Struct, frozen=True, kw_only=True):
    """How everybody else behaves."""

    words: str
    script: Script
    needs: type[Effect] | None = None
    """What a call has to come to for it to matter: who does not fares as in the circumstance `unlike`."""
    unlike: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """One difference, for one kind of caller who keys one thing at one stretch of the calendar."""

    now: str
    """`reach queue:medical`, or `hear «…»`."""
    before: str
    circumstance: str
    keys: Keys


class Compared(Struct, frozen=True, kw_only=True):
    """All differences between two trees, before they are put into words."""

    changes: dict[Change, dict[str, set[tuple[str, ...]]]] = field(default_factory=dict)
    """For each: by kind of caller, what the calendar says at the stretches concerned."""
    stretches: dict[tuple[str, ...], list[Stretch]] = field(default_factory=dict)
    """By what the calendar says: where it says so."""
    ways: dict[tuple[str, tuple[str, ...], str], set[Keys]] = field(default_factory=dict)
    """All that was tried: by kind of caller, stretch and circumstance."""
    callers: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    cut: set[str] = field(default_factory=set)
    """Kinds of callers who have more ways than are looked at."""


def compare(old: Plan, new: Plan, since: datetime) -> Compared:
    """Walk both trees; the calendar is looked at for a year from the day after `since`."""
    seen_by = calendar(old, new)
    days = tuple(seen_by.days(since.astimezone(seen_by.zone).date() + timedelta(days=1)))
    stretches: dict[tuple[str, ...], list[Stretch]] = {}
    for day in days:
        for stretch in seen_by.stretches(day):
            stretches.setdefault(stretch.said, []).append(stretch)
    kinds = caller_kinds(old, new)
    compared = Compared(stretches=stretches, callers=tuple(kind.words for kind in kinds), days=days)
    trees = _Trees(old, new)
    for kind in () if trees.alike else kinds:
        for said, found in stretches.items():
            at = moment(seen_by, found[0]).at.astimezone(UTC)
            for change in _changes_at(trees, kind, at, said, compared):
                compared.changes.setdefault(change, {}).setdefault(kind.words, set()).add(said)
    return compared


class _Trees:
    """Two trees, and what either of them tells apart."""

    def __init__(self, old: Plan, new: Plan) -> None:
        self.old = old
        self.new = new
        self.told_apart = Distinctions(old, new)
        self.call_ids = call_ids(old, new)
        pairs = differing(old, new)
        self.leading = leading_to(old, [one for one, _ in pairs]), leading_to(new, [one for _, one in pairs])
        """The nodes of each from which a call can come to one that differs."""
        self.differing = frozenset(one for one, _ in pairs), frozenset(one for _, one in pairs)
        if (old.timezone, old.language) != (new.timezone, new.language):
            self.leading = frozenset(old.nodes), frozenset(new.nodes)
        self.circumstances = tuple(_circumstances(self))

    @property
    def alike(self) -> bool:
        """No call can meet a difference."""
        return not any(self.leading)

    @property
    def nodes(self) -> Iterator[Node]:
        """Those of both."""
        yield from (*self.old.nodes.values(), *self.new.nodes.values())


def _changes_at(
    trees: _Trees, kind: CallerKind, at: datetime, said: tuple[str, ...], compared: Compared
) -> Iterator[Change]:
    seen: dict[Keys, set[tuple[str, str]]] = {}
    for call_id in trees.call_ids:
        offered = CallOffered(call_id=call_id, did="", caller=kind.caller, at=at)
        walked: dict[str, _Walked] = {}
        for circumstance in trees.circumstances:
            found = _walk(trees, offered, circumstance, walked.get(circumstance.unlike))
            walked[circumstance.words] = found
            if not found.complete:
                compared.cut.add(kind.words)
            compared.ways.setdefault((kind.words, said, circumstance.words), set()).update(found.ways)
            for keys, way in found.ways.items():
                if way.told:
                    continue
                known = seen.setdefault(keys, set())
                for was, becomes in _differences(way.before, way.now, on_the_way=not any(map(is_end, known))):
                    if not _follows(was, becomes, known):
                        known.add((was, becomes))
                        yield Change(now=becomes, before=was, circumstance=circumstance.words, keys=keys)


def is_end(change: tuple[str, str]) -> bool:
    """Whether a change is one of where calls end, rather than of what is met on the way."""
    return not any(text.startswith(("hear ", "wait ", "ring ", "speak ")) for text in change)


def _follows(was: str, becomes: str, known: set[tuple[str, str]]) -> bool:
    """Whether a change is plain from what is known of those who meet somebody: they come to another place anyway."""
    if not is_end((was, becomes)):
        return (was, becomes) in known
    return any(was == before or becomes == now for before, now in known if is_end((before, now)))


def _circumstances(trees: _Trees) -> Iterator[Circumstance]:
    """Everybody does what is expected; nobody answers; and all that a tree asks of others, each on its own.

    What changes for those who meet nobody is seen only when nobody answers: so each comes with that as well.
    """
    yield Circumstance(words="", script=Script())
    kinds = {node.kind for node in trees.nodes}
    nobody = ""
    if "queue" in kinds:
        nobody = "when no agent answers"
        yield Circumstance(words=nobody, script=Script(any_queue=_NO_AGENT), needs=EnterQueue)
    if kinds & {"dial", "redirect"}:
        words = "when nobody they ring answers"
        yield Circumstance(words=words, script=Script(any_number=_NOBODY), needs=Dial)
        if nobody:
            words = "when nobody at all answers"
            yield Circumstance(words=words, script=_unanswered(Script()), needs=Dial, unlike=nobody)
        nobody = words
    for one in (*_silence(), *_answers(trees), *_standings(trees)):
        yield one
        if nobody:
            words = f"{one.words} and nobody answers"
            yield replace(one, words=words, script=_unanswered(one.script), unlike=nobody)


_NO_AGENT = QueueBehaviour(outcome=QueueOutcome.TIMEOUT)
_NOBODY = DialBehaviour(outcome=DialOutcome.NO_ANSWER)


def _unanswered(script: Script) -> Script:
    return replace(script, any_queue=_NO_AGENT, any_number=_NOBODY)


def _silence() -> Iterator[Circumstance]:
    script = Script(message_seconds=0.0)
    yield Circumstance(words="when they say nothing after the beep", script=script, needs=Record)


def _answers(trees: _Trees) -> Iterator[Circumstance]:
    """A web service that fails, and each kind of answer that either tree tells apart."""
    fields = {one.variable: one for node in trees.nodes if isinstance(node, LookupNode) for one in node.fields}
    yield Circumstance(words="when the web service fails", script=Script(answers=None), needs=Lookup)
    kinds = {variable: trees.told_apart.answered(one) for variable, one in fields.items()}
    for answers in _combined({variable: values for variable, values in kinds.items() if len(values) > 1}):
        said = " and ".join(f"{variable} = {value}" for variable, value in answers.items())
        words = f"when the web service answers {said}"
        yield Circumstance(words=words, script=Script(answers=answers), needs=Lookup)


def _combined(kinds: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """All answers but the ordinary one; only what is unlike it is named."""
    if prod(len(values) for values in kinds.values()) <= MOST_ANSWERS:
        found = (dict(zip(kinds, values, strict=True)) for values in product(*kinds.values()))
    else:
        found = ({variable: value} for variable, values in kinds.items() for value in values)
    for answers in found:
        if unlike := {name: value for name, value in answers.items() if value != ORDINARY_ANSWER}:
            yield unlike


def _standings(trees: _Trees) -> Iterator[Circumstance]:
    """Each queue that is looked at, in each way it can stand."""
    queues = dict.fromkeys(queue for node in trees.nodes if isinstance(node, BranchNode) for queue in node.queues)
    for queue in queues:
        for look in (*trees.told_apart.standings(queue)[1:], None):
            words = f"when queue {queue} stands at {in_words(look)}" if look else f"when queue {queue} cannot be seen"
            yield Circumstance(words=words, script=Script(looks={queue: look}), needs=LookAtQueues)


class _Question(Struct, frozen=True, kw_only=True):
    """One that a caller was asked, for the first time."""

    options: tuple[str, ...]
    """What can be keyed there."""
    state: Hashable
    """All that can matter for what follows."""
    node: str


class _Habit(Scripted):
    """A caller who answers each question in one way, however often it is asked again."""

    def __init__(self, plan: Plan, told_apart: Distinctions, script: Script, keys: Keys) -> None:
        super().__init__(script)
        self.questions: list[_Question] = []
        self._plan = plan
        self._told_apart = told_apart
        self._answers = keys
        self._asked_at = ""

    def keys(self, call: Call, asked: CollectDigits) -> str:
        """As at the first time; behind the last answer silence."""
        if not (call.memory and self.questions and self._asked_at == call.node):
            self.questions.append(_Question(options=self._options(call, asked), state=state_of(call), node=call.node))
            self._asked_at = call.node
        place = len(self.questions) - 1
        answer = self._answers[place] if place < len(self._answers) else ""
        return self._wrong(call) if answer == WRONG else self._other(call) if answer == OTHER else answer

    def _options(self, call: Call, asked: CollectDigits) -> tuple[str, ...]:
        node = self._plan.nodes[call.node]
        told_apart = isinstance(node, MenuNode | CollectDigitsNode)
        named = {self._wrong(call): WRONG, self._other(call): OTHER} if told_apart else {}
        return tuple(named.get(keys, keys) for keys, _ in keys_at(self._plan, call, asked, self._told_apart) if keys)

    def _other(self, call: Call) -> str:
        """A number that is not told apart, and ended; empty where each is."""
        node = self._plan.nodes[call.node]
        plain = self._told_apart.plain(node) if isinstance(node, CollectDigitsNode) else ""
        return numbers_asked_for(node, self._told_apart)[0] if plain and isinstance(node, CollectDigitsNode) else ""

    def _wrong(self, call: Call) -> str:
        node = self._plan.nodes[call.node]
        if isinstance(node, MenuNode):
            return next((key for key in "9876543210" if key not in node.keys), "*")
        return WRONG_NUMBER


class _Way(Struct, frozen=True, kw_only=True):
    """One way through both trees."""

    before: Rehearsal
    now: Rehearsal
    questions: tuple[tuple[_Question, ...], tuple[_Question, ...]]
    """Those asked on it in each tree."""
    told: bool = False
    """It is the same as in another circumstance, and told there."""

    def parted(self, trees: _Trees) -> bool:
        """Whether it has come to a node that differs: from there on all that follows may."""
        return any(
            visit.node in differing
            for way, differing in zip((self.before, self.now), trees.differing, strict=True)
            for visit in way.call.visits
        )

    def comes_to(self, kind: type[Effect], trees: _Trees) -> bool:
        """Whether such a thing is asked for on it, in either tree, where the answer can still lead to a difference."""
        parted = self.parted(trees)
        return any(
            (parted or step.call.node in leading) and any(isinstance(effect, kind) for effect in step.effects)
            for way, leading in zip((self.before, self.now), trees.leading, strict=True)
            for step in way.steps
        )


class _Walked(Struct, frozen=True, kw_only=True):
    """All ways of one caller in one circumstance."""

    ways: Mapping[Keys, _Way]
    complete: bool
    """False: there are more than are looked at."""


def _walk(trees: _Trees, offered: CallOffered, circumstance: Circumstance, unlike: _Walked | None) -> _Walked:
    """What a caller can key in either tree, and what comes of it in both; `unlike` is what is known already."""
    found: dict[Keys, _Way] = {}
    waiting: deque[Keys] = deque([()])
    states: set[Hashable] = set()
    while waiting and len(found) < MOST_WAYS:
        keys = waiting.popleft()
        if keys in found:
            continue
        way = unlike.ways.get(keys) if unlike and circumstance.needs else None
        if way is None or (circumstance.needs and way.comes_to(circumstance.needs, trees)):
            way = _walk_one(trees, offered, circumstance.script, keys)
        elif not way.told:
            way = replace(way, told=True)
        found[keys] = way
        asked = [questions[len(keys)] if len(keys) < len(questions) else None for questions in way.questions]
        state = tuple(question and question.state for question in asked)
        few = len(keys) < MANY_QUESTIONS and len(found) + len(waiting) < MANY_WAYS
        if few or state not in states:
            near = (one is not None and one.node in leading for one, leading in zip(asked, trees.leading, strict=True))
            leads = way.parted(trees) or any(near)
            waiting += [(*keys, one) for question in asked if question and leads for one in question.options]
        states.add(state)
    return _Walked(ways=found, complete=not waiting)


def _walk_one(trees: _Trees, offered: CallOffered, script: Script, keys: Keys) -> _Way:
    old, new = (_Habit(plan, trees.told_apart, script, keys) for plan in (trees.old, trees.new))
    before, now = _played(trees.old, offered, old), _played(trees.new, offered, new)
    return _Way(before=before, now=now, questions=(tuple(old.questions), tuple(new.questions)))


def _played(plan: Plan, offered: CallOffered, cast: _Habit) -> Rehearsal:
    did = plan.numbers[0] if plan.numbers else ""
    rehearsing = begin(plan, replace(offered, did=did), cast)
    while not rehearsing.call.ended:
        rehearsing.go_on()
    return rehearsing.done()


def _differences(before: Rehearsal, now: Rehearsal, *, on_the_way: bool) -> Iterator[tuple[str, str]]:
    """What was, and what is instead: where the call ends; or if that is the same, what is met on the way."""
    was, becomes = ended(before), ended(now)
    if was != becomes:
        yield was, becomes
    if was != becomes or not on_the_way:
        return
    old, new = list(_met(before)), list(_met(now))
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            yield _joined(old[i:j]), _joined(new[k:m])


def _joined(met: list[str]) -> str:
    """The first few; a caller who goes another way altogether meets nothing of what the others do."""
    more = len(met) - MOST_MET
    return ", then ".join(met[:MOST_MET]) + (f" and {more} more" if more > 0 else "")


def ended(rehearsal: Rehearsal) -> str:
    """What a caller comes to, whatever the node is called."""
    kind = rehearsal.outcome.partition(":")[0]
    match kind:
        case "message":
            deliver = rehearsal.call.messages[-1].deliver
            return f"a message for {deliver}" if deliver else "a message for nobody"
        case "callback":
            return "a callback"
        case "reject":
            return "a refusal"
        case "self_served":
            return "the end of the tree"
        case "abandoned":
            return "nobody"
        case "failed":
            return "a failure"
        case _:
            return rehearsal.outcome


def _met(rehearsal: Rehearsal) -> Iterator[str]:
    """What the caller hears, whom he waits for and how long: in order."""
    for step in rehearsal.steps:
        for effect in step.effects:
            match effect:
                case Play(sounds=sounds) | CollectDigits(sounds=sounds):
                    yield from (f"hear «{_shortened(sound.text or sound.file)}»" for sound in sounds)
                case EnterQueue():
                    priority = f" with priority {effect.priority}" if effect.priority else ""
                    yield f"wait for {effect.queue}{priority} at most {length(effect.max_wait_seconds)}"
                case Dial():
                    people = " and ".join(effect.names or effect.numbers)
                    screened = ", who must press 1" if effect.screen else ""
                    yield f"ring {people} ({' and '.join(effect.numbers)}) for {length(effect.ring_seconds)}{screened}"
                case Record():
                    yield f"speak for at most {length(effect.max_seconds)}"
                case _:
                    pass


@lru_cache(maxsize=4096)
def _shortened(sentence: str) -> str:
    return shorten(sentence, LONGEST, placeholder="…")
