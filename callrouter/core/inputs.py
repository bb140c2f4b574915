"""All the switch can tell us about one call, in the past tense.

`step` names the wait a result belongs to (`Call.step` when its effects were handed out), so that a late
result cannot answer a later question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from callrouter.core.call import CallerId, DialOutcome, QueueOutcome, RecordOutcome
from callrouter.core.frozen import frozen


@frozen(slots=True)
class CallOffered:
    """A new call rings; the only input that `engine.start` takes."""

    call_id: str
    did: str
    caller: CallerId
    diverted_from: str | None = None
    at: datetime


@frozen(slots=True)
class CallAnswered:
    """The Answer we asked for is done."""

    step: int
    at: datetime


@frozen(slots=True)
class PromptEnded:
    """The prompts were heard to the end, or a key cut them short."""

    step: int
    at: datetime


@frozen(slots=True)
class DigitPressed:
    """The caller keyed 0-9, *, #, or A-D, at whatever moment: the one source of digits."""

    digit: str
    at: datetime


@frozen(slots=True)
class CollectEnded:
    """Collecting is over, by a key or by silence; the digits themselves came as `DigitPressed`."""

    step: int
    at: datetime


@frozen(slots=True)
class AgentOffered:
    """The queue rings an agent for this caller."""

    agent: str
    at: datetime


@frozen(slots=True)
class AgentAnswered:
    """An agent and the caller are connected."""

    agent: str
    at: datetime


@frozen(slots=True)
class QueueLeft:
    """The caller is back from the queue: nobody came, or the conversation is over (`ANSWERED`)."""

    step: int
    outcome: QueueOutcome
    at: datetime
    key: str = ""
    """The key by which the caller chose another way (`EXITED`)."""


@frozen(slots=True)
class LegAnswered:
    """Somebody of the client's accepted the call and is connected."""

    leg: int
    at: datetime


@frozen(slots=True)
class DialEnded:
    """The attempt is over: nobody accepted, or the conversation is over (`ANSWERED`)."""

    step: int
    outcome: DialOutcome
    at: datetime


@frozen(slots=True)
class RecordingEnded:
    """The message is recorded, or could not be."""

    step: int
    outcome: RecordOutcome
    seconds: float
    at: datetime


@frozen(slots=True)
class QueueLook:
    """How a team's line stands at one instant."""

    agents: int
    """Logged in: the queue could ring their telephones, whatever they are doing."""
    free: int
    """Of them, those who would be rung now."""
    waiting: int
    """Callers in the line."""
    talk_seconds: float
    """Running mean of its conversations; 0 while there has been none."""


@frozen(slots=True)
class QueuesSeen:
    """How queues stand; one that could not be looked at is missing."""

    step: int
    looks: Mapping[str, QueueLook]
    at: datetime


@frozen(slots=True)
class LookupDone:
    """The web service answered, with every field asked for."""

    step: int
    values: Mapping[str, str]
    """By variable: a stranger's words, no longer than asked for."""
    at: datetime


@frozen(slots=True)
class LookupFailed:
    """The web service did not answer in time, or not with what was asked for."""

    step: int
    reason: str
    at: datetime


@frozen(slots=True)
class CommandFailed:
    """What we asked for could not be done, and the caller is still there."""

    step: int
    reason: str
    at: datetime


@frozen(slots=True)
class ControlLost:
    """Asterisk took the call back (its lease ran out, AsyncAGI ended): its fallback serves the caller now."""

    reason: str
    at: datetime


@frozen(slots=True)
class CallerHungUp:
    """The caller's side is over, by whomever; comes at any instant, more than once, and counts once."""

    at: datetime
    cause: int | None = None


Result = (
    CallAnswered
    | PromptEnded
    | CollectEnded
    | QueueLeft
    | DialEnded
    | RecordingEnded
    | QueuesSeen
    | LookupDone
    | LookupFailed
    | CommandFailed
)
"""What ends a wait; carries the wait's `step`."""

Input = (
    CallAnswered
    | PromptEnded
    | DigitPressed
    | CollectEnded
    | AgentOffered
    | AgentAnswered
    | QueueLeft
    | LegAnswered
    | DialEnded
    | RecordingEnded
    | QueuesSeen
    | LookupDone
    | LookupFailed
    | CommandFailed
    | ControlLost
    | CallerHungUp
)
"""All that `engine.step` takes."""
