"""Callers who are to be called back: because they want it, or because they gave up."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from callrouter.api.schemas.base import CALL_ID, Instant, NextCursor, Out, Seconds
from callrouter.api.schemas.parts import RecordedOut
from callrouter.outgoing.order import Outcome, Settlement
from callrouter.store.outgoing.worklist import SettledBy
from callrouter.store.tables import FollowUpResult


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

    call_id: str = Field(examples=[CALL_ID])
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


class CallbacksOut(Out):
    """A page of callbacks, the newest first."""

    callbacks: list[CallbackOut]
    next_cursor: NextCursor


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

    call_id: str = Field(examples=[CALL_ID])
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
    next_cursor: NextCursor
