"""All the switch can report about one call, in the past tense.

`step` names the wait a result belongs to (`Call.step` when its effects were handed out), so that a late
result cannot answer a later question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from callrouter.core.call import CallerId, DialOutcome, LegFailure, QueueOutcome, RecordOutcome


class CallOffered(Struct, frozen=True, kw_only=True, gc=False):
    """A new call rings; the only input that `engine.start` takes."""

    call_id: str
    did: str
    caller: CallerId
    diverted_from: str | None = None
    trunk: str = ""
    """By which carrier it came, as the switch calls it; empty: by none, or not known."""
    at: datetime


class CallAnswered(Struct, frozen=True, kw_only=True, gc=False):
    """The Answer we asked for is done."""

    step: int
    at: datetime


class PromptEnded(Struct, frozen=True, kw_only=True, gc=False):
    """The prompts were heard to the end, or a key cut them short."""

    step: int
    at: datetime
    is_sure: bool = True
    """False: the link was away meanwhile, and whether the order for them arrived is not known."""


class DigitPressed(Struct, frozen=True, kw_only=True, gc=False):
    """The caller keyed 0-9, *, #, or A-D, at whatever moment: the one source of digits."""

    digit: str
    at: datetime


class CollectEnded(Struct, frozen=True, kw_only=True, gc=False):
    """Collecting is over, by a key or by silence; the digits themselves came as `DigitPressed`."""

    step: int
    at: datetime


class AgentOffered(Struct, frozen=True, kw_only=True, gc=False):
    """The queue rings an agent for this caller."""

    agent: str
    at: datetime
    queue: str = ""
    """Where the caller waits; empty: the queue that the visit names."""
    leg: str = ""
    """The agent's channel, an opaque reference by which more is heard of it; empty when it is not known."""


class AgentAnswered(Struct, frozen=True, kw_only=True, gc=False):
    """An agent and the caller are connected."""

    agent: str
    at: datetime
    leg: str = ""


LINE_FAILED: Final = frozenset({18, 38, 41, 102})
"""Q.850 causes of a line that ended by itself: its end answers nothing any more (18, of SIP's 408; 102), or the network
failed (38, 41). Asterisk requests a hang-up of such a channel as if somebody had hung up there."""


class LegSign(StrEnum):
    """What is heard of the channel of somebody who was rung for the caller."""

    RANG = "rang"
    """Their telephone rings."""
    UNANSWERED = "unanswered"
    """The ring was given up, or refused."""
    CANCELLED = "cancelled"
    """The ring was taken back."""
    HUNG_UP = "hung_up"
    """They hung up, or their telephone said no."""
    ENDED = "ended"
    """The channel is no more."""
    HELD = "held"
    """They have put the caller on hold."""
    RESUMED = "resumed"


class LegHeard(Struct, frozen=True, kw_only=True, gc=False):
    """Something was heard of a channel that was rung for the caller: at any time, in any order, more than once."""

    leg: str
    sign: LegSign
    at: datetime
    cause: int = 0
    """Q.850; 0: not known."""
    agent: str = ""
    """Whose it is, where the sign says so: then it is an offer, also when its beginning was not heard."""
    queue: str = ""
    rang_seconds: float = 0.0
    """For how long it was rung, where the sign says so."""


class QueueLeft(Struct, frozen=True, kw_only=True, gc=False):
    """The caller is back from the queue: nobody came, or the conversation is over (`ANSWERED`)."""

    step: int
    outcome: QueueOutcome
    at: datetime
    key: str = ""
    """The key by which the caller chose another way (`EXITED`)."""


class LegAnswered(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody of the client's accepted the call and is connected."""

    leg: int
    """Which of those who are rung, from 0."""
    at: datetime
    channel: str = ""
    """Their channel, an opaque reference by which more is heard of it; empty when it is not known."""
    trunk: str = ""
    """By which carrier they were reached, as the switch calls it; empty: by none, or not known."""


class LegFailed(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who was rung could not be reached, and the network says why."""

    failure: LegFailure
    at: datetime


class DialEnded(Struct, frozen=True, kw_only=True, gc=False):
    """The attempt is over: nobody accepted, or the conversation is over (`ANSWERED`)."""

    step: int
    outcome: DialOutcome
    at: datetime


class Transferred(Struct, frozen=True, kw_only=True, gc=False):
    """The agent has given the caller to somebody else, without a word to them first: a blind transfer."""

    step: int
    target: str
    """To whom, as it was keyed or sent: whoever has an agent's telephone decides what stands here."""
    at: datetime
    colleague: str = ""
    """The agent whom `target` means, if it means one."""
    team: str = ""
    """The team's queue that it means, if it means one."""
    foreign: bool = False
    """It was meant for somebody at another PBX."""
    away: bool = False
    """The colleague is logged in nowhere: no telephone of theirs can ring."""


class ConsultationSign(StrEnum):
    """What is heard of a consultation: an agent speaks to somebody, while their caller is on hold."""

    BEGAN = "began"
    """Somebody is rung, or waited for, for the agent."""
    ANSWERED = "answered"
    COMPLETED = "completed"
    """The caller was given to whom the agent spoke to: an announced transfer."""
    GIVEN = "given"
    """The caller was given to whom the agent rang, or waited for, before anybody had answered: the caller waits now."""
    ENDED = "ended"
    """Nobody was reached, or they have parted; the agent has the caller."""


class ConsultationHeard(Struct, frozen=True, kw_only=True, gc=False):
    """Something was heard of an agent's consultation."""

    consultation: str
    """Which one: an opaque reference."""
    sign: ConsultationSign
    at: datetime
    party: str = ""
    """Who is consulted, as the record calls them."""
    agent: str = ""
    """Which agent that is; empty: it is none, or not known yet."""
    queue: str = ""
    """Of a team that is waited for."""
    channel: str = ""
    """Their channel, once they have answered: an opaque reference by which more is heard of it."""


class RecordingEnded(Struct, frozen=True, kw_only=True, gc=False):
    """The message is recorded, or could not be."""

    step: int
    outcome: RecordOutcome
    seconds: float
    """How much of it there is; of one that failed, what its file holds."""
    at: datetime
    heard: bool = True
    """Whether anything in it can be heard."""
    spoken_seconds: float | None = None
    """From the first sound in it to the last; None: nobody knows."""


class RecordingFound(Struct, frozen=True, kw_only=True, gc=False):
    """The recording is over, and nobody goes on from it: the caller hung up, or control is lost. Its file says this."""

    seconds: float
    heard: bool
    at: datetime
    spoken_seconds: float | None = None


class MessageTaken(Struct, frozen=True, kw_only=True, gc=False):
    """Asterisk's fallback had the caller leave a message, as a node of the tree would have. Its file says this."""

    node: str
    recording: str
    began_at: datetime
    seconds: float
    heard: bool
    at: datetime
    spoken_seconds: float | None = None


class RecordingSign(StrEnum):
    """What becomes of the recording of a conversation."""

    PAUSED = "paused"
    """Silence is recorded from then on."""
    RESUMED = "resumed"
    OBJECTED = "objected"
    """By the caller: nothing more is recorded, and the file is deleted."""


class RecordingTold(Struct, frozen=True, kw_only=True, gc=False):
    """The recording of the conversation was paused, resumed or stopped; told twice, it counts once."""

    sign: RecordingSign
    at: datetime
    by: str = ""
    """Who wanted it: an agent, or a principal; empty: the caller, or not known."""


class SupervisionMode(StrEnum):
    """What a supervisor does in a conversation."""

    LISTEN = "listen"
    """They hear both, and nobody hears them."""
    WHISPER = "whisper"
    """The agent hears them, the caller does not."""
    BARGE = "barge"
    """Both hear them."""
    TAKE_OVER = "take_over"
    """They have the caller, in the agent's place."""


class SupervisorTold(Struct, frozen=True, kw_only=True, gc=False):
    """A supervisor has begun to do this in the conversation; their channel's end is heard as any other's."""

    mode: SupervisionMode
    party: str
    """At which telephone."""
    leg: str
    """Their channel, as the switch calls it."""
    at: datetime
    agent: str = ""
    """Whoever is logged in there, or whose telephone it is; empty where it is no agent's."""


class QueueLook(Struct, frozen=True, kw_only=True, gc=False):
    """How a team's line stands at one instant."""

    agents: int
    """Logged in: the queue could ring their telephones, whatever they are doing."""
    free: int
    """Of them, those who would be rung now."""
    waiting: int
    """Callers in the line."""
    talk_seconds: float
    """Running mean of its conversations; 0 while there has been none."""


class QueuesSeen(Struct, frozen=True, kw_only=True, gc=False):
    """How queues stand; one that could not be looked at is missing."""

    step: int
    looks: Mapping[str, QueueLook]
    at: datetime


class LookupDone(Struct, frozen=True, kw_only=True, gc=False):
    """The web service answered, with every field asked for."""

    step: int
    values: Mapping[str, str]
    """By variable: a stranger's words, no longer than asked for."""
    at: datetime


class LookupFailed(Struct, frozen=True, kw_only=True, gc=False):
    """The web service did not answer in time, or not with what was asked for."""

    step: int
    reason: str
    at: datetime


class CommandFailed(Struct, frozen=True, kw_only=True, gc=False):
    """What we asked for could not be done, and the caller is still there."""

    step: int
    reason: str
    at: datetime


class ControlLost(Struct, frozen=True, kw_only=True, gc=False):
    """Asterisk took the call back (its lease ran out, AsyncAGI ended): its fallback serves the caller now."""

    reason: str
    at: datetime
    wait_over: bool = False
    """What the caller waited for has ended, too, and nobody answered."""


class CallerHungUp(Struct, frozen=True, kw_only=True, gc=False):
    """The caller's side is over, by whomever; comes at any instant, more than once, and counts once."""

    at: datetime
    cause: int | None = None
    by_caller: bool | None = True
    """They hung up themselves; False: their channel ended otherwise; None: nobody saw."""
    talked_until: datetime | None = None
    """Since when nobody talked to them any more, where that was not seen; None: the conversation ended with it."""


Result = (
    CallAnswered
    | PromptEnded
    | CollectEnded
    | QueueLeft
    | DialEnded
    | Transferred
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
    | LegHeard
    | ConsultationHeard
    | QueueLeft
    | LegAnswered
    | LegFailed
    | DialEnded
    | Transferred
    | RecordingEnded
    | QueuesSeen
    | RecordingFound
    | MessageTaken
    | RecordingTold
    | SupervisorTold
    | LookupDone
    | LookupFailed
    | CommandFailed
    | ControlLost
    | CallerHungUp
)
"""All that `engine.step` takes."""
