"""What happens at a wait once it is decided: what the engine is told, and how long it takes."""

from __future__ import annotations

from datetime import datetime, timedelta

from callrouter.core import inputs
from callrouter.core.call import Call, DialOutcome, QueueOutcome, RecordOutcome
from callrouter.core.effects import (
    Answer,
    CollectDigits,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    LookAtQueues,
    Lookup,
    Play,
    Record,
)
from callrouter.dialplan.documents.expected_file import FAILED
from callrouter.questions.decisions import (
    KEYS,
    MESSAGE,
    Decided,
    Decision,
    Decisions,
    decisions_of,
    outcome_of_dial,
)
from callrouter.questions.examples import ORDINARY_ANSWER, QUIET

Happening = tuple[str, list[inputs.Input]]
"""What happens, for a person, and what the engine is told of it; the last input ends the wait."""

ANSWERING_SECONDS = 0.02
AGENT_SECONDS, CONTACT_SECONDS, LOOKUP_SECONDS = 10.0, 5.0, 0.2
"""Until an agent, somebody who is rung, or a web service answers; the first two sooner where they are given less."""
TALK_SECONDS = 60.0
KEY_SECONDS = 0.3
"""From one key to the next."""
REACTION_SECONDS = 1.0
"""From the beginning of a question to the first key: callers who know the menu do not hear it out."""


def happens(decisions: Decisions, call: Call, wait: Effect, at: datetime, decided: Decided) -> Happening:
    """What a decided wait tells a person, and the engine: the last input ends the wait."""
    step = call.step
    match wait:
        case Answer():
            return "answered", [inputs.CallAnswered(step=step, at=_after(at, ANSWERING_SECONDS))]
        case Play():
            return "heard", [inputs.PromptEnded(step=step, at=_after(at, longest_seconds(wait)))]
        case CollectDigits():
            return _keyed(decisions, call, wait, at, decided)
        case EnterQueue():
            return _in_queue(step, wait, at, str(decided[Decision("queue", wait.queue)]))
        case Dial():
            return _rung(step, wait, at, decided)
        case Record(max_seconds=longest):
            seconds = min(float(str(decided[MESSAGE])), longest)
            ended = inputs.RecordingEnded(
                step=step, outcome=RecordOutcome.FINISHED, seconds=seconds, at=_after(at, seconds)
            )
            return f"speaks {seconds:g} s", [ended]
        case LookAtQueues(queues=queues):
            seen = inputs.QueuesSeen(step=step, looks=_looks(queues, decided), at=at)
            return f"looks at {', '.join(queues)}", [seen]
        case Lookup():
            return _looked_up(step, wait, at, decided)
        case Hangup(cause=cause):
            return "the call is hung up", [inputs.CallerHungUp(at=at, cause=cause)]


def _keyed(decisions: Decisions, call: Call, wait: CollectDigits, at: datetime, decided: Decided) -> Happening:
    keys = "" if call.digits else decisions.keys(call, wait, str(decided[KEYS]))
    at = _after(at, REACTION_SECONDS + KEY_SECONDS * len(keys) if keys else longest_seconds(wait))
    told = f"has keyed {call.digits}" if call.digits else f"keys {keys or 'nothing'}"
    pressed = [inputs.DigitPressed(digit=key, at=at) for key in keys]
    return told, [*pressed, inputs.CollectEnded(step=call.step, at=at)]


def _looks(queues: tuple[str, ...], decided: Decided) -> dict[str, inputs.QueueLook]:
    """By queue: one that is not asked for is quiet, one that cannot be looked at is missing."""
    looks = ((queue, decided.get(Decision("look", queue), QUIET)) for queue in queues)
    return {queue: look for queue, look in looks if isinstance(look, inputs.QueueLook)}


def _in_queue(step: int, wait: EnterQueue, at: datetime, decided: str) -> Happening:
    outcome = QueueOutcome(decided)
    if outcome is QueueOutcome.TIMEOUT:
        at = _after(at, wait.max_wait_seconds)
    elif outcome not in (QueueOutcome.FULL, QueueOutcome.EMPTY):
        at = _after(at, min(AGENT_SECONDS, wait.max_wait_seconds))
    if outcome is QueueOutcome.ABANDONED:
        return "the caller hangs up", [inputs.CallerHungUp(at=at, cause=16)]
    if outcome is not QueueOutcome.ANSWERED:
        return f"queue {wait.queue}: {outcome}", [inputs.QueueLeft(step=step, outcome=outcome, at=at)]
    told = f"talks to agent {TALK_SECONDS:g} s"
    left = inputs.QueueLeft(step=step, outcome=outcome, at=_after(at, TALK_SECONDS))
    return told, [inputs.AgentAnswered(agent="agent", at=at), left]


def _rung(step: int, wait: Dial, at: datetime, decided: Decided) -> Happening:
    outcome = DialOutcome(outcome_of_dial(wait, decided))
    numbers = " + ".join(wait.numbers)
    rings = wait.ring_seconds
    at = _after(at, rings if outcome is DialOutcome.NO_ANSWER else min(CONTACT_SECONDS, rings))
    if outcome is not DialOutcome.ANSWERED:
        return f"{numbers}: {outcome}", [inputs.DialEnded(step=step, outcome=outcome, at=at)]
    ended = inputs.DialEnded(step=step, outcome=outcome, at=_after(at, TALK_SECONDS))
    return f"talks to {numbers} {TALK_SECONDS:g} s", [inputs.LegAnswered(leg=0, at=at), ended]


def _looked_up(step: int, wait: Lookup, at: datetime, decided: Decided) -> Happening:
    whether, *answers = decisions_of(wait)
    if decided[whether] == FAILED:
        at = _after(at, wait.timeout_seconds)
        failed = inputs.LookupFailed(step=step, reason="no answer in time", at=at)
        return "the web service does not answer", [failed]
    values = {answer.of: str(decided.get(answer, ORDINARY_ANSWER)) for answer in answers}
    done = inputs.LookupDone(step=step, values=values, at=_after(at, LOOKUP_SECONDS))
    return "the web service answers", [done]


def _after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def longest_seconds(wait: Effect) -> float:
    """How long a wait lasts when nobody interferes."""
    match wait:
        case Play(sounds=sounds):
            return sum([sound.seconds for sound in sounds])
        case CollectDigits(sounds=sounds, timeout_seconds=timeout):
            return sum([sound.seconds for sound in sounds]) + timeout
        case EnterQueue(max_wait_seconds=seconds) | Dial(ring_seconds=seconds) | Record(max_seconds=seconds):
            return seconds
        case Lookup(timeout_seconds=seconds):
            return seconds
        case Answer() | LookAtQueues() | Hangup():
            return ANSWERING_SECONDS
