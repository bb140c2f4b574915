"""Says when a carrier is away: calls are dialled at the next one, or at none, and nobody would notice until both are.

Asterisk asks each address at which numbers are dialled whether it is there (OPTIONS); its endpoint is UNAVAILABLE while
it does not answer (chan_pjsip.c, chan_pjsip_devicestate). `PJSIPShowContacts` does not show addresses that are
configured, and `PJSIPShowRegistrationsOutbound` would send us the carriers' secrets: so the endpoints' states are read,
and registrations are left to Asterisk's own log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import structlog

from callrouter.asterisk.codec import AmiMessage
from callrouter.errors import AmiError

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0
UNDECLARED: Final = "trunk-out"
"""Where numbers are dialled when no carrier is declared: it is never asked whether it is there, or is not anywhere."""
_AWAY: Final = "UNAVAILABLE"


class Asks(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]: ...


class TrunkCheck:
    """Which of the carriers' addresses can be reached.

    Args:
        link: the link to Asterisk.
        link_up: whether it makes sense to ask.
        on_checked: called after each look with how many addresses there are, and how many are away.
    """

    def __init__(self, link: Asks, *, link_up: Callable[[], bool], on_checked: Callable[[int, int], None]) -> None:
        self._link = link
        self._link_up = link_up
        self._on_checked = on_checked
        self.addresses: tuple[str, ...] = ()
        """Endpoints at which numbers are dialled, in order, as of the last look."""
        self.away: tuple[str, ...] = ()
        """Those of them that did not answer."""

    @property
    def trouble(self) -> str | None:
        """What is wrong, as a sentence; None when nothing is."""
        if not self.away:
            return None
        names = ", ".join(self.away)
        if self.away == self.addresses:
            return f"no carrier answers ({names}): numbers outside cannot be dialled"
        return f"{names} does not answer: numbers are dialled at the carriers that do"

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            if self._link_up():
                with suppress(AmiError):  # the next round does it again
                    await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask Asterisk now.

        Raises:
            AmiError: the link went away meanwhile.
        """
        (listed,) = await self._values(["CR_CARRIERS"])
        addresses = tuple(name for name in listed.split("&") if name and name != UNDECLARED)
        states = await self._values([f"DEVICE_STATE(PJSIP/{name})" for name in addresses])
        away = tuple(name for name, state in zip(addresses, states, strict=True) if state == _AWAY)
        if away != self.away:
            self._say(away)
        self.addresses, self.away = addresses, away
        self._on_checked(len(addresses), len(away))

    async def _values(self, names: list[str]) -> list[str]:
        answers = self._link.send_batch([("Getvar", {"Variable": name}) for name in names])
        return [answer["Value"] for answer in await asyncio.gather(*answers)]

    def _say(self, away: tuple[str, ...]) -> None:
        if away:
            log.error("a carrier does not answer: numbers are dialled elsewhere, if there is one", endpoints=away)
        else:
            log.info("every carrier answers")
