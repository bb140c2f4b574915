"""What happens at a wait once it is decided: what the engine is told, and how long it takes."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

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
    ANSWERED,
    KEYS,
    MESSAGE,
    Decided,
    Decision,
    Decisions,
    decisions_of,
    key_pressed,
    words_of,
)
from callrouter.questions.examples import ORDINARY_ANSWER, QUIET


class Happening(Struct, frozen=True):
    """What happens at a wait."""

    told: str
    """What a rehearsed call says of it: `keys 2`."""
    inputs: list[inputs.Input]
    """What the engine is told; the last one ends the wait."""
    done: str = ""
    """What the caller or the others do, as the way to an outcome says it: `presses 2`; empty: nothing was decided."""


ANSWERING_SECONDS = 0.02
AGENT_SECONDS, CONTACT_SECONDS, LOOKUP_SECONDS = 10.0, 5.0, 0.2
"""Until an agent, somebody who is rung, or a web service answers; the first two sooner where they are given less."""
TALK_SECONDS = 60.0
KEY_SECONDS = 0.3
"""From one key to the next."""
REACTION_SECONDS = 1.0
"""From the beginning of a question to the first key: callers who know the menu do not hear it out."""


def happens(decisions: Decisions, call: Call, wait: Effect, at: datetime, decided: Decided) -> Happening:
    """What happens at a decided wait."""
    step = call.step
    match wait:
        case Answer():
            return Happening("answered", [inputs.CallAnswered(step=step, at=_after(at, ANSWERING_SECONDS))])
        case Play():
            return Happening("heard", [inputs.PromptEnded(step=step, at=_after(at, longest_seconds(wait)))])
        case CollectDigits():
            return _keyed(decisions, call, wait, at, decided)
        case EnterQueue() if key := key_pressed(wait, decided):
            at = _after(at, min(AGENT_SECONDS, wait.max_wait_seconds))
            left = inputs.QueueLeft(step=step, outcome=QueueOutcome.EXITED, at=at, key=key)
            return Happening(f"keys {key}", [left], f"presses {key} in queue {wait.queue}")
        case EnterQueue():
            return _in_queue(step, wait, at, str(decided[Decision("queue", wait.queue)]))
        case Dial():
            return _rung(step, wait, at, decided)
        case Record(max_seconds=longest):
            seconds = min(float(str(decided[MESSAGE])), longest)
            ended = inputs.RecordingEnded(
                step=step, outcome=RecordOutcome.FINISHED, seconds=seconds, at=_after(at, seconds)
            )
            done = "leaves a message" if seconds else "says nothing after the beep"
            return Happening(f"speaks {seconds:g} s", [ended], done)
        case LookAtQueues(queues=queues):
            seen = inputs.QueuesSeen(step=step, looks=_looks(queues, decided), at=at)
            done = ", ".join(f"queue {one} {words_of(decided.get(Decision('look', one), QUIET))}" for one in queues)
            return Happening(f"looks at {', '.join(queues)}", [seen], done if decided else "")
        case Lookup():
            return _looked_up(step, wait, at, decided)
        case Hangup(cause=cause):
            return Happening("the call is hung up", [inputs.CallerHungUp(at=at, cause=cause)])


def _keyed(decisions: Decisions, call: Call, wait: CollectDigits, at: datetime, decided: Decided) -> Happening:
    keys = "" if call.digits else decisions.keys(call, wait, str(decided[KEYS]))
    at = _after(at, REACTION_SECONDS + KEY_SECONDS * len(keys) if keys else longest_seconds(wait))
    happened: list[inputs.Input] = [inputs.DigitPressed(digit=key, at=at) for key in keys]
    happened.append(inputs.CollectEnded(step=call.step, at=at))
    if call.digits:
        return Happening(f"has keyed {call.digits}", happened)
    return Happening(f"keys {keys or 'nothing'}", happened, f"presses {keys or 'nothing'}")


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
    done = _reached(f"queue {wait.queue}", outcome)
    if outcome is QueueOutcome.ABANDONED:
        return Happening("the caller hangs up", [inputs.CallerHungUp(at=at, cause=16)], done)
    if outcome is not QueueOutcome.ANSWERED:
        left = inputs.QueueLeft(step=step, outcome=outcome, at=at)
        return Happening(f"queue {wait.queue}: {outcome}", [left], done)
    left = inputs.QueueLeft(step=step, outcome=outcome, at=_after(at, TALK_SECONDS))
    return Happening(f"talks to agent {TALK_SECONDS:g} s", [inputs.AgentAnswered(agent="agent", at=at), left], done)


def _rung(step: int, wait: Dial, at: datetime, decided: Decided) -> Happening:
    # Of several who are rung at once: somebody answers, or what the first of them does.
    known = [str(decided[decision]) for decision in decisions_of(wait) if decision in decided]
    outcome = DialOutcome(ANSWERED if ANSWERED in known else known[0])
    numbers = " + ".join(wait.numbers)
    done = _reached(" + ".join(wait.names or wait.numbers), outcome)
    rings = wait.ring_seconds
    at = _after(at, rings if outcome is DialOutcome.NO_ANSWER else min(CONTACT_SECONDS, rings))
    if outcome is not DialOutcome.ANSWERED:
        return Happening(f"{numbers}: {outcome}", [inputs.DialEnded(step=step, outcome=outcome, at=at)], done)
    ended = inputs.DialEnded(step=step, outcome=outcome, at=_after(at, TALK_SECONDS))
    return Happening(f"talks to {numbers} {TALK_SECONDS:g} s", [inputs.LegAnswered(leg=0, at=at), ended], done)


def _reached(whom: str, outcome: str) -> str:
    return f"{whom} answers" if outcome == ANSWERED else f"{whom}: {outcome.replace('_', ' ')}"


def _looked_up(step: int, wait: Lookup, at: datetime, decided: Decided) -> Happening:
    whether, *answers = decisions_of(wait)
    if decided[whether] == FAILED:
        at = _after(at, wait.timeout_seconds)
        failed = inputs.LookupFailed(step=step, reason="no answer in time", at=at)
        return Happening("the web service does not answer", [failed], "the web service fails")
    values = {answer.of: str(decided.get(answer, ORDINARY_ANSWER)) for answer in answers}
    found = inputs.LookupDone(step=step, values=values, at=_after(at, LOOKUP_SECONDS))
    unusual = ", ".join(f"{name} = {value}" for name, value in values.items() if value != ORDINARY_ANSWER)
    return Happening("the web service answers", [found], f"the web service answers {unusual}".strip())


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
