"""What changes for callers from one version of a client's tree to the next: who, when, after which keys.

Both trees are walked by the engine with the same callers, at the same instants, pressing the same keys, with agents and
contacts who answer and who do not; what callers come to and what they hear is compared. Names of nodes and the order of
lines are no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from datetime import UTC, date, datetime, timedelta
from difflib import SequenceMatcher
from textwrap import shorten

from callrouter.core.call import Call, DialOutcome, QueueOutcome
from callrouter.core.effects import CollectDigits, Dial, EnterQueue, Play, Record
from callrouter.core.exploring import WRONG_NUMBER, keys_at, numbers_asked_for
from callrouter.core.frozen import frozen
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import CollectDigitsNode, LookupNode, MenuNode
from callrouter.core.plan import Plan
from callrouter.core.rehearsal import DialBehaviour, QueueBehaviour, Rehearsal, Script, Scripted, begin
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

MOST_WAYS = 300
MOST_QUESTIONS = 4
"""Ways looked at for one caller at one instant, and questions answered on each."""

Keys = tuple[str, ...]
"""What a caller keys at one question after the other; nothing behind the last."""


@frozen(slots=True)
class Circumstance:
    """How everybody else behaves."""

    words: str
    script: Script


@frozen(slots=True)
class Change:
    """One difference, for one kind of caller who keys one thing at one stretch of the calendar."""

    now: str
    """`reach queue:medical`, or `hear «…»`."""
    before: str
    circumstance: str
    keys: Keys


@frozen()
class Compared:
    """All differences between two trees, before they are put into words."""

    changes: dict[Change, dict[str, set[tuple[str, ...]]]] = field(default_factory=dict)
    """For each: by kind of caller, what the calendar says at the stretches concerned."""
    stretches: dict[tuple[str, ...], list[Stretch]] = field(default_factory=dict)
    """By what the calendar says: where it says so."""
    ways: dict[tuple[str, tuple[str, ...], str], set[Keys]] = field(default_factory=dict)
    """All that was tried: by kind of caller, stretch and circumstance."""
    callers: tuple[str, ...] = ()
    days: tuple[date, ...] = ()


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
    for kind in kinds:
        for said, found in stretches.items():
            at = moment(seen_by, found[0]).at.astimezone(UTC)
            for change in _changes_at(old, new, kind, at, said, compared):
                compared.changes.setdefault(change, {}).setdefault(kind.words, set()).add(said)
    return compared


def _changes_at(
    old: Plan, new: Plan, kind: CallerKind, at: datetime, said: tuple[str, ...], compared: Compared
) -> Iterator[Change]:
    seen: dict[Keys, set[tuple[str, str]]] = {}
    for circumstance in _circumstances(old, new):
        tried = compared.ways.setdefault((kind.words, said, circumstance.words), set())
        for call_id in call_ids(old, new):
            offered = CallOffered(call_id=call_id, did="", caller=kind.caller, at=at)
            for keys, (before, now) in _walked(old, new, offered, circumstance.script).items():
                tried.add(keys)
                known = seen.setdefault(keys, set())
                for was, becomes in _differences(before, now, on_the_way=not any(map(is_end, known))):
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


def _circumstances(old: Plan, new: Plan) -> Iterator[Circumstance]:
    yield Circumstance(words="", script=Script())
    no_agent = QueueBehaviour(outcome=QueueOutcome.TIMEOUT)
    nobody = DialBehaviour(outcome=DialOutcome.NO_ANSWER)
    kinds = {node.kind for plan in (old, new) for node in plan.nodes.values()}
    if "queue" in kinds:
        yield Circumstance(words="when no agent answers", script=Script(any_queue=no_agent))
    if kinds & {"dial", "redirect"}:
        yield Circumstance(words="when nobody they ring answers", script=Script(any_number=nobody))
        if "queue" in kinds:
            yield Circumstance(words="when nobody at all answers", script=Script(any_queue=no_agent, any_number=nobody))
    if LookupNode.kind in kinds:
        yield Circumstance(words="when the web service fails", script=Script(answers=None))


class _Habit(Scripted):
    """A caller who answers each question in one way, however often it is asked again."""

    def __init__(self, plan: Plan, script: Script, keys: Keys) -> None:
        super().__init__(script)
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        """The questions that were met, and what can be keyed there."""
        self._plan = plan
        self._answers = keys

    def keys(self, call: Call, asked: CollectDigits) -> str:
        """As at the first time; behind the last answer silence."""
        if not (call.memory and self.asked and self.asked[-1][0] == call.node):
            self.asked.append((call.node, self._options(call, asked)))
        place = len(self.asked) - 1
        answer = self._answers[place] if place < len(self._answers) else ""
        return self._wrong(call) if answer == WRONG else self._other(call) if answer == OTHER else answer

    def _options(self, call: Call, asked: CollectDigits) -> tuple[str, ...]:
        node = self._plan.nodes[call.node]
        told_apart = isinstance(node, MenuNode | CollectDigitsNode)
        named = {self._wrong(call): WRONG, self._other(call): OTHER} if told_apart else {}
        return tuple(named.get(keys, keys) for keys, _ in keys_at(self._plan, call, asked) if keys)

    def _other(self, call: Call) -> str:
        node = self._plan.nodes[call.node]
        return numbers_asked_for(self._plan, node)[0] if isinstance(node, CollectDigitsNode) else ""

    def _wrong(self, call: Call) -> str:
        node = self._plan.nodes[call.node]
        if isinstance(node, MenuNode):
            return next((key for key in "9876543210" if key not in node.keys), "*")
        return WRONG_NUMBER


def _walked(old: Plan, new: Plan, offered: CallOffered, script: Script) -> dict[Keys, tuple[Rehearsal, Rehearsal]]:
    """All that a caller can key in either tree, and what comes of it in both."""
    found: dict[Keys, tuple[Rehearsal, Rehearsal]] = {}
    waiting: list[Keys] = [()]
    while waiting and len(found) < MOST_WAYS:
        keys = waiting.pop(0)
        if keys in found:
            continue
        casts = [_Habit(plan, script, keys) for plan in (old, new)]
        before, now = (_played(plan, offered, cast) for plan, cast in zip((old, new), casts, strict=True))
        found[keys] = before, now
        for cast in casts:
            if len(keys) < min(len(cast.asked), MOST_QUESTIONS):
                waiting += [(*keys, one) for one in cast.asked[len(keys)][1]]
    return found


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
                    yield from (
                        f"hear «{shorten(sound.text or sound.file, LONGEST, placeholder='…')}»" for sound in sounds
                    )
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
