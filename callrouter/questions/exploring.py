"""Every way a call can go, by the engine that serves calls: its distinct endings, and the shortest way to each.

At each wait the call is forked: once for each key, for silence and for a wrong key, for a queue that answers and one
that does not, for a contact who answers and one who does not, for a message and for silence after the beep. A state
that was come to before is not followed again, so that loops end; what counts as one state is all that can matter for
what follows, and for the outcome. Callers who hang up are left out: they can do so anywhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice, product
from typing import TypeVar

from msgspec import Struct, field

from callrouter.core import inputs
from callrouter.core.call import Call, DialOutcome, Disposition, QueueOutcome
from callrouter.core.effects import CollectDigits, Dial, Effect, EnterQueue, LookAtQueues, Lookup, LookupField, Record
from callrouter.core.nodes.about import NumberAsked
from callrouter.core.plan import Plan
from callrouter.questions.ahead import Behind
from callrouter.questions.examples import ORDINARY_ANSWER, QUIET, Distinctions, in_words
from callrouter.questions.rehearsal import DialBehaviour, QueueBehaviour, Rehearsal, Rehearsing, begin, word_left

MAX_STATES = 50_000
"""Waits looked at in all; a client's tree of 30 nodes has some hundred."""

MESSAGE_SECONDS = 10.0

MAX_COMBINATIONS = 400
"""Ways in which the queues of one branch can stand, or the fields of one answer be, that are looked at."""

_Kind = TypeVar("_Kind")


class Choice(Struct, frozen=True, kw_only=True):
    """What the caller or somebody else did at one wait."""

    kind: str
    """`keys`, `queue`, `dial`, `message`, `look` or `lookup`."""
    node: str
    target: str
    """The queue or the contacts; empty for the caller's own doing."""
    value: str
    """The keys, the outcome, or how the queues stand and what a web service answers, in words."""
    effort: int
    """How far out of the way it is: what is expected costs nothing, keys little, silence and mistakes more."""
    looks: Mapping[str, inputs.QueueLook] = field(default_factory=dict)
    answers: Mapping[str, str] | None = None
    """What a web service answers; None: nothing of use."""

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
                return value
            case "lookup", "":
                return f"{self.target} fails"
            case "lookup", "answered":
                return f"{self.target} answers"
            case "lookup", value:
                return f"{self.target} answers {value}"
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


class Way(Struct, frozen=True, kw_only=True):
    """One way to an ending."""

    ending: Ending
    choices: tuple[Choice, ...]
    rehearsal: Rehearsal
    offered: inputs.CallOffered
    """Of the calls explored, the one that goes this way."""

    @property
    def effort(self) -> int:
        """What it takes, over all choices."""
        return sum(choice.effort for choice in self.choices)

    @property
    def in_words(self) -> str:
        """What the caller and the others do, in order."""
        return ", ".join(choice.in_words for choice in self.choices) or "just calls"


class Explored(Struct, frozen=True, kw_only=True):
    """All endings of some calls."""

    ways: Mapping[Ending, Way]
    complete: bool
    """False: the tree has more states than are looked at."""


def explore(
    plan: Plan,
    *offers: inputs.CallOffered,
    max_states: int = MAX_STATES,
    told_apart: Distinctions | None = None,
) -> Explored:
    """Every distinct ending of these calls, with the shortest way to each, of the first call that has it.

    `told_apart` is that of the plan.
    """
    possible = _Possible(plan, told_apart or Distinctions(plan))
    behind = Behind(plan)
    ways: dict[Ending, Way] = {}
    costs: dict[Ending, tuple[int, int]] = {}
    seen: set[Hashable] = set()
    order = count()
    waiting: list[tuple[int, int, int, _Going]] = []

    def note(effort: int, index: int, going: _Going) -> None:
        if not going.call.call.ended:
            heapq.heappush(waiting, (effort, index, next(order), going))
            return
        rehearsal = going.call.done()
        ending = _ending(rehearsal, going.choices)
        if ending not in ways or (effort, index) < costs[ending]:
            costs[ending] = effort, index
            ways[ending] = Way(ending=ending, choices=going.choices, rehearsal=rehearsal, offered=offers[index])

    for index, offered in enumerate(offers):
        begun = begin(plan, offered, _Doing(_NOTHING))
        facing = behind.facing(begun.call, offered.at)
        note(0, index, _Going(call=begun, choices=(), facing=facing))
    while waiting and len(seen) < max_states:
        effort, index, _, going = heapq.heappop(waiting)
        call = going.call.call
        fingerprint = (state_of(call, behind), going.facing(call.node))
        if fingerprint in seen:
            continue
        seen.add(fingerprint)
        for choice in possible.choices(call, going.call.pending):
            other = going.call.fork(_Doing(choice))
            other.go_on()
            taken = going.choices if choice is _NOTHING else (*going.choices, choice)
            note(effort + choice.effort, index, _Going(call=other, choices=taken, facing=going.facing))
    return Explored(ways=ways, complete=not waiting and not possible.cut)


class _Going(Struct, frozen=True, kw_only=True):
    """A call on one of its ways."""

    call: Rehearsing
    choices: tuple[Choice, ...]
    facing: Callable[[str], Hashable]
    """What is still to be read of who calls and when, behind a node."""


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
        return self.choice.looks

    def looks_up(self, call: Call, asked: Lookup) -> Mapping[str, str] | None:
        return self.choice.answers


class _Possible:
    """All that can happen at the waits of a tree."""

    def __init__(self, plan: Plan, told_apart: Distinctions) -> None:
        self.plan = plan
        self.told_apart = told_apart
        self.cut = False
        """Whether there was more than is looked at."""

    def choices(self, call: Call, effect: Effect) -> Iterator[Choice]:
        """All that can happen at a wait; the most likely first."""
        match effect:
            case CollectDigits() if not call.digits:
                for keys, effort in keys_at(self.plan, call, effect, self.told_apart):
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
                yield from self._looks(call, queues)
            case Lookup(fields=fields):
                yield from self._answers(call, fields)
            case _:
                yield _NOTHING

    def _looks(self, call: Call, queues: tuple[str, ...]) -> Iterator[Choice]:
        """Each queue in each way it can stand, whatever the others do."""
        for looks in self._combined([(*self.told_apart.standings(queue), None) for queue in queues]):
            seen = dict(zip(queues, looks, strict=True))
            words = ", ".join(f"queue {queue} {in_words(look)}" for queue, look in seen.items())
            effort = sum(5 if look is None else 2 for look in looks if look != QUIET)
            known = {queue: look for queue, look in seen.items() if look is not None}
            yield Choice(kind="look", node=call.node, target="", value=words, effort=effort, looks=known)

    def _answers(self, call: Call, fields: tuple[LookupField, ...]) -> Iterator[Choice]:
        for values in self._combined([self.told_apart.answered(one) for one in fields]):
            answers = {one.variable: value for one, value in zip(fields, values, strict=True)}
            told = ", ".join(f"{name} = {value}" for name, value in answers.items() if value != ORDINARY_ANSWER)
            yield Choice(
                kind="lookup",
                node=call.node,
                target="the web service",
                value=told or "answered",
                effort=2 if told else 0,
                answers=answers,
            )
        yield Choice(kind="lookup", node=call.node, target="the web service", value="", effort=4)

    def _combined(self, kinds: Sequence[Sequence[_Kind]]) -> Iterator[tuple[_Kind, ...]]:
        """All combinations of one of each; of too many the first, those nearest to the ordinary."""
        found = product(*kinds)
        yield from islice(found, MAX_COMBINATIONS)
        self.cut = self.cut or next(found, None) is not None


def keys_at(plan: Plan, call: Call, effect: CollectDigits, told_apart: Distinctions) -> Iterator[tuple[str, int]]:
    """What callers key at a question, and how far out of the way it is; silence last."""
    question = plan.nodes[call.node].question(effect)
    yield from ((keys, 2) for keys in question.keys)
    if question.number is not None:
        yield from ((number, 2) for number in numbers_asked_for(question.number, told_apart))
    yield from ((keys, 3) for keys in question.seldom)
    if question.wrong:
        yield question.wrong, 3
    yield "", 3


def numbers_asked_for(asked: NumberAsked, told_apart: Distinctions) -> tuple[str, ...]:
    """What may be keyed there: one number of each kind that is told apart, and the key that ends it."""
    return tuple(value + ("#" if len(value) < asked.max_digits else "") for value in told_apart.keyed(asked))


def state_of(call: Call, behind: Behind) -> Hashable:
    """All of a waiting call that can matter for what follows, and for how it will be counted, but for the offer."""
    answered = [visit.queue for visit in call.queue_visits if visit.answered_at]
    reached = [dial.target for dial in call.dials if dial.answered_at]
    return (
        call.node,
        call.state,
        frozenset(call.memory.items()),
        call.digits,
        behind.still_read(call),
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
