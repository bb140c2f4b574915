"""Says when a carrier is away, or refuses to register us: else nobody would notice before all are, or no call comes in.

Asterisk asks each address at which numbers are dialled whether it is there (OPTIONS); its endpoint is UNAVAILABLE while
it does not answer (chan_pjsip.c, chan_pjsip_devicestate). Of a registration it says after each try how it went (event
`Registry`). The lists that AMI has do not help: `PJSIPShowContacts` does not show addresses that are configured, and
`PJSIPShowRegistrationsOutbound` would send us the carriers' secrets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import structlog

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.rounds import in_rounds
from callrouter.asterisk.session import OnEvent

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0
UNDECLARED: Final = "trunk-out"
"""Where numbers are dialled when no carrier is declared: it is never asked whether it is there, or is not anywhere."""
_AWAY: Final = "UNAVAILABLE"
_REGISTERED: Final = "Registered"
FORGOTTEN_SECONDS: Final = 300.0
"""A registration that fails is tried again within two minutes; what is not heard of for longer is declared no more."""


class Asks(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def tells(self, *, events: Mapping[str, OnEvent]) -> None: ...

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]: ...


class TrunkCheck:
    """Which of the carriers' addresses can be reached, and which registrations fail. Make it before the link runs.

    Args:
        link: the link to Asterisk.
        link_up: whether it makes sense to ask.
        on_checked: called after each look with how many addresses there are, how many of them are away, and how many
            registrations fail.
        now_seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        link: Asks,
        *,
        link_up: Callable[[], bool],
        on_checked: Callable[[int, int, int], None],
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._link_up = link_up
        self._on_checked = on_checked
        self._now_seconds = now_seconds
        self._failed_at: dict[str, float] = {}
        link.tells(events={"Registry": self._on_registry})
        self.addresses: tuple[str, ...] = ()
        """Endpoints at which numbers are dialled, in order, as of the last look."""
        self.away: tuple[str, ...] = ()
        """Those of them that did not answer."""

    @property
    def trouble(self) -> str | None:
        """What is wrong, as a sentence; None when nothing is."""
        said = []
        names = ", ".join(self.away)
        if self.away and self.away == self.addresses:
            said.append(f"no carrier answers ({names}): numbers outside cannot be dialled")
        elif self.away:
            said.append(f"{names} does not answer: numbers are dialled at the carriers that do")
        if self.unregistered:
            said.append(f"we are not registered as {', '.join(self.unregistered)}: its calls do not come in")
        return "; ".join(said) or None

    @property
    def unregistered(self) -> tuple[str, ...]:
        """Accounts (`sip:user@host`) whose registration failed the last time."""
        return tuple(self._failed_at)

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        await in_rounds(self.look, every_seconds=LOOK_SECONDS, link_up=self._link_up)

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
        oldest = self._now_seconds() - FORGOTTEN_SECONDS
        self._failed_at = {account: at for account, at in self._failed_at.items() if at > oldest}
        self._on_checked(len(addresses), len(away), len(self._failed_at))

    async def _values(self, names: list[str]) -> list[str]:
        answers = self._link.send_batch([("Getvar", {"Variable": name}) for name in names])
        return [answer["Value"] for answer in await asyncio.gather(*answers)]

    def _on_registry(self, event: AmiMessage) -> None:
        account, status = event["Username"], event["Status"]
        if status != _REGISTERED:
            if account not in self._failed_at:
                log.error("a carrier does not register us: its calls do not come in", account=account, status=status)
            self._failed_at[account] = self._now_seconds()
        elif self._failed_at.pop(account, None) is not None:
            log.info("a carrier has registered us again", account=account)

    def _say(self, away: tuple[str, ...]) -> None:
        if away:
            log.error("a carrier does not answer: numbers are dialled elsewhere, if there is one", endpoints=away)
        else:
            log.info("every carrier answers")
