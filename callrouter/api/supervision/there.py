"""What is wanted in conversations, passed on to the engine, which carries it out on behalf of whoever asked here."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from callrouter.api.engine_client import EngineClient, EngineRefused
from callrouter.api.schemas import LiveOut
from callrouter.api.supervision.schemas import Act, OverseenOut
from callrouter.errors import SupervisionRefused
from callrouter.permissions import By

_MAY_REFUSE: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True)
class OverseenThere:
    """As `routes.Overseen`."""

    engine: EngineClient

    async def live(self) -> LiveOut:
        """The engine's calls in progress.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self.engine.live()

    async def do(self, act: Act, call_id: str, phone: str, by: By) -> OverseenOut:
        """Have it done.

        Raises:
            SupervisionRefused: it cannot be done as things stand.
            EngineAway: with the reason, and what to look at.
        """
        asked = {"by": by.principal, "address": by.address, "phone": phone}
        said = {name: value for name, value in asked.items() if value}
        path = f"/calls/{quote(call_id, safe='')}/{act}?{urlencode(said)}"
        try:
            return await self.engine.ask(OverseenOut, "POST", path, may_refuse=_MAY_REFUSE)
        except EngineRefused as error:
            raise SupervisionRefused(str(error)) from error
