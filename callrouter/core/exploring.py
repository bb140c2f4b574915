"""Every way a call can go, by the engine that serves calls: its distinct endings, and the shortest way to each.

At each wait the call is forked: once for each key, for silence and for a wrong key, for a queue that answers and one
that does not, for a contact who answers and one who does not, for a message and for silence after the beep. A state
that was come to before is not followed again, so that loops end; what counts as one state is all that can matter for
what follows, and for the outcome. Callers who hang up are left out: they can do so anywhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from callrouter.core import inputs
from callrouter.core.call import Call, DialOutcome, Disposition, QueueOutcome
from callrouter.core.conditions import Condition, VariableIs, VariableNumber, VariableStartsWith
from callrouter.core.effects import CollectDigits, Dial, Effect, EnterQueue, LookAtQueues, Lookup, Record
from callrouter.core.frozen import frozen
from callrouter.core.nodes import BranchNode, CollectDigitsNode, MenuNode
from callrouter.core.plan import Plan
from callrouter.core.rehearsal import DialBehaviour, QueueBehaviour, Rehearsal, Rehearsing, begin, word_left

MAX_STATES = 20_000
"""Waits looked at from one beginning; a client's tree of 30 nodes has some hundred."""

TELEPHONE_KEYS = "0123456789*#"
WRONG_NUMBER = "*"
"""Keyed where a number is asked for, it is none."""

MESSAGE_SECONDS = 10.0


@frozen(slots=True)
class Choice:
    """What the caller or somebody else did at one wait."""

    kind: str
    """`keys`, `queue`, `dial`, `message`, `look` or `lookup`."""
    node: str
    target: str
    """The queue or the contacts; empty for the caller's own doing."""
    value: str
    """The keys, or the outcome."""
    effort: int
    """How far out of the way it is: what is expected costs nothing, keys little, silence and mistakes more."""

    @property
    def in_words(self) -> str:
        """As a person tells it."""
        match self.kind, self.value:
            case "keys", "":
                return "presses nothing"
            case "keys", keys:
                return f"presses {keys}"
            case "message", "0":
                return "says nothing after the beep"
            case "message", _:
                return "leaves a message"
            case "look", value:
                return f"{self.target}: {value}"
            case "lookup", "":
                return f"{self.target} fails"
            case _, "answered":
                return f"{self.target} answers"
            case _, outcome:
                return f"{self.target}: {outcome.replace('_', ' ')}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ending:
    """How a call can end, as far as two ends differ."""

    outcome: str
    """As `Rehearsal.outcome`."""
    node: str
    """The node that decided it."""
    disposition: str


@frozen(slots=True)
class Way:
    """One way to an ending."""

    ending: Ending
    choices: tuple[Choice, ...]
    rehearsal: Rehearsal

    @property
    def effort(self) -> int:
        """What it takes, over all choices."""
        return sum(choice.effort for choice in self.choices)

    @property
    def in_words(self) -> str:
        """What the caller and the others do, in order."""
        return ", ".join(choice.in_words for choice in self.choices) or "just calls"


@frozen(slots=True)
class Explored:
    """All endings of one caller at one instant."""

    ways: Mapping[Ending, Way]
    complete: bool
    """False: the tree has more states than are looked at."""


def explore(plan: Plan, offered: inputs.CallOffered, *, max_states: int = MAX_STATES) -> Explored:
    """Every distinct ending of this call, with the shortest way to each."""
    ways: dict[Ending, Way] = {}
    seen: set[Hashable] = set()
    order = count()
    waiting: list[tuple[int, int, tuple[Choice, ...], Rehearsing]] = []

    def note(effort: int, choices: tuple[Choice, ...], going: Rehearsing) -> None:
        if going.call.ended:
            rehearsal = going.done()
            ending = _ending(rehearsal, choices)
            if ending not in ways or effort < ways[ending].effort:
                ways[ending] = Way(ending=ending, choices=choices, rehearsal=rehearsal)
        else:
            heapq.heappush(waiting, (effort, next(order), choices, going))

    note(0, (), begin(plan, offered, _Doing(_NOTHING)))
    while waiting and len(seen) < max_states:
        effort, _, choices, going = heapq.heappop(waiting)
        fingerprint = _state_of(going.call)
        if fingerprint in seen:
            continue
        seen.add(fingerprint)
        for choice in _choices(plan, going.call, going.pending):
            other = going.fork(_Doing(choice))
            other.go_on()
            taken = choices if choice is _NOTHING else (*choices, choice)
            note(effort + choice.effort, taken, other)
    return Explored(ways=ways, complete=not waiting)


_NOTHING = Choice(kind="", node="", target="", value="", effort=0)


class _Doing:
    """A cast that is asked once, and does this."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice

    def ahead(self) -> str:
        return ""

    def hangs_up(self, wait: int) -> bool:
        return False

    def keys(self, call: Call, asked: CollectDigits) -> str:
        return self.choice.value

    def queue(self, call: Call, entered: EnterQueue) -> QueueBehaviour:
        return QueueBehaviour(outcome=QueueOutcome(self.choice.value))

    def dial(self, call: Call, rung: Dial) -> DialBehaviour:
        return DialBehaviour(outcome=DialOutcome(self.choice.value))

    def speaks(self, call: Call, recorded: Record) -> float:
        return float(self.choice.value)

    def sees(self, call: Call, asked: LookAtQueues) -> Mapping[str, inputs.QueueLook]:
        return {} if self.choice.value == UNSEEN else dict.fromkeys(asked.queues, _LOOKS[self.choice.value])

    def looks_up(self, call: Call, asked: Lookup) -> Mapping[str, str] | None:
        return {one.variable: "1" for one in asked.fields} if self.choice.value else None


UNSEEN = "cannot be looked at"
_LOOKS = {
    "quiet": inputs.QueueLook(agents=9, free=9, waiting=0, talk_seconds=120.0),
    "busy": inputs.QueueLook(agents=9, free=0, waiting=999, talk_seconds=600.0),
    "deserted": inputs.QueueLook(agents=0, free=0, waiting=0, talk_seconds=120.0),
}
"""The extremes between which a queue can stand."""


def _choices(plan: Plan, call: Call, effect: Effect) -> Iterator[Choice]:
    """All that can happen at a wait; the most likely first."""
    match effect:
        case CollectDigits() if not call.digits:
            for keys, effort in keys_at(plan, call, effect):
                yield Choice(kind="keys", node=call.node, target="", value=keys, effort=effort)
        case EnterQueue(queue=queue):
            for left, effort in ((QueueOutcome.ANSWERED, 0), (QueueOutcome.TIMEOUT, 4)):
                yield Choice(kind="queue", node=call.node, target=f"queue {queue}", value=left, effort=effort)
        case Dial(numbers=numbers, names=names):
            target = " + ".join(names or numbers)
            for outcome, effort in ((DialOutcome.ANSWERED, 0), (DialOutcome.NO_ANSWER, 3)):
                yield Choice(kind="dial", node=call.node, target=target, value=outcome, effort=effort)
        case Record():
            for seconds, effort in ((MESSAGE_SECONDS, 0), (0.0, 5)):
                yield Choice(kind="message", node=call.node, target="", value=f"{seconds:g}", effort=effort)
        case LookAtQueues(queues=queues):
            target = "queue " + " and ".join(queues)
            for value, effort in (("quiet", 0), ("busy", 2), ("deserted", 3), (UNSEEN, 5)):
                yield Choice(kind="look", node=call.node, target=target, value=value, effort=effort)
        case Lookup():
            for value, effort in (("answered", 0), ("", 4)):
                yield Choice(kind="lookup", node=call.node, target="the web service", value=value, effort=effort)
        case _:
            yield _NOTHING


def keys_at(plan: Plan, call: Call, effect: CollectDigits) -> Iterator[tuple[str, int]]:
    """What callers key at a question, and how far out of the way it is; silence last."""
    node = plan.nodes[call.node]
    if isinstance(node, MenuNode):
        yield from ((key, 2) for key in node.keys)
        wrong = next((key for key in reversed(TELEPHONE_KEYS[:10]) if key not in node.keys), "")
        if wrong:
            yield wrong, 3
    elif isinstance(node, CollectDigitsNode):
        yield from ((value, 2) for value in numbers_asked_for(plan, node))
        yield WRONG_NUMBER, 3
    elif effect.max_digits == 1:
        yield from ((key, 2) for key in TELEPHONE_KEYS)
    else:
        yield "".join(TELEPHONE_KEYS[1 + place % 9] for place in range(effect.max_digits)), 2
        yield WRONG_NUMBER, 3
    yield "", 3


def numbers_asked_for(plan: Plan, node: CollectDigitsNode) -> tuple[str, ...]:
    """What may be keyed there: one number the tree does not tell apart, then each that it does."""
    told_apart = {
        value
        for other in plan.nodes.values()
        if isinstance(other, BranchNode)
        for condition in other.when
        for value in _examples(condition, node)
        if value.isdecimal() and node.min_digits <= len(value) <= node.max_digits
    }
    length = max(node.min_digits, 1)
    other_value = next((digit * length for digit in "1234567890" if digit * length not in told_apart), "")
    values = (other_value, *sorted(told_apart)) if other_value else tuple(sorted(told_apart))
    return tuple(value + ("#" if len(value) < node.max_digits else "") for value in values)


def _examples(condition: Condition, node: CollectDigitsNode) -> Iterator[str]:
    """Numbers for which a condition holds, or for which it just does not."""
    match condition:
        case VariableIs(variable=node.variable, values=values):
            yield from values
        case VariableStartsWith(variable=node.variable, prefixes=prefixes):
            yield from (prefix.ljust(node.min_digits, "0") for prefix in prefixes)
        case VariableNumber(variable=node.variable, bounds=bounds):
            edges = (bounds.below, bounds.above, bounds.at_least, bounds.at_most)
            for edge in (int(edge) for edge in edges if edge is not None):
                yield from (str(max(near, 0)).zfill(node.min_digits) for near in (edge - 1, edge, edge + 1))
        case _:
            pass


def _state_of(call: Call) -> Hashable:
    """All of a waiting call that can matter for what follows, and for how it will be counted."""
    answered = [visit.queue for visit in call.queue_visits if visit.answered_at]
    reached = [dial.target for dial in call.dials if dial.answered_at]
    return (
        call.node,
        call.state,
        frozenset(call.memory.items()),
        call.digits,
        frozenset(call.variables.items()),
        call.verdict,
        call.offered,
        answered[-1] if answered else "",
        reached[-1] if reached else "",
        call.messages[-1].node if call.messages else "",
        tuple(callback.node for callback in call.callbacks),
    )


def _ending(rehearsal: Rehearsal, choices: tuple[Choice, ...]) -> Ending:
    call = rehearsal.call
    node = call.visits[-1].node if call.visits else call.node
    if call.disposition is Disposition.MESSAGE_LEFT:
        node = word_left(call).node
    elif call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED):
        node = next((choice.node for choice in reversed(choices) if choice.value == "answered"), node)
    return Ending(outcome=rehearsal.outcome, node=node, disposition=str(call.disposition))
