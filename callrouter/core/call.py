"""One call (a caller's visit, a *journey*) as frozen values.

Everything a successor process needs to go on with a call stands in `Call`; nothing else is kept about it.
Instants are aware UTC datetimes, durations are seconds.

Values, inputs, effects and facts are structs of msgspec's, not dataclasses: a step makes some thirty of them, and a
frozen dataclass takes ten times as long to make. The collector leaves them alone (`gc=False`): what cannot be changed
once it is made cannot be part of a circle.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

if TYPE_CHECKING:
    from dataclasses import replace as replace  # the same, but mypy checks what is changed
else:
    from msgspec.structs import replace as replace

DEFAULT_PBX = "pbx-1"
"""What a PBX is called while nobody has named it; that of every row from before PBXs had names."""
MAX_CALLBACKS = 2
"""Times one caller may ask to be called back in one call."""


class Presentation(StrEnum):
    """Whether a caller's number is shown, and if not, why, as far as the trunk says it.

    Since 2026-01-01 French operators hide numbers of mobiles that they cannot authenticate, and a forwarding often
    strips what authenticates: of a caller without a number it must not be concluded that they hide it.
    """

    ALLOWED = "allowed"
    WITHHELD = "withheld"
    """The trunk says that the caller does not want to be shown."""
    UNAUTHENTICATED = "unauthenticated"
    """It says that the number could not be authenticated."""
    UNAVAILABLE = "unavailable"
    """There is no number, and it does not say why."""


WITHOUT_NUMBER = (Presentation.WITHHELD, Presentation.UNAUTHENTICATED, Presentation.UNAVAILABLE)
"""Why a caller's number is not shown."""


class CallerId(Struct, frozen=True, kw_only=True, gc=False):
    """What is shown of the caller: hostile text until encoded for the place it goes to."""

    number: str | None = None
    """E.164 when it could be normalised, else the digits as received; None when withheld or unavailable."""
    name: str = ""
    presentation: Presentation = Presentation.ALLOWED

    @property
    def without_number(self) -> Presentation | None:
        """Why no number is shown; None when one is."""
        if self.presentation is Presentation.ALLOWED:
            return Presentation.UNAVAILABLE if self.number is None else None
        return self.presentation


class Disposition(StrEnum):
    """The one final outcome of a journey; received = the sum of them, always."""

    ANSWERED = "answered"
    """Bridged to an agent."""
    REDIRECTED = "redirected"
    """Bridged to someone of the client's."""
    MESSAGE_LEFT = "message_left"
    """Left a message, and nobody was reached: a recording, or a number to be called back at. A journey that overflowed
    first is this and not also a lost call; its queue visit keeps its own outcome (`timeout`, `full`, `empty`)."""
    SELF_SERVED = "self_served"
    """Heard what they called for, and the tree ended."""
    ABANDONED = "abandoned"
    """Entered human service and was over before anybody answered."""
    LEFT_EARLY = "left_early"
    """The caller hung up before entering human service."""
    REJECTED = "rejected"
    """Filtered."""
    FAILED = "failed"
    """Our fault or the line's."""


class CallState(StrEnum):
    """What the call is doing; `lifecycle` holds the table of what each state admits."""

    OFFERED = "offered"
    ANSWERING = "answering"
    PLAYING = "playing"
    COLLECTING = "collecting"
    QUEUED = "queued"
    DIALLING = "dialling"
    CONNECTED = "connected"
    RECORDING = "recording"
    CONSULTING = "consulting"
    """Somebody else is asked: how a queue stands, or what a web service knows."""
    HANGING_UP = "hanging_up"
    ADRIFT = "adrift"
    """Asterisk's own fallback has it: we watch, and command nothing."""
    ENDED = "ended"


class QueueOutcome(StrEnum):
    """How a visit to a queue ended: entered = the sum of these."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    FULL = "full"
    EMPTY = "empty"
    EXITED = "exited"
    FAILED = "failed"

    @property
    def overflowed(self) -> bool:
        """The queue gave up: time-out, full, or nobody logged in."""
        return self in (QueueOutcome.TIMEOUT, QueueOutcome.FULL, QueueOutcome.EMPTY)


class DialOutcome(StrEnum):
    """How an attempt to reach somebody by telephone ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    """Somebody or something answered, but did not press the key that accepts."""
    UNAVAILABLE = "unavailable"
    ABANDONED = "abandoned"
    FAILED = "failed"


class OfferOutcome(StrEnum):
    """How the offer of a caller to an agent ended."""

    ANSWERED = "answered"
    RANG_OUT = "rang_out"
    """Their telephone rang until the queue gave it up."""
    REFUSED = "refused"
    """They, or their telephone, said no: rejected, busy, sent elsewhere, or picked up and put down at the whisper."""
    CALLER_LEFT = "caller_left"
    """The caller hung up, or chose another way, while it rang."""
    ELSEWHERE = "elsewhere"
    """Another agent was quicker."""
    PHONE_FAILED = "phone_failed"
    """Their telephone never rang: it did not answer, or its network failed."""


class LegPurpose(StrEnum):
    """What a party's side of a call is for."""

    CALLER = "caller"
    AGENT = "agent"
    CONTACT = "contact"
    CONSULTATION = "consultation"
    CALLBACK = "callback"
    DELIVERY = "delivery"
    SUPERVISION = "supervision"
    """A supervisor who listens, whispers or has barged in: neither answer nor wait nor talk of the call."""


WITHOUT_TALK = frozenset({LegPurpose.CALLER, LegPurpose.SUPERVISION})
"""Legs whose time is not that of a conversation."""


class LegDirection(StrEnum):
    """Who called whom."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class EndedBy(StrEnum):
    """Who hung up first."""

    CALLER = "caller"
    AGENT = "agent"
    CONTACT = "contact"
    SYSTEM = "system"
    """Nobody on the telephone: the tree, Asterisk, or a line that failed."""


class RecordOutcome(StrEnum):
    """How the recording of a message ended."""

    FINISHED = "finished"
    """By a key, by silence or at the longest allowed time."""
    HUNG_UP = "hung_up"
    FAILED = "failed"


class Clocks(Struct, frozen=True, kw_only=True, gc=False):
    """The five clocks of a journey, and its end. Every report names the one its waiting time starts from."""

    ringing_at: datetime
    answered_at: datetime | None = None
    """The engine answered."""
    entered_service_at: datetime | None = None
    """First entry into a queue, or first dial: from here on a human is owed."""
    offered_at: datetime | None = None
    """First offer to an agent (each offer stands in its queue visit)."""
    bridged_at: datetime | None = None
    """First bridge to a human."""
    ended_at: datetime | None = None


class Visit(Struct, frozen=True, kw_only=True, gc=False):
    """One passage through a node: which exit, and the value that decided it."""

    node: str
    exit: str
    because: str
    at: datetime


GIVEN_BACK: Final = "given back"
"""The exit of a node at which a caller came back, because whom an agent gave them to is not there."""
TAKEN_OVER: Final = "taken over"
"""The exit of a stamp in the trace: from then on another engine had the call."""


def _between(since: datetime, until: datetime) -> float:
    """Seconds from one instant to the other; 0 where the system clock was set back in between."""
    seconds = (until - since).total_seconds()
    return max(0.0, seconds)


def _after(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other


class QueueVisit(Struct, frozen=True, kw_only=True, gc=False):
    """One stay in a queue."""

    queue: str
    entered_at: datetime
    offers: int = 0
    offered_at: datetime | None = None
    agent: str | None = None
    answered_at: datetime | None = None
    left_at: datetime | None = None
    outcome: QueueOutcome | None = None

    def waiting_seconds(self, until: datetime) -> float:
        """Entry to answer, or to leaving, or to `until` while still waiting."""
        return _between(self.entered_at, self.answered_at or self.left_at or until)

    def talk_seconds(self) -> float:
        """Answer to leaving; 0 while the conversation goes on, or if there was none."""
        return _between(self.answered_at, self.left_at) if self.answered_at and self.left_at else 0.0


class Offer(Struct, frozen=True, kw_only=True, gc=False):
    """One ring of one agent for this caller: what has been heard of it, in whatever order."""

    number: int
    """1 for the first of the call."""
    queue: str
    agent: str
    leg: str = ""
    """The agent's channel, as the switch calls it; empty when nobody said."""
    began_at: datetime
    ended_at: datetime | None = None
    heard: int = 0
    """What was heard of it (`books.offers`, Heard)."""
    cause: int = 0
    """Q.850, why the agent's channel ended; 0: not known."""
    outcome: OfferOutcome | None = None

    def ring_seconds(self) -> float:
        """How long it rang; 0 while it rings."""
        return _between(self.began_at, self.ended_at) if self.ended_at else 0.0


class Leg(Struct, frozen=True, kw_only=True, gc=False):
    """One party's side of a call."""

    number: int
    """1 for the first of the call."""
    purpose: LegPurpose
    party: str
    """The agent, or what the document calls the contact; empty: the caller."""
    leg: str = ""
    """Their channel, as the switch calls it; empty when nobody said."""
    began_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    held_at: datetime | None = None
    """Since when they have the caller on hold."""
    hold_seconds: float = 0.0
    hung_up: bool = False
    """They hung up themselves."""
    ended_by: EndedBy | None = None
    """None: it goes on, the caller was given to somebody else, or nobody answered."""
    cause: int = 0
    """Q.850; 0: not known."""
    open: bool = True
    """More may be heard of it."""
    identity: str = ""
    """The number that they saw; empty: not known, or none."""
    sip: int = 0
    """What the network answered where they were not reached (RFC 3261); 0: not known."""
    trunk: str = ""
    """The carrier by which the leg came, or was reached, as the switch calls it; empty: none, or not known."""
    holds: int = 0
    """How many times they have put the caller on hold."""

    @property
    def direction(self) -> LegDirection:
        """Who called whom."""
        return LegDirection.INCOMING if self.purpose is LegPurpose.CALLER else LegDirection.OUTGOING

    def talk_seconds(self) -> float:
        """Answer to end, without what was on hold; 0 while it goes on, or if nobody answered."""
        if self.purpose in WITHOUT_TALK or self.answered_at is None or self.ended_at is None:
            return 0.0
        return max(0.0, _between(self.answered_at, self.ended_at) - self.hold_seconds)


class Hold(Struct, frozen=True, kw_only=True, gc=False):
    """A time in which somebody had the caller on hold."""

    leg: int
    """Whose: the number of their leg."""
    number: int
    """1 for the first of that leg."""
    began_at: datetime
    ended_at: datetime | None = None

    def seconds(self) -> float:
        """How long it was; 0 while it lasts."""
        return _between(self.began_at, self.ended_at) if self.ended_at else 0.0


class Recording(Struct, frozen=True, kw_only=True, gc=False):
    """A recording of a conversation: asked for when the caller begins to wait, begun when somebody answers them."""

    number: int
    """1 for the first of the call."""
    key: str
    """By which the caller objects."""
    keep_days: int
    """For how long its file is kept."""
    leg: int = 0
    """Of whoever the caller talked to first: the number of their leg; 0 while nobody has answered."""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    paused_at: datetime | None = None
    """Since when nothing is heard in it."""
    pauses: int = 0
    paused_seconds: float = 0.0
    """For how long nothing is heard in it, in all pauses that are over."""
    objected_at: datetime | None = None
    """When the caller objected: nothing more is recorded, and the file is deleted."""

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return self.began_at is not None and self.ended_at is None

    def seconds(self) -> float:
        """From its beginning to its end, pauses included; 0 while it runs."""
        return _between(self.began_at, self.ended_at) if self.began_at and self.ended_at else 0.0


TOGETHER = " + "
"""Joins the names of those who are rung at once."""


class LegFailure(Struct, frozen=True, kw_only=True, gc=False):
    """What the network answered for a telephone that was not reached."""

    leg: int
    """Which of those who were rung: the position in the attempt's `target`."""
    sip: int
    """The status of the final response (RFC 3261); 0: there was none."""
    cause: int
    """Q.850, by the network's Reason header (RFC 3326) or of the SIP status; 0: not known."""
    trunk: str = ""
    """The carrier whose answer it is; its name goes with the leg, and no further."""


class DialAttempt(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt to reach somebody of the client's: one number, or several at once."""

    target: str
    """What the document calls it: a contact's name, or a number; several joined by ' + '."""
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: DialOutcome | None = None
    leg: int = 0
    """Which of several took the call: the position in `target`."""
    shown: str = ""
    """The number that they saw; empty: none was declared."""
    failures: tuple[LegFailure, ...] = ()
    """What the network answered for those who were not reached."""
    agent: str = ""
    """The agent who was rung, where it was a colleague whom another agent gave the caller to."""

    @property
    def answered_by(self) -> str | None:
        """Who took the call, as the document calls them; None when nobody did."""
        return self.name_of(self.leg) if self.answered_at else None

    def name_of(self, leg: int) -> str:
        """Who was rung by a leg, as the document calls them."""
        rung = self.target.split(TOGETHER)
        return rung[leg if leg < len(rung) else 0]

    def waiting_seconds(self, until: datetime) -> float:
        """Start to answer, or to the end, or to `until` while still ringing."""
        return _between(self.started_at, self.answered_at or self.ended_at or until)

    def talk_seconds(self) -> float:
        """Answer to the end; 0 while the conversation goes on, or if there was none."""
        return _between(self.answered_at, self.ended_at) if self.answered_at and self.ended_at else 0.0


class FormValue(Struct, frozen=True, kw_only=True, gc=False):
    """A field of a form that was filled in, as the form was then: a client's forms change."""

    name: str
    value: str
    """As `core.forms` keeps it."""
    label: str
    """What a person called the field."""
    type: str
    """A `core.forms.FieldType`."""


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """What the caller wants somebody to know: spoken, or a form that the tree has filled in."""

    recording: str
    """Opaque name of the recording, without folder or suffix; empty: there is none, but a form."""
    node: str
    deliver: str
    """Name of the policy or the contact it is meant for; empty when the document names none."""
    started_at: datetime
    seconds: float
    form: str = ""
    """The client's form that was filled in; empty: the message was spoken."""
    values: tuple[FormValue, ...] = ()
    """Of a form: its fields that were given, in its order."""


def message_id_of(call_id: str, position: int) -> str:
    """The id of a message that a call's tree took: the `position`th of the call, from 1."""
    return f"{call_id}.m{position}"


class Callback(Struct, frozen=True, kw_only=True, gc=False):
    """A caller's wish to be called back."""

    number: str
    """E.164."""
    node: str
    asked_at: datetime


class Notification(Struct, frozen=True, kw_only=True, gc=False):
    """Something a client's own system is to be told, whatever becomes of the call."""

    notification_id: str
    """Unique, and the same whenever it is sent again: the receiver can recognise a repetition."""
    contact: str
    """The document's name for the receiver."""
    url: str
    body: str
    """JSON."""
    asked_at: datetime


class Earlier(Struct, frozen=True, kw_only=True, gc=False):
    """What is left of the oldest queue visits and dials of a long journey, once a successor has taken it over.

    The serialised form is bounded: it keeps the sums that figures and the disposition need, and loses the detail.
    """

    attempts: int = 0
    """How many queue visits and dials are summed up here; all of them complete."""
    waiting_seconds: float = 0.0
    talk_seconds: float = 0.0
    agent: str | None = None
    """The last agent who answered one of them."""
    redirected: bool = False
    """One of the dials was answered."""


NOTHING_EARLIER = Earlier()


class Revision(Struct, frozen=True, order=True, gc=False):
    """How much of a call its teller knows: of two records of one call the higher revision stands."""

    epoch: int = 0
    """Of the engine that has the call, in milliseconds since 1970: a later one knows what an earlier one left. 0: no
    engine had it, and Asterisk's own journal is all there is."""
    count: int = 0
    """What that engine has learnt of the call, counted up. 0: the end was not seen, and is a guess that whoever
    saw it corrects."""

    def next(self) -> Revision:
        """After something more was learnt."""
        return Revision(self.epoch, self.count + 1)


NOBODYS = Revision()
"""Of a call that no engine had."""


class Call(Struct, frozen=True, kw_only=True, gc=False):
    """One caller's visit, from offer to hang-up."""

    call_id: str
    pbx: str = DEFAULT_PBX
    """Which PBX it came to (the setting CALLROUTER_PBX)."""
    revision: Revision = NOBODYS
    client: str
    plan_version: str
    did: str
    caller: CallerId
    diverted_from: str | None = None
    trunk: str = ""
    """By which carrier it came; not part of the serialised call, so a successor does not know it."""
    state: CallState = CallState.OFFERED
    step: int = 0
    """Number of the present wait: a result that names another one is late and changes nothing."""
    node: str = ""
    """The node that waits."""
    memory: Mapping[str, int] = field(default_factory=dict)
    """What the waiting node has to remember (attempts, position in its list); emptied when it is left."""
    digits: str = ""
    """Keyed and not yet consumed: type-ahead."""
    variables: Mapping[str, str] = field(default_factory=dict)
    clocks: Clocks
    visits: tuple[Visit, ...] = ()
    visits_dropped: int = 0
    """How many of the oldest visits a successor no longer knows (the serialised form is bounded)."""
    queue_visits: tuple[QueueVisit, ...] = ()
    dials: tuple[DialAttempt, ...] = ()
    earlier: Earlier = NOTHING_EARLIER
    """Queue visits and dials that are known by their sums only."""
    offers: tuple[Offer, ...] = ()
    """Those this process knows: a successor knows what was open, and the numbers go on (`offers_made`)."""
    offers_made: int = 0
    legs: tuple[Leg, ...] = ()
    """Likewise (`legs_made`); the caller's own is added when the call has ended."""
    legs_made: int = 0
    holds: tuple[Hold, ...] = ()
    """Those this process knows; each leg knows how many it had."""
    recordings: tuple[Recording, ...] = ()
    """Of conversations. A successor knows what was open, and the numbers go on (`recordings_made`)."""
    recordings_made: int = 0
    held_seconds: float = 0.0
    """For how long conversations that are over were on hold, in all."""
    messages: tuple[Message, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    recording_at: datetime | None = None
    """Since when the present recording runs."""
    verdict: Disposition | None = None
    """What the tree has decided about the call before it ends (a refusal, a failure)."""
    disposition: Disposition | None = None
    """Set once, when the call ends."""
    hangup_cause: int | None = None
    """Q.850, from the switch; never a disposition."""

    @property
    def ended(self) -> bool:
        """Nothing can happen to this call any more."""
        return self.state is CallState.ENDED

    @property
    def offered(self) -> bool:
        """It reached a human-service node: it counts as offered (appel présenté)."""
        return self.clocks.entered_service_at is not None

    @property
    def agent(self) -> str | None:
        """Who answered last, if an agent did."""
        answered = next((visit for visit in reversed(self.queue_visits) if visit.answered_at), None)
        given = next((dial for dial in reversed(self.dials) if dial.agent and dial.answered_at), None)
        if given is not None and (answered is None or _after(given.answered_at, answered.answered_at)):
            return given.agent
        return answered.agent if answered is not None else self.earlier.agent

    def waiting_seconds(self, until: datetime) -> float:
        """Time spent waiting for a human over all queues and dials, menus between them excluded."""
        queued = sum(visit.waiting_seconds(until) for visit in self.queue_visits)
        dialled = sum(dial.waiting_seconds(until) for dial in self.dials)
        return self.earlier.waiting_seconds + queued + dialled

    def talk_seconds(self) -> float:
        """Time bridged to a human, over all conversations that are over, without what was on hold."""
        queued = sum(visit.talk_seconds() for visit in self.queue_visits)
        dialled = sum(dial.talk_seconds() for dial in self.dials)
        return max(0.0, self.earlier.talk_seconds + queued + dialled - self.held_seconds)
