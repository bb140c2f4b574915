"""What is wanted in conversations, passed on to the engine, which carries it out on behalf of whoever asked here."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from callrouter.api.control.schemas import ControlledOut
from callrouter.api.engine_client import EngineClient, EngineRefused
from callrouter.api.schemas import LiveOut
from callrouter.asterisk.transfers.control import Control
from callrouter.errors import ControlRefused
from callrouter.permissions import By

_MAY_REFUSE: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE})
_DETAIL: Final = {Control.TRANSFER: "to", Control.CONSULT: "to", Control.KEYPAD: "keys"}


@dataclass(frozen=True)
class ControlledThere:
    """As `routes.Controlled`."""

    engine: EngineClient

    async def live(self) -> LiveOut:
        """The engine's calls in progress.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self.engine.live()

    async def do(self, control: Control, call_id: str, detail: str, by: By) -> ControlledOut:
        """Have it done; `detail` is a target, or keys.

        Raises:
            ControlRefused: it cannot be done as things stand.
            EngineAway: with the reason, and what to look at.
        """
        asked = {"by": by.principal, "address": by.address, _DETAIL.get(control, ""): detail}
        said = {name: value for name, value in asked.items() if value}
        path = f"/calls/{quote(call_id, safe='')}/{control}?{urlencode(said)}"
        try:
            return await self.engine.ask(ControlledOut, "POST", path, may_refuse=_MAY_REFUSE)
        except EngineRefused as error:
            raise ControlRefused(str(error), away=error.status == HTTPStatus.SERVICE_UNAVAILABLE) from error
