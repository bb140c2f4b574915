"""Drains a PBX before a planned restart: carriers are asked to bring new calls elsewhere, and calls in progress go on.

Each endpoint by which carriers' calls come in (`CR_TRUNKS`, extensions.conf) is put into maintenance: Asterisk answers
whatever is new there with 503 and Retry-After, and leaves dialogs alone (res_pjsip_maintenance.c, Asterisk 22.10). It
does the same to OPTIONS, so that a proxy's probes take the PBX out by themselves. Never the telephones, nor where
numbers are dialled: an endpoint in maintenance is not rung either, and callers who wait would wait in vain. A restart
of Asterisk ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.errors import ActionFailed

log = structlog.get_logger(__name__)

_TRUNKS: Final = "CR_TRUNKS"
_LIVE: Final = "GROUP_COUNT(live@callrouter)"
"""Every call that was admitted carries this mark until its channel ends, with an engine or without one."""
_ENABLED: Final = "enabled"


class Asks(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def send_batch(self, requests: Sequence[tuple[str, Headers]]) -> list[asyncio.Future[AmiMessage]]: ...

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]: ...


@dataclass(frozen=True, kw_only=True)
class Drained:
    """How far a PBX is drained."""

    trunks: Sequence[str]
    """Endpoints by which carriers' calls come in."""
    in_maintenance: Sequence[str]
    """Those of them that take none."""
    calls: int
    """Calls that came in and go on."""
    channels: int
    """Channels of all kinds, agents' and outgoing ones too: at 0 Asterisk can be stopped."""


class Maintenance:
    """Begins and ends it, and says how far it is."""

    def __init__(self, link: Asks) -> None:
        self._link = link

    async def set(self, *, draining: bool) -> Drained:
        """Refuse new calls of all carriers from now on, or take them again; how far it is then.

        Raises:
            ActionFailed: Asterisk cannot do it, and the sentence says what it needs.
            AmiError: the link went away meanwhile.
        """
        trunks = await self._trunks()
        state = "on" if draining else "off"
        asked: list[tuple[str, Headers]] = [
            ("PJSIPSetMaintenance", {"Endpoint": trunk, "State": state}) for trunk in trunks
        ]
        try:
            await asyncio.gather(*self._link.send_batch(asked))
        except ActionFailed as error:
            raise ActionFailed(_cannot(str(error))) from error
        drained = await self.look()
        log.warning(
            "the PBX takes no new call: it is drained" if draining else "the PBX takes new calls again",
            endpoints=list(trunks),
            calls=drained.calls,
        )
        return drained

    async def look(self) -> Drained:
        """How far it is now.

        Raises:
            ActionFailed: Asterisk cannot do it, and the sentence says what it needs.
            AmiError: the link went away meanwhile.
        """
        trunks = await self._trunks()
        live, status = self._link.send_batch([("Getvar", {"Variable": _LIVE}), ("CoreStatus", ())])
        try:
            shown = await self._link.collect("PJSIPShowMaintenance")
        except ActionFailed as error:
            raise ActionFailed(_cannot(str(error))) from error
        there = {message["Endpoint"] for message in shown if message["Status"] == _ENABLED}
        return Drained(
            trunks=trunks,
            in_maintenance=[trunk for trunk in trunks if trunk in there],
            calls=_number((await live)["Value"]),
            channels=_number((await status)["CoreCurrentCalls"]),
        )

    async def _trunks(self) -> list[str]:
        (answer,) = await asyncio.gather(*self._link.send_batch([("Getvar", {"Variable": _TRUNKS})]))
        if trunks := [name for name in answer["Value"].split("&") if name]:
            return trunks
        raise ActionFailed("Asterisk's extensions.conf names no carrier (CR_TRUNKS): render it again")


def _cannot(said: str) -> str:
    return f"Asterisk cannot be drained ({said}): it needs res_pjsip_maintenance.so, of 22.10 or later"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
