"""Every kind of event that programs outside are told, and its schema: the stream and webhooks send these and no others.

An event is a JSON object whose `event` names its kind. One about a call holds the whole card of the call, as it stood
right after, so that a reader need not remember anything: the last card is the call. Instants are UTC, durations
seconds, numbers E.164 where they could be read.

A kind may get more fields with a release, and there may be more kinds: readers ignore what they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from callrouter.core.agents.standing import LOGGED_OUT, WRAP_UP, AgentState
from callrouter.core.call import CallerId, CallState, Disposition, OfferOutcome, QueueOutcome
from callrouter.core.inputs import ConsultationSign


class PhoneState(StrEnum):
    """What Asterisk knows of an agent's telephone (`Status` of QueueMemberStatus)."""

    IDLE = "idle"
    RINGING = "ringing"
    IN_USE = "in_use"
    ON_HOLD = "on_hold"
    UNREACHABLE = "unreachable"
    """Not registered, or it does not answer Asterisk's OPTIONS."""
    UNKNOWN = "unknown"


class CallCard(Struct, frozen=True, kw_only=True, gc=False):
    """A call as it stands: what a screen shows of it."""

    call_id: str
    client: str
    client_name: str
    did: str
    """The number the caller dialled."""
    caller: CallerId
    """`number` is null when it is withheld or not known."""
    diverted_from: str | None
    state: CallState
    node: str
    """Where in the tree it is."""
    path: list[str]
    """The nodes it passed, the present one last."""
    variables: Mapping[str, str]
    """What the tree knows: keyed in, looked up, set."""
    queues: list[str]
    """Queues it is or was in, the present one last."""
    brief: str
    """What the agent is whispered before they are connected (the answer phrase); empty outside of a queue."""
    ringing_at: datetime
    waiting_since: datetime | None
    """Since when it waits in the present queue."""
    waiting_seconds: float
    """How long it has waited for a human in all, menus in between excluded, up to `at` of the event."""
    offered_to: list[str]
    """Agents whose telephones ring for it now."""
    agent: str | None
    """Who talks to the caller, or did last."""


class AgentCard(Struct, frozen=True, kw_only=True, gc=False):
    """An agent as the PBX has them; one without a queue is rung for none."""

    agent: str
    state: AgentState
    """By their places in queues and pauses there (`agent_state`)."""
    phone: PhoneState
    queues: list[str]
    """Those whose member the agent is."""
    paused_in: list[str]
    """Those of them in which the agent is paused."""
    reason: str
    """Of the pause; empty without one."""
    since: datetime
    """Since when it is so, as far as this engine knows."""


def agent_state(queues: Sized, paused_in: Sized, reason: str) -> AgentState:
    """What an agent is doing, as far as queues show it: who is logged out has left them, or is paused for that."""
    if not queues or reason == LOGGED_OUT:
        return AgentState.LOGGED_OUT
    if len(paused_in) < len(queues):
        return AgentState.READY
    return AgentState.WRAP_UP if reason == WRAP_UP else AgentState.PAUSED


class Event(Struct, frozen=True, kw_only=True, tag_field="event", gc=False):
    """What all have in common."""

    at: datetime
    """When it happened; one that was learnt late is dated to when Asterisk saw it."""


class CallEvent(Event, frozen=True, kw_only=True, gc=False):
    """What all about a call have in common."""

    call: CallCard


class CallArrived(CallEvent, frozen=True, kw_only=True, tag="call.arrived", gc=False):
    """A call rings, and its tree begins."""


class CallWaiting(CallEvent, frozen=True, kw_only=True, tag="call.waiting", gc=False):
    """The caller waits in a queue from now on."""

    queue: str


class CallOffered(CallEvent, frozen=True, kw_only=True, tag="call.offered", gc=False):
    """An agent's telephone begins to ring for the caller: a screen can pop up."""

    queue: str
    agent: str


class OfferEnded(CallEvent, frozen=True, kw_only=True, tag="offer.ended", gc=False):
    """An agent's telephone does not ring for the caller any more; told again where more is learnt of the outcome."""

    queue: str
    agent: str
    outcome: OfferOutcome


class CallAnswered(CallEvent, frozen=True, kw_only=True, tag="call.answered", gc=False):
    """The caller talks to somebody."""

    agent: str | None
    """The agent; null when it is somebody of the client's."""
    contact: str | None
    """Whom of the client's, as the tree calls them; null for an agent."""


class CallSupervised(CallEvent, frozen=True, kw_only=True, tag="call.supervised", gc=False):
    """A supervisor is in the conversation, does something else there, or has left; no agent's view shows it."""

    phone: str
    """At which telephone."""
    mode: str
    """`listen`, `whisper`, `barge` or `take_over`; empty: they have left."""


class RecordingChanged(CallEvent, frozen=True, kw_only=True, tag="recording.changed", gc=False):
    """The recording of the conversation began, was paused, resumed or objected to, or is over."""

    recording: str
    """Its sound will be at /api/recordings/<recording>/audio."""
    state: str
    """`running`, `paused`, `over` or `objected`."""


class CallTransferred(CallEvent, frozen=True, kw_only=True, tag="call.transferred", gc=False):
    """An agent has given the caller to somebody else, or wanted to: then they come back to the agent."""

    by: str
    """The agent; empty when it is not known."""
    target: str
    """To whom, as it was keyed or sent."""
    refusal: str
    """Why not, for a person; empty when it was done."""


class CallHeld(CallEvent, frozen=True, kw_only=True, tag="call.held", gc=False):
    """An agent has put the caller on hold, or has taken them back."""

    agent: str
    on_hold: bool


class ConsultationChanged(CallEvent, frozen=True, kw_only=True, tag="call.consulted", gc=False):
    """An agent whose caller is on hold rings somebody (`began`), speaks to them (`answered`), or has parted from them
    (`ended`); `call.transferred` follows where they have the caller then."""

    agent: str
    """Who consults."""
    party: str
    """Whom: an agent, a team's queue, or a contact."""
    sign: ConsultationSign


class QueueLeft(CallEvent, frozen=True, kw_only=True, tag="queue.left", gc=False):
    """A stay in a queue is over, after a conversation or without one."""

    queue: str
    outcome: QueueOutcome
    agent: str | None
    offers: int
    """How often an agent's telephone rang for it."""
    waited_seconds: float
    talked_seconds: float


class MessageTaken(CallEvent, frozen=True, kw_only=True, tag="message.taken", gc=False):
    """The caller has left a voice message, or the tree has filled in a form for them."""

    recording: str
    """Its sound is at /api/recordings/<recording>/audio; empty: it is a form."""
    deliver: str
    """The contact it is meant for; empty: none is named."""
    seconds: float
    message_id: str = ""
    """It is at /api/messages/<message_id> from an instant later on."""
    form: str = ""
    """The client's form that was filled in; empty: it is spoken."""
    urgent: bool = False
    """By its form."""


class CallbackAsked(CallEvent, frozen=True, kw_only=True, tag="callback.asked", gc=False):
    """The caller wants to be called back."""

    number: str
    node: str


class CallAbandoned(CallEvent, frozen=True, kw_only=True, tag="call.abandoned", gc=False):
    """The caller entered human service, and gave up before anybody answered; `call.ended` follows at once."""


class CallEnded(CallEvent, frozen=True, kw_only=True, tag="call.ended", gc=False):
    """The call is over."""

    disposition: Disposition | None
    talked_seconds: float
    hangup_cause: int | None
    """Q.850."""


class CallNotified(Event, frozen=True, kw_only=True, tag="call.notify", gc=False):
    """A `notify` node tells a client's own web service (`core.nodes.notify` writes it); the stream does not send it."""

    node: str
    call_id: str
    client: str
    did: str
    caller: CallerId
    data: Mapping[str, str]
    """What the node says to send: a variable that is not set is left out."""


class RecordEvent(Event, frozen=True, kw_only=True, gc=False):
    """What all have in common that the record knows, and no engine: web tells them (`stream.recorded`)."""

    client: str
    """By its present identifier."""


class MessageEvent(RecordEvent, frozen=True, kw_only=True, gc=False):
    """What all about a message that is in the record have in common."""

    message_id: str
    """It is at /api/messages/<message_id>: nothing of what was said is told here."""
    call_id: str | None
    """Null: it was taken without a call."""
    deliver: str
    """The contact it is meant for; empty: none is named."""
    urgent: bool


class MessageWritten(MessageEvent, frozen=True, kw_only=True, tag="message.written", gc=False):
    """Somebody has taken a message: an agent, or another system; of what a call's tree takes `message.taken` tells."""

    taken_by: str
    """Who: a principal."""
    form: str
    """The client's form that was filled in; empty: none."""


class MessageAcknowledged(MessageEvent, frozen=True, kw_only=True, tag="message.acknowledged", gc=False):
    """Somebody took a message on, or it is done: nobody else is told of it."""

    acknowledged_by: str
    """Contact or principal."""


class MessageOverdue(MessageEvent, frozen=True, kw_only=True, tag="message.overdue", gc=False):
    """A message stands on the agents' list: nobody has acknowledged it in time, or nobody could be told, or it was
    opened again."""

    reason: str


class CallbackSettled(RecordEvent, frozen=True, kw_only=True, tag="callback.settled", gc=False):
    """A wish to be called back is settled."""

    call_id: str
    position: int
    """1 for the first wish of the call."""
    number: str
    settled_by: str | None
    """How: as /api/callbacks has it."""


class DayFigures(RecordEvent, frozen=True, kw_only=True, tag="day.figures", gc=False):
    """A day is over: at 00:15 by the client's clock; told again where the figures have changed."""

    day: str
    """YYYY-MM-DD, by the client's own clocks."""
    timezone: str
    revision: int
    """1 the first time; one more whenever they have changed."""
    figures: Mapping[str, Any]
    """What /api/stats has of the client for that day."""


class AgentChanged(Event, frozen=True, kw_only=True, tag="agent.changed", gc=False):
    """An agent's telephone, pause or queues are not as before."""

    agent: AgentCard
    left: list[str] = []
    """Queues whose member the agent was until now."""


class ObservationLost(Event, frozen=True, kw_only=True, tag="observation.lost", gc=False):
    """The engine does not hear Asterisk any more: what is shown may be old, and calls may be missing."""

    reason: str


class ObservationResumed(Event, frozen=True, kw_only=True, tag="observation.resumed", gc=False):
    """The engine hears Asterisk again; what it missed follows, as far as it can be learnt."""


class Snapshot(Event, frozen=True, kw_only=True, tag="snapshot", gc=False):
    """All there is at this moment: forget what was shown before. The events after it go on from here."""

    observing: bool
    """False: the engine does not hear Asterisk, so this may be old."""
    calls: list[CallCard]
    agents: list[AgentCard]


class EngineAway(Event, frozen=True, kw_only=True, tag="engine.away", gc=False):
    """The engine cannot be heard: what is shown may be old. A snapshot follows when it can. It has no id."""

    reason: str


StreamEvent = (
    CallArrived
    | CallWaiting
    | CallOffered
    | OfferEnded
    | CallAnswered
    | CallSupervised
    | RecordingChanged
    | CallTransferred
    | CallHeld
    | ConsultationChanged
    | QueueLeft
    | MessageTaken
    | CallbackAsked
    | CallAbandoned
    | CallEnded
    | MessageWritten
    | MessageAcknowledged
    | MessageOverdue
    | CallbackSettled
    | DayFigures
    | AgentChanged
    | ObservationLost
    | ObservationResumed
    | Snapshot
    | EngineAway
)


def kind_of(event: Event | type[Event]) -> str:
    """Its name."""
    return str(event.__struct_config__.tag)


KINDS: Final[Mapping[str, type[Event]]] = {kind_of(kind): kind for kind in (*get_args(StreamEvent), CallNotified)}
"""By name."""
OF_CALLS: Final = frozenset(name for name, kind in KINDS.items() if issubclass(kind, CallEvent))
"""Those which a web service can have sent, whatever tree a call walks."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StreamEvent)


def encode(event: Event) -> bytes:
    """An event as one line of JSON. A half of a surrogate pair, which a caller's name may hold, becomes `?`."""
    try:
        return _encoder.encode(event)
    except UnicodeEncodeError:
        return _encoder.encode(_readable(msgspec.to_builtins(event)))


def decode(data: bytes) -> StreamEvent:
    """An event of the engine's.

    Raises:
        ValueError: it is none of this release.
    """
    try:
        event: StreamEvent = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    return event


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every kind."""
    written = msgspec.json.schema(StreamEvent | CallNotified)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **written}


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_readable(key): _readable(inner) for key, inner in value.items()}
    return [_readable(inner) for inner in value] if isinstance(value, list) else value
