"""A call rehearsed: a caller walks the very engine that serves calls, without a switch.

A cast (most often one that plays a script) says what the caller keys and when he hangs up, how each queue and each
number behaves and how long a message lasts; a virtual clock advances by the prompts' lengths and by what the cast says
of the rest. What comes out is the finished call, and for each step what happened, what was asked for, what the caller
heard and which nodes were passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct, field

from callrouter.core import engine, inputs
from callrouter.core.call import (
    Call,
    Callback,
    DialOutcome,
    Disposition,
    Message,
    QueueOutcome,
    RecordOutcome,
    Visit,
)
from callrouter.core.effects import (
    Answer,
    CollectDigits,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    LookAtQueues,
    Lookup,
    Part,
    Play,
    Record,
)
from callrouter.core.engine import Turn
from callrouter.core.facts import NodeVisited
from callrouter.core.plan import Plan, names_of
from callrouter.questions.examples import ORDINARY_ANSWER, QUIET

ANSWERING_SECONDS = 0.02
LOOKUP_SECONDS = 0.2
"""A web service that answers."""

KEY_SECONDS = 0.3
"""From one key to the next."""

REACTION_SECONDS = 1.0
"""From the beginning of a question to the first key: callers who know the menu do not hear it out."""


class QueueBehaviour(Struct, frozen=True, kw_only=True):
    """What becomes of a caller in a queue."""

    outcome: QueueOutcome = QueueOutcome.ANSWERED
    """TIMEOUT lets the queue's whole `max_wait` pass; ABANDONED is the caller hanging up."""
    after_seconds: float = 10.0
    agent: str = "agent"
    talk_seconds: float = 60.0


class DialBehaviour(Struct, frozen=True, kw_only=True):
    """What a number does when it is rung; NO_ANSWER lets the whole ringing time pass."""

    outcome: DialOutcome = DialOutcome.ANSWERED
    after_seconds: float = 5.0
    talk_seconds: float = 60.0


class Script(Struct, frozen=True, kw_only=True):
    """What the caller and the others do."""

    ahead: str = ""
    """Keyed at once, while the call is being answered."""
    keys: tuple[str, ...] = ()
    """What is keyed at each question in turn; empty: silence. After the last one: silence."""
    hang_up_after: int | None = None
    """The caller hangs up in the middle of this wait (from 1); None: he hears everything out."""
    queues: Mapping[str, QueueBehaviour] = field(default_factory=dict)
    """By name of the queue."""
    any_queue: QueueBehaviour = QueueBehaviour()
    numbers: Mapping[str, DialBehaviour] = field(default_factory=dict)
    """By E.164 number."""
    any_number: DialBehaviour = DialBehaviour()
    message_seconds: float = 10.0
    looks: Mapping[str, inputs.QueueLook | None] = field(default_factory=dict)
    """How a queue stands when a tree asks, by its name; others are quiet. None: it cannot be looked at."""
    answers: Mapping[str, str] | None = field(default_factory=dict)
    """What web services know, by variable; a field that is not there is answered by `1`. None: none answers."""
    failing: frozenset[str] = frozenset()
    """Lookups that are not answered, by any name of their node."""


class Cast(Protocol):
    """The caller and the others, asked one after the other what they do; asked about one call, from its start."""

    def ahead(self) -> str:
        """Keys pressed at once, while the call is being answered."""

    def hangs_up(self, wait: int) -> bool:
        """Whether the caller hangs up in the middle of this wait, from 1."""

    def keys(self, call: Call, asked: CollectDigits) -> str:
        """What the caller keys at a question; empty: nothing."""

    def queue(self, call: Call, entered: EnterQueue) -> QueueBehaviour:
        """What becomes of him in a queue."""

    def dial(self, call: Call, rung: Dial) -> DialBehaviour:
        """What becomes of an attempt to reach somebody."""

    def speaks(self, call: Call, recorded: Record) -> float:
        """How many seconds he speaks after the beep."""

    def sees(self, call: Call, asked: LookAtQueues) -> Mapping[str, inputs.QueueLook]:
        """How the queues stand; one that is missing cannot be looked at."""

    def looks_up(self, call: Call, asked: Lookup) -> Mapping[str, str] | None:
        """What a web service answers, by variable; None: nothing of use."""


class Scripted:
    """A cast that plays a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._keys = list(script.keys)

    def ahead(self) -> str:
        """As written."""
        return self.script.ahead

    def hangs_up(self, wait: int) -> bool:
        """As written."""
        return wait == self.script.hang_up_after

    def keys(self, call: Call, asked: CollectDigits) -> str:
        """The next that are written; after the last ones silence."""
        return self._keys.pop(0) if self._keys else ""

    def queue(self, call: Call, entered: EnterQueue) -> QueueBehaviour:
        """By the queue's name."""
        return self.script.queues.get(entered.queue, self.script.any_queue)

    def dial(self, call: Call, rung: Dial) -> DialBehaviour:
        """By number: the first of them to accept, or what the first of them does."""
        behaviours = [self.script.numbers.get(number, self.script.any_number) for number in rung.numbers]
        taking = [one for one in behaviours if one.outcome is DialOutcome.ANSWERED]
        return min(taking, key=lambda one: one.after_seconds) if taking else behaviours[0]

    def speaks(self, call: Call, recorded: Record) -> float:
        """As written."""
        return self.script.message_seconds

    def sees(self, call: Call, asked: LookAtQueues) -> Mapping[str, inputs.QueueLook]:
        """By the queue's name; others are quiet."""
        looks = ((name, self.script.looks.get(name, QUIET)) for name in asked.queues)
        return {name: look for name, look in looks if look is not None}

    def looks_up(self, call: Call, asked: Lookup) -> Mapping[str, str] | None:
        """As written."""
        known = self.script.answers
        if known is None or self.script.failing.intersection(names_of(call.node)):
            return None
        return {one.variable: known.get(one.variable, ORDINARY_ANSWER) for one in asked.fields}


class RehearsedStep(Struct, frozen=True, kw_only=True):
    """What one thing that happened led to."""

    told: str
    """What happened, for a person."""
    at: datetime
    visits: tuple[Visit, ...]
    """Nodes passed thereupon."""
    effects: tuple[Effect, ...]
    heard: tuple[Part, ...]
    """What the caller hears next."""
    call: Call


class Rehearsal(Struct, frozen=True, kw_only=True):
    """The whole call."""

    call: Call
    steps: tuple[RehearsedStep, ...]
    inputs: tuple[inputs.Input, ...]
    """All that the engine was told after the offer, in order: stepping through them again gives the same call."""
    outcome: str
    """What finally had the caller: `queue:medical`, `dial:doctor`, `redirect:+44…`, `message:take_message`,
    `callback:offer`, `reject`, or the disposition when nobody and nothing had him."""
    also: frozenset[str] = frozenset()
    """Other names of the outcome: a rota for whoever was on call, a node as its file writes it, one of several rung."""

    @property
    def heard(self) -> tuple[Part, ...]:
        """All sounds, in order."""
        return tuple(sound for step in self.steps for sound in step.heard)

    def meets(self, expected: str) -> bool:
        """Whether the call ended as expected: an outcome, its first word, a disposition, or `node:NAME` passed.

        Nodes may be named as their file does: without the language (`file` for `file@en`), and for all of a snippet or
        of another client's tree by what brought it in (`word` for `word/ask`).
        """
        if expected.startswith("node:"):
            name = expected.removeprefix("node:")
            return any(name in names_of(visit.node) for visit in self.call.visits)
        return expected in (self.outcome, self.outcome.partition(":")[0], self.call.disposition, *self.also)


def rehearse(plan: Plan, offered: inputs.CallOffered, cast: Script | Cast) -> Rehearsal:
    """Walk the plan with this caller to the end of the call."""
    rehearsing = begin(plan, offered, Scripted(cast) if isinstance(cast, Script) else cast)
    while not rehearsing.call.ended:
        rehearsing.go_on()
    return rehearsing.done()


def begin(plan: Plan, offered: inputs.CallOffered, cast: Cast) -> Rehearsing:
    """The call as far as its first wait."""
    rehearsing = Rehearsing(plan, cast, offered.at)
    rehearsing.take("the call rings", engine.start(plan, offered))
    return rehearsing


def outcome_of(plan: Plan, call: Call) -> str:
    """What finally had the caller, for an ended call."""
    match call.disposition:
        case Disposition.ANSWERED:
            answered = [visit.queue for visit in call.queue_visits if visit.answered_at]
            return f"queue:{answered[-1]}" if answered else "queue"
        case Disposition.REDIRECTED:
            return _reached(plan, call)
        case Disposition.MESSAGE_LEFT:
            left = word_left(call)
            return f"{'message' if isinstance(left, Message) else 'callback'}:{left.node}"
        case Disposition.REJECTED:
            return "reject"
        case _:
            return str(call.disposition)


def word_left(call: Call) -> Message | Callback:
    """What a caller left who reached nobody: the last of his messages and of his wishes to be called back."""
    left: tuple[Message | Callback, ...] = (*call.messages, *call.callbacks)
    return max(left, key=lambda one: one.started_at if isinstance(one, Message) else one.asked_at)


def _other_names(plan: Plan, call: Call, outcome: str) -> Iterator[str]:
    """By what else than its outcome a call may be expected to end."""
    kind, _, name = outcome.partition(":")
    if kind in ("message", "callback"):
        yield from (f"{kind}:{one}" for one in names_of(name))
    elif kind == "dial":
        people = frozenset(name.split(" + "))
        yield from (f"dial:{person}" for person in people)
        rung_at = next(dial.started_at for dial in reversed(call.dials) if dial.answered_at)
        passed = (plan.about[visit.node] for visit in call.visits if visit.node in plan.nodes)
        for rota in (one for about in passed for one in about.reads.rotas):
            if (on_call := rota.at(rung_at)) and on_call.name in people:
                yield f"dial:{rota.name}"


def _reached(plan: Plan, call: Call) -> str:
    """The contact or the number that took the call."""
    reached = next((dial.target for dial in reversed(call.dials) if dial.answered_at), "")
    rings = (ring for about in plan.about.values() for ring in about.uses.rings)
    redirected = any(ring.whom == reached for ring in rings)
    return f"redirect:{reached}" if redirected else f"dial:{reached}"


class Rehearsing:
    """The call as it goes: one `go_on` for each wait, until it has ended."""

    def __init__(self, plan: Plan, cast: Cast, at: datetime) -> None:
        self.plan = plan
        self.cast = cast
        self.at = at
        self.steps: list[RehearsedStep] = []
        self.inputs: list[inputs.Input] = []
        self.call: Call
        self._pending: tuple[Effect, ...] = ()
        self._waits = 0

    @property
    def pending(self) -> Effect:
        """What the call waits for; only while it has not ended."""
        return self._pending[-1]

    def fork(self, cast: Cast) -> Rehearsing:
        """The same call up to here, which goes on by itself with another cast."""
        other = copy(self)
        other.cast, other.steps, other.inputs = cast, [*self.steps], [*self.inputs]
        return other

    def done(self) -> Rehearsal:
        """What came of it, once the call has ended."""
        outcome = outcome_of(self.plan, self.call)
        return Rehearsal(
            call=self.call,
            steps=tuple(self.steps),
            inputs=tuple(self.inputs),
            outcome=outcome,
            also=frozenset(_other_names(self.plan, self.call, outcome)),
        )

    def take(self, told: str, turn: Turn) -> None:
        """Note what a turn led to."""
        self.call, self._pending = turn.call, turn.effects
        visits = tuple(fact.visit for fact in turn.facts if isinstance(fact, NodeVisited))
        heard = tuple(
            sound for effect in turn.effects if isinstance(effect, Play | CollectDigits) for sound in effect.sounds
        )
        self.steps.append(
            RehearsedStep(told=told, at=self.at, visits=visits, effects=turn.effects, heard=heard, call=turn.call)
        )

    def go_on(self) -> None:
        """Carry out what was asked for, as the cast plays it."""
        effects = self._pending
        last = effects[-1]
        self._waits += 1
        if not isinstance(last, Hangup) and self.cast.hangs_up(self._waits):
            self._pass(_length(last) / 2)
            self.tell("the caller hangs up", inputs.CallerHungUp(at=self.at, cause=16))
            return
        if isinstance(effects[0], Answer):
            self._answer(last)
            if effects == (last,):
                return
        self._perform(last)

    def tell(self, told: str, happened: inputs.Input) -> None:
        """Tell the engine, and note what came of it."""
        self.inputs.append(happened)
        self.take(told, engine.step(self.plan, self.call, happened))

    def _quietly(self, happened: inputs.Input) -> None:
        """Something the engine only takes note of."""
        self.inputs.append(happened)
        self.call = engine.step(self.plan, self.call, happened).call

    def _pass(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def _answer(self, last: Effect) -> None:
        if self.call.clocks.answered_at is None and self._waits == 1:
            self._press(self.cast.ahead())
        self._pass(ANSWERING_SECONDS)
        answered = inputs.CallAnswered(step=self.call.step, at=self.at)
        if isinstance(last, Answer):
            self.tell("answered", answered)
        else:
            self._quietly(answered)

    def _press(self, keys: str) -> None:
        for key in keys:
            self._quietly(inputs.DigitPressed(digit=key, at=self.at))

    def _perform(self, effect: Effect) -> None:
        step = self.call.step
        match effect:
            case Play():
                self._pass(_length(effect))
                self.tell("heard", inputs.PromptEnded(step=step, at=self.at))
            case CollectDigits():
                self._collect(effect)
            case EnterQueue():
                self._queue(effect)
            case Dial():
                self._dial(effect)
            case Record(max_seconds=longest):
                seconds = min(self.cast.speaks(self.call, effect), longest)
                self._pass(seconds)
                outcome = RecordOutcome.FINISHED
                ended = inputs.RecordingEnded(step=step, outcome=outcome, seconds=seconds, at=self.at)
                self.tell(f"speaks {seconds:g} s", ended)
            case LookAtQueues(queues=queues):
                seen = inputs.QueuesSeen(step=step, looks=self.cast.sees(self.call, effect), at=self.at)
                self.tell(f"looks at {', '.join(queues)}", seen)
            case Lookup():
                self._look_up(effect)
            case Hangup():
                self.tell("the call is hung up", inputs.CallerHungUp(at=self.at, cause=effect.cause))

    def _look_up(self, effect: Lookup) -> None:
        values = self.cast.looks_up(self.call, effect)
        if values is None:
            self._pass(effect.timeout_seconds)
            failed = inputs.LookupFailed(step=self.call.step, reason="no answer in time", at=self.at)
            self.tell("the web service does not answer", failed)
            return
        self._pass(LOOKUP_SECONDS)
        self.tell("the web service answers", inputs.LookupDone(step=self.call.step, values=values, at=self.at))

    def _collect(self, effect: CollectDigits) -> None:
        if self.call.digits:
            told, keys = f"has keyed {self.call.digits}", ""
        else:
            keys = self.cast.keys(self.call, effect)
            told = f"keys {keys}" if keys else "keys nothing"
        if keys:
            self._pass(REACTION_SECONDS + KEY_SECONDS * len(keys))
            self._press(keys)
        else:
            self._pass(_length(effect))
        self.tell(told, inputs.CollectEnded(step=self.call.step, at=self.at))

    def _queue(self, effect: EnterQueue) -> None:
        behaviour = self.cast.queue(self.call, effect)
        outcome = behaviour.outcome
        if outcome is QueueOutcome.TIMEOUT or behaviour.after_seconds > effect.max_wait_seconds:
            self._pass(effect.max_wait_seconds)
            outcome = QueueOutcome.TIMEOUT
        elif outcome not in (QueueOutcome.FULL, QueueOutcome.EMPTY):
            self._pass(behaviour.after_seconds)
        if outcome is QueueOutcome.ABANDONED:
            self.tell("the caller hangs up", inputs.CallerHungUp(at=self.at, cause=16))
            return
        told = f"queue {effect.queue}: {outcome}"
        if outcome is QueueOutcome.ANSWERED:
            self._quietly(inputs.AgentAnswered(agent=behaviour.agent, at=self.at))
            self._pass(behaviour.talk_seconds)
            told = f"talks to {behaviour.agent} {behaviour.talk_seconds:g} s"
        self.tell(told, inputs.QueueLeft(step=self.call.step, outcome=outcome, at=self.at))

    def _dial(self, effect: Dial) -> None:
        behaviour = self.cast.dial(self.call, effect)
        outcome = behaviour.outcome
        if outcome is DialOutcome.NO_ANSWER or behaviour.after_seconds > effect.ring_seconds:
            self._pass(effect.ring_seconds)
            outcome = DialOutcome.NO_ANSWER
        else:
            self._pass(behaviour.after_seconds)
        told = f"{' + '.join(effect.numbers)}: {outcome}"
        if outcome is DialOutcome.ANSWERED:
            self._quietly(inputs.LegAnswered(leg=0, at=self.at))
            self._pass(behaviour.talk_seconds)
            told = f"talks to {' + '.join(effect.numbers)} {behaviour.talk_seconds:g} s"
        self.tell(told, inputs.DialEnded(step=self.call.step, outcome=outcome, at=self.at))


def _length(effect: Effect) -> float:
    """How long an effect lasts when nobody interferes, in seconds."""
    match effect:
        case Play(sounds=sounds):
            return sum(sound.seconds for sound in sounds)
        case CollectDigits(sounds=sounds, timeout_seconds=timeout):
            return sum(sound.seconds for sound in sounds) + timeout
        case EnterQueue(max_wait_seconds=seconds) | Dial(ring_seconds=seconds) | Record(max_seconds=seconds):
            return seconds
        case Lookup(timeout_seconds=seconds):
            return seconds
        case _:
            return ANSWERING_SECONDS
