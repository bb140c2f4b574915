"""What agents want in conversations, passed on to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from callrouter.api.control.schemas import ControlledOut
from callrouter.api.conversations.there import ConversationsThere
from callrouter.asterisk.transfers.control import Control
from callrouter.permissions import By

_DETAIL: Final = {Control.TRANSFER: "to", Control.CONSULT: "to", Control.KEYPAD: "keys"}


@dataclass(frozen=True)
class ControlledThere(ConversationsThere):
    """As `routes.Controlled`."""

    async def do(self, control: Control, call_id: str, detail: str, by: By) -> ControlledOut:
        """Have it done; `detail` is a target, or keys.

        Raises:
            ConversationRefused: it cannot be done as things stand.
            EngineAway: with the reason, and what to look at.
        """
        said = {_DETAIL[control]: detail} if control in _DETAIL else {}
        return await self.pass_on(ControlledOut, call_id, control, by, **said)
