"""Calls in progress."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from callrouter.api.schemas.base import CALL_ID, Instant, Out, Seconds
from callrouter.api.schemas.parts import CallerOut
from callrouter.core.call import Call, CallState
from callrouter.core.explain import nodes_reached
from callrouter.permissions import Scope


class LiveCallOut(Out):
    """One call in progress."""

    call_id: str = Field(examples=[CALL_ID])
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
