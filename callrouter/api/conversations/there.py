"""Conversations, for web: the engine carries out what is asked, on behalf of whoever asked here."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from callrouter.api.engine_client import Answer, EngineClient, EngineRefused
from callrouter.api.schemas.live import LiveOut
from callrouter.errors import ConversationRefused
from callrouter.permissions import By

_MAY_REFUSE: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True)
class ConversationsThere:
    """As `routes.Conversations`."""

    engine: EngineClient

    async def live(self) -> LiveOut:
        """The engine's calls in progress.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self.engine.live()

    async def pass_on(self, answer: type[Answer], call_id: str, verb: str, by: By, **said: str) -> Answer:
        """Have something done in a call; what is empty is not said.

        Raises:
            ConversationRefused: it cannot be done as things stand.
            EngineAway: with the reason, and what to look at.
        """
        asked = {"by": by.principal, "address": by.address, **said}
        query = urlencode({name: value for name, value in asked.items() if value})
        path = f"/calls/{quote(call_id, safe='')}/{verb}?{query}"
        try:
            return await self.engine.ask(answer, "POST", path, may_refuse=_MAY_REFUSE)
        except EngineRefused as error:
            away = error.status == HTTPStatus.SERVICE_UNAVAILABLE
            raise ConversationRefused(str(error), away=away) from error
