"""What agents want in conversations, carried out in the engine's process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from callrouter.api.control.schemas import ControlledOut
from callrouter.api.conversations.here import ConversationsHere
from callrouter.asterisk.transfers.control import Control
from callrouter.errors import ConversationRefused
from callrouter.permissions import By, Permission


class Controls(Protocol):
    """Who does it (`asterisk.transfers.control.CallControl`)."""

    async def do(self, control: Control, call_id: str, detail: str = "") -> None: ...


@dataclass(frozen=True, kw_only=True)
class ControlledHere(ConversationsHere):
    """As `routes.Controlled`."""

    controls: Controls

    async def do(self, control: Control, call_id: str, detail: str, by: By) -> ControlledOut:
        """Do it; it is in the audit trail, and so is that it was refused.

        Raises:
            ConversationRefused: it cannot be done as things stand.
        """
        live = self.calls.get(call_id)
        what = f"{control} {_shown(control, detail)}".strip()
        async with self.deed(call_id, Permission.CALL_CONTROL, what, by):
            await self.controls.do(control, call_id, detail)
        after = self.calls.get(call_id) or live
        if after is None:
            raise ConversationRefused(f"call {call_id} has just ended")
        return ControlledOut.of(after.call)


def _shown(control: Control, detail: str) -> str:
    """Keys may be somebody's secret: how many is enough."""
    return f"{len(detail)} keys" if control is Control.KEYPAD else detail
