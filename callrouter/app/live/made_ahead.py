"""Plans of what is live, made by an engine that waits for its place: the calls that it takes over do not wait for them.

Making one takes some milliseconds, and those of a hundred clients the better part of a second. What the leader writes
to the disk that both have is looked at every second, and what is new there is made, one plan at a time and with pauses:
the processors are the leader's and Asterisk's. Holidays are looked up around the day, so that another day makes all
anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

import structlog

from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.live_plans import INDEX, LivePlans, Version
from callrouter.core.plan import Plan
from callrouter.dialplan import SoundSource

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.02
"""After each plan."""


class MadeAhead:
    """See the module; `run` makes, `plans` has what was made."""

    def __init__(
        self, folder: Path, sounds: Callable[[], SoundSource], *, region: str, now: Callable[[], datetime]
    ) -> None:
        """`folder`: what is live, on disk; `sounds`: asked when the first plan is made; the rest as for `DiskPlans`."""
        self._folder = folder
        self._sounds = sounds
        self._region = region
        self._now = now
        self._made: dict[Version, Plan] = {}
        self._stood_at: tuple[int, int] | None = None
        self._day: date | None = None

    @property
    def plans(self) -> Mapping[Version, Plan]:
        """By client and version."""
        return self._made

    async def run(self) -> None:
        """Look and make until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Make what is live now and was not made yet, and forget what is live no more."""
        stands_at, day = await asyncio.to_thread(self._stamp), self._now().date()
        if stands_at == self._stood_at and day == self._day:
            return
        disk = await asyncio.to_thread(LivePlans, self._folder)
        wanted = [*((plan.client, plan.version) for plan in disk.plans.values()), *disk.walked]
        self._made = {key: self._made[key] for key in wanted if key in self._made} if day == self._day else {}
        making = DiskPlans(disk, self._sounds(), region=self._region, now=self._now)
        for key in wanted:
            if key not in self._made:
                plan = await making.find(*key)
                if plan is not None:
                    self._made[key] = plan
                await asyncio.sleep(PAUSE_SECONDS)
        self._stood_at, self._day = stands_at, day
        log.debug("plans of what is live were made", plans=len(self._made))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / INDEX).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
