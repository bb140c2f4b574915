"""What systems are told of calls, as the API answers it."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field

from callrouter.api.schemas.base import Instant, NextCursor, Out
from callrouter.store.dispatch.asked_for import AskedFor
from callrouter.store.tables import DeliveryKind, DeliveryState

DELIVERY_ID: Final = "1795427490-1-211208-n0"


class ToldOut(Out):
    """One thing that a web service is told."""

    delivery_id: str = Field(description="The `Idempotency-Key` it is sent with", examples=[DELIVERY_ID])
    client: str = Field(examples=["cabinet-moreau"])
    call_id: str | None = Field(examples=["1795427490-1-211208"])
    kind: DeliveryKind
    contact: str = Field(description="Of the client's file, or `CALLROUTER_EVENTS_URL`", examples=["crm"])
    address: str = Field(description="The web service's host alone", examples=["https://crm.example"])
    state: DeliveryState
    attempts: int = Field(examples=[8])
    queued_at: Instant
    next_attempt_at: Instant | None = Field(description="null: there will be none")
    changed_at: Instant = Field(description="Since when it is in this state")
    answer: str = Field(description="Why it failed", examples=["crm.example answered 500"])

    @classmethod
    def of(cls, asked: AskedFor) -> Self:
        """Of one."""
        one = asked.delivery
        return cls(
            delivery_id=one.delivery_id,
            client=asked.client,
            call_id=asked.call_id,
            kind=one.kind,
            contact=one.contact,
            address=one.address,
            state=one.state,
            attempts=one.attempts,
            queued_at=one.queued_at,
            next_attempt_at=one.next_attempt_at,
            changed_at=one.changed_at,
            answer=one.answer,
        )


class ToldPageOut(Out):
    """A page of them."""

    deliveries: list[ToldOut]
    next_cursor: NextCursor
