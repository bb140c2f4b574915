"""Calls that have ended."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from callrouter.api.schemas.base import CALL_ID, Instant, NextCursor, Out, Seconds
from callrouter.api.schemas.parts import (
    CallerOut,
    ClocksOut,
    ConversationOut,
    DialOut,
    HoldOut,
    LeftOut,
    LegOut,
    OfferOut,
    QueueVisitOut,
    VisitOut,
)
from callrouter.core.call import (
    Call,
    DialAttempt,
    Disposition,
    Hold,
    Offer,
    QueueVisit,
    Visit,
)
from callrouter.core.explain import nodes_reached


class SupersededOut(Out):
    """What another teller said of a call: whoever knew less, or was corrected."""

    epoch: int = Field(description="Of the engine that told it; 0: no engine had the call", examples=[1795427700000])
    revision: int = Field(description="How much it had learnt; 0: a guess, the end was not seen", examples=[4])
    noted_at: Instant = Field(description="Since when another record stands")
    record: dict[str, Any] = Field(description="Its row of the table `calls`, column by column")


class SupersededCallsOut(Out):
    """The other records of a call."""

    superseded: list[SupersededOut]


class CallOut(Out):
    """One journey."""

    call_id: str = Field(examples=[CALL_ID])
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
    messages: list[LeftOut]
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
            messages=[LeftOut.of(call.call_id, place, one) for place, one in enumerate(call.messages, start=1)],
            explanation=explanation,
        )


class CallsOut(Out):
    """A page of calls, the newest first."""

    calls: list[CallOut]
    next_cursor: NextCursor


def _all(model: Any, values: tuple[Visit | QueueVisit | Offer | Hold | DialAttempt, ...]) -> list[Any]:
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
