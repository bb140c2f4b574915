"""Restarts two engines one after the other, the one that waits first: calls are always one's that leads.

Whatever goes wrong on the way stops it where an engine leads: a new release that does not start is seen on the standby,
and the old one goes on.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from callrouter.asterisk.leading.heartbeat import BEAT_SECONDS
from callrouter.errors import HandOverFailed

START_SECONDS: Final = 120.0
"""The first start of a release speaks prompts that have changed."""
IN_CHARGE_SECONDS: Final = 15.0
KNOWN_SECONDS: Final = 2 * BEAT_SECONDS + 0.5
"""After so long the leader has seen two beats of a standby that has just begun to wait."""
LOOK_SECONDS: Final = 0.05
_ANSWER_SECONDS: Final = 1.0


class Stand(StrEnum):
    """Where an engine is, as it says."""

    LEADS = "leads"
    WAITS = "waits"
    AWAY = "away"
    """It does not answer, or does not say."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One engine as the operator has it."""

    name: str
    """Of its service."""
    url: str
    """http://host:port, without a slash at the end."""


class Upgrade:
    """Of two engines of one PBX."""

    def __init__(
        self, units: Sequence[Unit], restart: Callable[[Unit], Awaitable[None]], say: Callable[[str], None]
    ) -> None:
        """`restart` ends an engine and starts it; `say` is told each step as a sentence."""
        self._units = units
        self._restart = restart
        self._say = say

    async def run(self) -> None:
        """Both are restarted, and one leads.

        Raises:
            HandOverFailed: none leads at the beginning, or one did not come back; the sentence says which leads.
        """
        stands = {unit: await self._stand(unit) for unit in self._units}
        leaders = [unit for unit, stand in stands.items() if stand is Stand.LEADS]
        if len(leaders) != 1:
            raise HandOverFailed(
                f"{len(leaders)} of {len(self._units)} engines say that they lead: see `callrouter status`, and "
                "CALLROUTER_ENGINE_URL, which has to name both; nothing was restarted"
            )
        (leader,) = leaders
        (other,) = [unit for unit in self._units if unit != leader]
        self._say(f"{leader.name} leads ({await _version(leader)}); {other.name} is restarted first")
        await self._restart(other)
        otherwise = f"{other.name} does not wait for its place: {leader.name} leads on"
        await self._until(other, Stand.WAITS, START_SECONDS, otherwise)
        self._say(f"{other.name} waits ({await _version(other)}); {leader.name} is restarted and hands over")
        await asyncio.sleep(KNOWN_SECONDS)
        began = time.monotonic()
        restarting = asyncio.ensure_future(self._restart(leader))  # noqa: TID251 - awaited here
        try:
            await self._until(other, Stand.LEADS, IN_CHARGE_SECONDS, f"{other.name} does not say that it leads")
            self._say(f"{other.name} leads, {time.monotonic() - began:.1f} s after {leader.name} was asked to stop")
        finally:
            await restarting
        await self._until(leader, Stand.WAITS, START_SECONDS, f"{leader.name} does not come back: {other.name} leads")
        self._say(f"{leader.name} waits ({await _version(leader)}): done")

    async def _until(self, unit: Unit, stand: Stand, seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while await self._stand(unit) is not stand:
            if time.monotonic() > deadline:
                raise HandOverFailed(f"{otherwise}. Look at its log (`journalctl -u {unit.name}`)")
            await asyncio.sleep(LOOK_SECONDS)

    async def _stand(self, unit: Unit) -> Stand:
        for line in (await _asked(unit, "/metrics")).splitlines():
            if line.startswith("callrouter_leader "):
                return Stand.LEADS if float(line.split()[1]) else Stand.WAITS
        return Stand.AWAY


async def _version(unit: Unit) -> str:
    try:
        return f"release {json.loads(await _asked(unit, '/health'))['version']}"
    except (ValueError, KeyError, TypeError):
        return "of a release that it does not say"


async def _asked(unit: Unit, path: str) -> str:
    """What it answers; empty when it does not."""

    def ask() -> str:
        place = urlsplit(unit.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", place.path + path)
            return connection.getresponse().read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    return await asyncio.to_thread(ask)
