"""What a call went through: its visits, offers, legs, recordings …"""

from __future__ import annotations

from pydantic import Field

from callrouter.api.schemas.base import CALL_ID, Instant, Out, Seconds
from callrouter.core.books.recordings import name_of
from callrouter.core.call import (
    Clocks,
    DialOutcome,
    EndedBy,
    Leg,
    LegDirection,
    LegPurpose,
    Message,
    OfferOutcome,
    Presentation,
    QueueOutcome,
    Recording,
    message_id_of,
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


class HoldOut(Out):
    """A time in which somebody had the caller on hold."""

    leg: int = Field(examples=[1], description="Whose: the number of their leg")
    number: int = Field(examples=[1], description="1 for the first of that leg")
    began_at: Instant
    ended_at: Instant | None = Field(description="null: nobody saw its end")


class ConversationOut(Out):
    """A conversation that was recorded."""

    recording: str = Field(examples=[f"{CALL_ID}-c1"], description="Its sound is at /api/recordings/<recording>/audio")
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
    """A message that a caller spoke."""

    recording: str = Field(description="Name of the recording, without folder or suffix; empty: there is none")
    node: str
    deliver: str
    started_at: Instant
    seconds: Seconds


class LeftOut(RecordedOut):
    """A message that the tree took in this call."""

    message_id: str = Field(examples=[f"{CALL_ID}.m1"], description="What became of it: /api/messages/{message_id}")
    form: str = Field(description="The client's form that the tree filled in; empty: the message was spoken")

    @classmethod
    def of(cls, call_id: str, position: int, message: Message) -> LeftOut:
        """The `position`th of the call, from 1."""
        return cls(
            message_id=message_id_of(call_id, position),
            recording=message.recording,
            form=message.form,
            node=message.node,
            deliver=message.deliver,
            started_at=message.started_at,
            seconds=message.seconds,
        )
