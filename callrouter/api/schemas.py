"""What the API answers. Instants are UTC, durations seconds, numbers E.164 where they could be read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from callrouter.core.books.recordings import name_of
from callrouter.core.call import (
    Call,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    EndedBy,
    Hold,
    Leg,
    LegDirection,
    LegPurpose,
    Offer,
    OfferOutcome,
    Presentation,
    QueueOutcome,
    QueueVisit,
    Recording,
    Visit,
)
from callrouter.core.call import Message as CallMessage
from callrouter.core.explain import nodes_reached
from callrouter.outgoing.order import Outcome, Settlement
from callrouter.permissions import Scope
from callrouter.store.access.audit import AuditRow
from callrouter.store.access.recordings import Listed
from callrouter.store.outgoing.worklist import SettledBy
from callrouter.store.tables import AuditOutcome, FollowUpResult, RecordingKind

_CALL_ID = "1795427775-42-518203"
_AT = "2026-11-24T09:00:12.250000Z"


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_utc), Field(examples=[_AT])]
Seconds = Annotated[float, Field(ge=0, examples=[7.4])]


class Out(BaseModel):
    """Base of all answers: made of our own values, and frozen."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Problem(Out):
    """Why a request was not served (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no call 1795427775-42-518203"])


class Health(Out):
    """The process is alive."""

    status: Literal["alive"]
    version: str = Field(examples=["0.1.0"])
    degraded: list[str] = Field(
        default=[], description="What is wrong while work goes on", examples=[["dialplans: not served as it stands: …"]]
    )


class Ready(Out):
    """Every check passed."""

    status: Literal["ready"]
    checks: list[str] = Field(examples=[["asterisk", "database", "dialplans"]])
    degraded: list[str] = Field(
        default=[], description="What is wrong while work goes on", examples=[["dialplans: not served as it stands: …"]]
    )


class CallerOut(Out):
    """What was shown of the caller."""

    number: str | None = Field(examples=["+33612340001"])
    name: str = Field(examples=["Jeanne Martin"])
    presentation: Presentation


class ClocksOut(Out):
    """The five clocks of a journey, and its end."""

    ringing_at: Instant
    answered_at: Instant | None
    entered_service_at: Instant | None
    offered_at: Instant | None
    bridged_at: Instant | None
    ended_at: Instant | None

    @classmethod
    def of(cls, clocks: Clocks) -> ClocksOut:
        """From the core's own."""
        return cls.model_validate(clocks)


class VisitOut(Out):
    """One passage through a node: which exit, and the value that decided it."""

    node: str = Field(examples=["hours"])
    exit: str = Field(examples=["open"])
    because: str = Field(examples=["Tue 10:00"])
    at: Instant


class QueueVisitOut(Out):
    """One stay in a queue."""

    queue: str = Field(examples=["medical"])
    entered_at: Instant
    offers: int
    offered_at: Instant | None
    agent: str | None = Field(examples=["agent-1"])
    answered_at: Instant | None
    left_at: Instant | None
    outcome: QueueOutcome | None


class LegFailureOut(Out):
    """What the network answered for a telephone that was not reached."""

    leg: int = Field(description="Which of those who were rung at once, from 0")
    sip: int = Field(examples=[486], description="Status of the final response; 0: there was none")
    cause: int = Field(examples=[17], description="Q.850; 0: not known")


class OfferOut(Out):
    """One ring of one agent for this caller."""

    number: int = Field(examples=[1], description="1 for the first of the call")
    queue: str = Field(examples=["medical"])
    agent: str = Field(examples=["agent-1"])
    began_at: Instant
    ended_at: Instant | None
    outcome: OfferOutcome | None = Field(description="null: nobody saw its end")
    cause: int = Field(examples=[17], description="Q.850, why the agent's telephone took no call; 0: not known")


class LegOut(Out):
    """One party's side of the call."""

    number: int = Field(examples=[1], description="1 for the first of the call")
    purpose: LegPurpose
    direction: LegDirection
    party: str = Field(examples=["agent-1"], description="The agent or contact; empty: the caller")
    began_at: Instant
    answered_at: Instant | None
    ended_at: Instant | None
    talk_seconds: Seconds = Field(description="Answer to end, without hold; 0 for the caller's leg")
    hold_seconds: Seconds
    ended_by: EndedBy | None = Field(description="Who hung up; null: not known, or the caller was given away")
    cause: int = Field(examples=[16], description="Q.850; 0: not known")
    identity: str = Field(examples=["+33199000010"], description="The number that they saw; empty: not known, or none")
    sip: int = Field(examples=[486], description="What the network answered (RFC 3261); 0: not known")
    trunk: str = Field(
        examples=["trunk-acme-out"],
        description="The carrier by which it came or was reached, as the PBX calls it; empty: none, or not known",
    )

    @classmethod
    def of(cls, leg: Leg) -> LegOut:
        """From the core's own."""
        when = ("began_at", "answered_at", "ended_at", "hold_seconds")
        who = ("number", "purpose", "direction", "party", "identity", "trunk")
        known = {name: getattr(leg, name) for name in (*who, *when, "ended_by", "cause", "sip")}
        return cls(**known, talk_seconds=leg.talk_seconds())


class SupersededOut(Out):
    """What another teller said of a call: whoever knew less, or was corrected."""

    epoch: int = Field(description="Of the engine that told it; 0: no engine had the call", examples=[1795427700000])
    revision: int = Field(description="How much it had learnt; 0: a guess, the end was not seen", examples=[4])
    noted_at: Instant = Field(description="Since when another record stands")
    record: dict[str, Any] = Field(description="Its row of the table `calls`, column by column")


class SupersededCallsOut(Out):
    """The other records of a call."""

    superseded: list[SupersededOut]


class HoldOut(Out):
    """A time in which somebody had the caller on hold."""

    leg: int = Field(examples=[1], description="Whose: the number of their leg")
    number: int = Field(examples=[1], description="1 for the first of that leg")
    began_at: Instant
    ended_at: Instant | None = Field(description="null: nobody saw its end")


class ConversationOut(Out):
    """A conversation that was recorded."""

    recording: str = Field(examples=[f"{_CALL_ID}-c1"], description="Its sound is at /api/recordings/<recording>/audio")
    leg: int = Field(examples=[1], description="Of whoever the caller talked to first; 0: not known")
    began_at: Instant | None
    ended_at: Instant | None
    paused_seconds: Seconds
    objected_at: Instant | None = Field(description="When the caller objected: nothing of it is kept")

    @classmethod
    def of(cls, call_id: str, recording: Recording) -> ConversationOut:
        """From the core's own."""
        names = ("leg", "began_at", "ended_at", "paused_seconds", "objected_at")
        known = {name: getattr(recording, name) for name in names}
        return cls(recording=name_of(call_id, recording.number), **known)


class DialOut(Out):
    """One attempt to reach somebody of the client's."""

    target: str = Field(examples=["doctor"], description="Who was rung; several at once are joined by ' + '")
    answered_by: str | None = Field(examples=["doctor"], description="Who of them took the call")
    started_at: Instant
    answered_at: Instant | None
    ended_at: Instant | None
    outcome: DialOutcome | None
    shown: str = Field(examples=["+33199000000"], description="The number that they saw; empty: none was declared")
    failures: list[LegFailureOut] = Field(description="Of those who were not reached: what the network answered")


class RecordedOut(Out):
    """A message left in this call."""

    recording: str
    node: str
    deliver: str
    started_at: Instant
    seconds: Seconds


class CallOut(Out):
    """One journey."""

    call_id: str = Field(examples=[_CALL_ID])
    client: str = Field(examples=["cabinet-moreau"])
    did: str = Field(examples=["+33199000010"])
    caller: CallerOut
    diverted_from: str | None
    disposition: Disposition | None
    clocks: ClocksOut
    waiting_seconds: Seconds
    talk_seconds: Seconds
    agent: str | None = Field(examples=["agent-1"])
    path: list[str] = Field(examples=[["filter", "hours", "welcome", "secretaries"]])
    plan_version: str = Field(examples=["5f2d3c9a10be"])
    hangup_cause: int | None = Field(examples=[16])

    @classmethod
    def of(cls, call: Call) -> CallOut:
        """From a call that has ended."""
        return cls(**_summary(call))


class CallDetailOut(CallOut):
    """One journey, with all it went through and why."""

    variables: dict[str, str] = Field(examples=[{"postcode": "75011"}])
    visits: list[VisitOut]
    queue_visits: list[QueueVisitOut]
    offers: list[OfferOut]
    legs: list[LegOut]
    holds: list[HoldOut]
    recordings: list[ConversationOut] = Field(description="Of conversations; those of messages stand in `messages`")
    dials: list[DialOut]
    messages: list[RecordedOut]
    explanation: list[str] = Field(
        description="The journey as a person reads it, in the client's time",
        examples=[["10:00:12  hours → open (Tue 10:00)", "10:01:40  ended: answered"]],
    )

    @classmethod
    def of_explained(cls, call: Call, explanation: list[str]) -> CallDetailOut:
        """From a call that has ended, and `core.explain` of it."""
        return cls(
            **_summary(call),
            variables=dict(call.variables),
            visits=_all(VisitOut, call.visits),
            queue_visits=_all(QueueVisitOut, call.queue_visits),
            offers=_all(OfferOut, call.offers),
            legs=[LegOut.of(leg) for leg in call.legs],
            holds=_all(HoldOut, call.holds),
            recordings=[ConversationOut.of(call.call_id, one) for one in call.recordings],
            dials=_all(DialOut, call.dials),
            messages=_all(RecordedOut, call.messages),
            explanation=explanation,
        )


class CallsOut(Out):
    """A page of calls, the newest first."""

    calls: list[CallOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")


class MessageOut(Out):
    """One voice message."""

    call_id: str = Field(examples=[_CALL_ID])
    client: str = Field(examples=["etude-lenoir"])
    recording: str = Field(description="Name of the recording, without folder or suffix")
    seconds: Seconds
    deliver: str = Field(description="Contact it is meant for", examples=["email_doctor"])
    started_at: Instant
    node: str = Field(examples=["take_message"])
    state: str = Field(examples=["recorded"])


class MessagesOut(Out):
    """A page of messages, the newest first."""

    messages: list[MessageOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")


class PlacedCallOut(Out):
    """A call that was placed for a callback: it waited in a queue, an agent took it, then the caller was rung."""

    outgoing_id: str = Field(examples=["1795427900-5f0c2a9d1be3"])
    queue: str = Field(examples=["medical"])
    shown: str = Field(description="The number the caller saw, E.164; empty: none", examples=["+33199000010"])
    turn_at: Instant = Field(description="Since when the caller waits: it has the place of that instant")
    placed_at: Instant
    rung_at: Instant | None = Field(description="An agent took it, and the caller is rung")
    answered_at: Instant | None
    ended_at: Instant | None
    agent: str | None = Field(description="Known when it is over", examples=["agent-1"])
    outcome: Outcome | None = Field(description="null: under way", examples=[Outcome.NO_ANSWER])
    hangup_cause: int | None = Field(description="Q.850", examples=[16])
    trunk: str | None = Field(
        description="The carrier by which the caller was rung, as the PBX calls it; null: nobody was, or not known",
        examples=["trunk-acme-out"],
    )
    tech_cause: str | None = Field(
        description="What the network answered where they were not reached", examples=["486"]
    )


class CallbackOut(Out):
    """A caller who wants to be called back."""

    call_id: str = Field(examples=[_CALL_ID])
    position: int = Field(description="1 for the first wish of the call", examples=[1])
    client: str = Field(examples=["cabinet-moreau"])
    number: str = Field(description="Number to call, E.164", examples=["+33612340001"])
    node: str = Field(examples=["offer_callback"])
    asked_at: Instant
    state: str = Field(examples=["open"])
    settled_at: Instant | None
    settled_by: Settlement | None = Field(
        description="null: nothing yet, or somebody who set only `state`", examples=[Settlement.CALLED_BACK]
    )
    calls: list[PlacedCallOut] = Field(description="Placed for it, in order")
    said: list[RecordedOut] = Field(
        description="Messages of the same call, in order: nothing else is recorded of a wish"
    )


class CallbackSettled(BaseModel):
    """What a person says of a callback."""

    model_config = ConfigDict(extra="forbid")

    reached: bool = Field(description="Whether they have talked with the caller", examples=[True])


class FollowUpOut(Out):
    """Somebody called an abandoned caller."""

    at: Instant
    principal: str = Field(examples=["token:desk"])
    result: FollowUpResult = Field(examples=[FollowUpResult.NOT_REACHED])


class FollowUpAsked(BaseModel):
    """What came of calling an abandoned caller."""

    model_config = ConfigDict(extra="forbid")

    result: FollowUpResult = Field(examples=[FollowUpResult.REACHED])


class AbandonedCallerOut(Out):
    """A caller who gave up before anybody answered."""

    call_id: str = Field(examples=[_CALL_ID])
    client: str = Field(examples=["cabinet-moreau"])
    did: str = Field(examples=["+33199000010"])
    number: str | None = Field(description="null: withheld or not known", examples=["+33612340001"])
    name: str = Field(examples=["Jeanne Martin"])
    ringing_at: Instant
    gave_up_at: Instant
    waiting_seconds: Seconds
    queue: str | None = Field(description="Where they waited last", examples=["medical"])
    follow_ups: list[FollowUpOut]
    settled_by: SettledBy | None = Field(description="null: still to be called", examples=[SettledBy.RANG_AGAIN])
    settled_at: Instant | None
    reached_by: str | None = Field(description="The agent, or whoever says so", examples=["agent-1"])
    delay_seconds: float | None = Field(description="From giving up until they were reached", examples=[312.0])


class WorklistOut(Out):
    """A page of abandoned callers, the newest first."""

    callers: list[AbandonedCallerOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")


class CallbacksOut(Out):
    """A page of callbacks, the newest first."""

    callbacks: list[CallbackOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")


class LiveCallOut(Out):
    """One call in progress."""

    call_id: str = Field(examples=[_CALL_ID])
    client: str = Field(examples=["cabinet-moreau"])
    did: str = Field(examples=["+33199000010"])
    caller: CallerOut
    state: CallState
    node: str = Field(examples=["secretaries"])
    path: list[str] = Field(examples=[["filter", "hours", "welcome", "secretaries"]])
    ringing_at: Instant
    elapsed_seconds: Seconds
    waiting_seconds: Seconds
    agent: str | None = Field(examples=["agent-1"])
    queues: list[str] = Field(
        default=[], description="Queues it is or was in, the present one last", examples=[["medical"]]
    )

    @classmethod
    def of(cls, call: Call, at: datetime) -> LiveCallOut:
        """As the call stands at that instant."""
        return cls(
            call_id=call.call_id,
            client=call.client,
            did=call.did,
            caller=CallerOut.model_validate(call.caller),
            state=call.state,
            node=call.node,
            path=nodes_reached(call),
            ringing_at=call.clocks.ringing_at,
            elapsed_seconds=max(0.0, (at - call.clocks.ringing_at).total_seconds()),
            waiting_seconds=max(0.0, call.waiting_seconds(at)),
            agent=call.agent,
            queues=list(dict.fromkeys(visit.queue for visit in reversed(call.queue_visits)))[::-1],
        )


class LiveOut(Out):
    """All calls in progress."""

    at: Instant
    calls: list[LiveCallOut]

    def within(self, scope: Scope) -> LiveOut:
        """Those of them that a scope holds."""
        return LiveOut(at=self.at, calls=[call for call in self.calls if scope.holds(call.client, call.queues)])


class RecordingOut(Out):
    """One recording."""

    recording_id: str = Field(examples=[f"{_CALL_ID}-0"])
    kind: RecordingKind
    call_id: str = Field(examples=[_CALL_ID])
    leg: str | None = Field(
        description="Of a conversation: whom the caller talked to first (legs); null: the caller alone is heard",
        examples=[None],
    )
    client: str = Field(examples=["etude-lenoir"])
    started_at: Instant
    seconds: Seconds
    loudness: float | None = Field(
        description="RMS in dBFS (0 is the loudest there is, -96 silence); null until the file was looked at",
        examples=[-23.4],
    )
    checksum: str | None = Field(description="SHA-256 of the file; null until it was looked at", examples=[None])
    delete_after: Instant | None = Field(description="When it will be deleted; null: it is kept", examples=[None])
    deleted_at: Instant | None = Field(description="When its sound was deleted", examples=[None])
    paused_seconds: Seconds = Field(description="For how long a conversation's was paused: silence", examples=[0.0])
    objected_at: Instant | None = Field(description="When the caller objected: it is not played", examples=[None])
    on_disk: bool = Field(description="Whether its file is there; false for one that is missing, too")

    @classmethod
    def of(cls, listed: Listed) -> RecordingOut:
        """From the record's own."""
        return cls.model_validate({**asdict(listed.recording), "on_disk": listed.on_disk})


class RecordingsOut(Out):
    """A page of recordings, the newest first."""

    recordings: list[RecordingOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")


class DeedOut(Out):
    """What somebody did, or was not let do."""

    at: Instant = Field(description="The first time, when there are several in the minute")
    principal: str = Field(description="`operator`, `token:NAME`, `command:USER` …", examples=["token:wallboard"])
    action: str = Field(examples=["recording.play"])
    object: str = Field(description="What it was done to", examples=[f"{_CALL_ID}-0"])
    client: str | None = Field(description="Whose it is; null: no one client's", examples=["etude-lenoir"])
    outcome: AuditOutcome
    address: str = Field(description="Empty: from the command line", examples=["192.0.2.7"])
    times: int = Field(description="How often in that minute", examples=[1])

    @classmethod
    def of(cls, row: AuditRow) -> DeedOut:
        """From the record's own."""
        return cls.model_validate({**asdict(row.deed), "at": row.at, "times": row.times})


class AuditOut(Out):
    """A page of the audit trail, the newest first."""

    deeds: list[DeedOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")


def _all(model: Any, values: tuple[Visit | QueueVisit | Offer | Hold | DialAttempt | CallMessage, ...]) -> list[Any]:
    return [model.model_validate(value) for value in values]


def _summary(call: Call) -> dict[str, Any]:
    ended_at = call.clocks.ended_at or call.clocks.ringing_at
    return {
        "call_id": call.call_id,
        "client": call.client,
        "did": call.did,
        "caller": CallerOut.model_validate(call.caller),
        "diverted_from": call.diverted_from,
        "disposition": call.disposition,
        "clocks": ClocksOut.of(call.clocks),
        "waiting_seconds": max(0.0, call.waiting_seconds(ended_at)),
        "talk_seconds": call.talk_seconds(),
        "agent": call.agent,
        "path": nodes_reached(call),
        "plan_version": call.plan_version,
        "hangup_cause": call.hangup_cause,
    }
