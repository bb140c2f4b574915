"""What supervisors want in conversations, passed on to the engine."""

from __future__ import annotations

from dataclasses import dataclass

from callrouter.api.conversations.there import ConversationsThere
from callrouter.api.supervision.schemas import Act, OverseenOut
from callrouter.permissions import By


@dataclass(frozen=True)
class OverseenThere(ConversationsThere):
    """As `routes.Overseen`."""

    async def do(self, act: Act, call_id: str, phone: str, by: By) -> OverseenOut:
        """Have it done.

        Raises:
            ConversationRefused: it cannot be done as things stand.
            EngineAway: with the reason, and what to look at.
        """
        return await self.pass_on(OverseenOut, call_id, act, by, phone=phone)
