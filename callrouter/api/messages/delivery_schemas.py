"""Who was told of a message, and what came of it, as the API answers it."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from callrouter.api.filters import TEXT
from callrouter.api.messages.schemas import MESSAGE_ID, MessageOut, columns_of
from callrouter.api.schemas.base import Instant, NextCursor, Out
from callrouter.core.dispatch import Means
from callrouter.store.dispatch.board import Entry, Why
from callrouter.store.dispatch.events import What
from callrouter.store.dispatch.reading import StoredDispatch, Trail
from callrouter.store.messages import StoredMessage
from callrouter.store.tables import DeliveryKind, DeliveryState, DispatchState

_DELIVERY_ID = "0d5c8a2e-52c3-4a53-9f0c-7d0b6f7f2a11"


class DispatchOut(Out):
    """How far a message has come with those who are to be told."""

    state: DispatchState
    urgent: bool = Field(description="Whether it goes the urgent course")
    rule: str = Field(
        description="The client's rule, or the contact, as it was looked up; empty: not yet, or nobody is named",
        examples=["doctors"],
    )
    step: int = Field(description="The next step, 0 the first", examples=[1])
    round: int = Field(description="How often the steps began again", examples=[0])
    due_at: Instant | None = Field(description="When something is to be done; null: never by itself")
    ages_at: Instant | None = Field(description="When it becomes urgent; null: it does not")
    reason: str = Field(description="Why it stands on the agents' list; empty: it does not", examples=[""])
    began_at: Instant
    ended_at: Instant | None = Field(description="When it was told, acknowledged, or put on the list")
    acknowledged_by: str | None = Field(
        description="A contact where it was by `link`, `reply` or `key`, else a principal", examples=["doctor"]
    )
    acknowledged_how: str | None = Field(
        description="`link`, `reply`, `key`, `done`, `api` or `cli`", examples=["link"]
    )


class DeliveryOut(Out):
    """One telling of one person by one means."""

    delivery_id: str = Field(examples=[_DELIVERY_ID])
    kind: DeliveryKind = Field(
        description="`notice`: that somebody else took the message on; `code`: what opens a confidential one"
    )
    round: int = Field(examples=[0])
    step: int = Field(examples=[0])
    contact: str = Field(examples=["doctor"])
    means: Means
    address: str = Field(description="Of a web service the host alone", examples=["moreau@example.org"])
    state: DeliveryState
    attempts: int = Field(examples=[1])
    queued_at: Instant
    next_attempt_at: Instant | None = Field(description="null: there will be none")
    sending_until: Instant | None = Field(description="When an attempt that is out has failed; null: none is out")
    changed_at: Instant = Field(description="Since when it is in this state")
    answer: str = Field(description="Of the other side, or why it failed", examples=["250 2.0.0 Ok: queued as 4F1"])
    receipt_id: str | None = Field(description="By which the other side calls it", examples=["4F1"])


class DispatchEventOut(Out):
    """Something that happened."""

    at: Instant
    what: str = Field(description=f"One of {', '.join(What)}", examples=["sent"])
    delivery_id: str | None = Field(description="null: of the message as a whole", examples=[_DELIVERY_ID])
    contact: str = Field(examples=["doctor"])
    means: str = Field(examples=["email"])
    detail: str = Field(description="A sentence, or the other side's answer", examples=["250 2.0.0 Ok"])
    principal: str = Field(description="Who did it; empty: the rule, or whoever was told", examples=["token:desk"])


class DeliveryTrailOut(DispatchOut):
    """A message's telling with everything that was done for it."""

    message_id: str = Field(examples=[MESSAGE_ID])
    client: str = Field(examples=["cabinet-moreau"])
    deliveries: list[DeliveryOut] = Field(description="In the order in which they were queued")
    events: list[DispatchEventOut] = Field(description="What happened, the oldest first")

    @classmethod
    def of(cls, trail: Trail) -> Self:
        """From the record's own."""
        return cls.model_validate(
            {
                **_dispatch(trail.dispatch),
                "message_id": trail.dispatch.message_id,
                "client": trail.dispatch.client,
                "deliveries": [_fields(DeliveryOut, one) for one in trail.deliveries],
                "events": [_fields(DispatchEventOut, one) for one in trail.events],
            }
        )


class WaitingOut(MessageOut):
    """A message that somebody must look at."""

    why: list[Why] = Field(
        description="`attention`: it stands on the agents' list; `failed`: it is on its way, and nobody was reached; "
        "`overdue`: something was to be done for it, and was not; `closed`: a link to it was closed after too many "
        "wrong PINs or codes; `replied`: somebody answered in words"
    )
    because: str = Field(description="The same in sentences", examples=["Nobody is on call."])
    dispatch: DispatchOut

    @classmethod
    def of_entry(cls, message: StoredMessage, entry: Entry) -> Self:
        """From the record's own."""
        told = {"why": list(entry.why), "because": entry.because, "dispatch": _dispatch(entry.dispatch)}
        return cls.model_validate({**columns_of(message), **told})


class AttentionOut(Out):
    """A page of them, the newest first."""

    messages: list[WaitingOut]
    next_cursor: NextCursor


class MessageRedelivered(BaseModel):
    """What is to be sent again."""

    model_config = ConfigDict(extra="forbid")

    delivery_id: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)] | None = Field(
        default=None, description="One telling of the message; null: whatever of it has failed", examples=[None]
    )


def _dispatch(dispatch: StoredDispatch) -> dict[str, Any]:
    return _fields(DispatchOut, dispatch)


def _fields(model: type[Out], stored: object) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in model.model_fields}
