"""What is answered to whoever controls a conversation."""

from __future__ import annotations

from pydantic import Field

from callrouter.api.schemas.base import Out
from callrouter.core.call import Call, CallState, LegPurpose


class ControlledOut(Out):
    """A conversation, right after something was asked for."""

    call_id: str = Field(examples=["1795427775-42-518203"])
    state: CallState
    agent: str | None = Field(examples=["agent-1"], description="Who has the caller, or had them last")
    on_hold: bool = Field(description="Whether the agent has the caller on hold")
    consulting: str | None = Field(examples=["agent-2"], description="Whom the agent consults; null: nobody")

    @classmethod
    def of(cls, call: Call) -> ControlledOut:
        """Of a call in progress."""
        going = [leg for leg in call.legs if leg.open]
        consulted = [leg.party for leg in going if leg.purpose is LegPurpose.CONSULTATION]
        return cls(
            call_id=call.call_id,
            state=call.state,
            agent=call.agent,
            on_hold=any(leg.held_at is not None for leg in going if leg.purpose is LegPurpose.AGENT),
            consulting=consulted[-1] if consulted else None,
        )
