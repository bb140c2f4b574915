"""Declares the times in which calls may have come that this engine did not see: the link was away, or it stopped.

A report then says that it does not know, instead of showing zero. While everything is seen, a beat every few seconds
says so; after an engine that was killed, the next one declares the time from the last beat to its own log-in.
PostgreSQL may be away: beats are left out meanwhile, and a gap is then declared too long rather than too short.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from callrouter.core.call import DEFAULT_PBX
from callrouter.errors import StoreError
from callrouter.runtime.pauses import pause
from callrouter.store.database import Database
from callrouter.store.gaps import BEAT_SECONDS, beat, close_gaps, open_gap, take_up

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
MOST_WAITING = 1000
"""Ends and beginnings of watching that wait for PostgreSQL."""


class Observation:
    """Writes gaps in the order they happen, as soon as PostgreSQL takes them."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        *,
        pbx: str = DEFAULT_PBX,
        formerly: Sequence[str] = (),
        on_taken_up: Callable[[], None] = lambda: None,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        """`pbx` is watched, which was called `formerly` by the engine before, if otherwise; `on_taken_up`: PostgreSQL
        knows that it is called so now."""
        self._database = database
        self._pbx = pbx
        self._formerly = formerly
        self._on_taken_up = on_taken_up
        self._now = now
        self._beat_seconds = beat_seconds
        self._taken_up = False
        """The gap that a predecessor may have left is declared."""
        self.watching = False
        """Whether everything is seen now."""
        self._to_write: deque[tuple[datetime, str | None]] = deque()
        self._work = asyncio.Event()

    def begins(self, at: datetime) -> None:
        """From here on everything is seen."""
        self.watching = True
        self._note(at, None)

    def ends(self, at: datetime, reason: str) -> None:
        """From here on nothing is; told again while nobody watches, it changes nothing."""
        if self.watching:
            self.watching = False
            self._note(at, reason)

    async def hands_over(self, seconds: float) -> None:
        """Another engine goes on at once: it declares itself what lies between this, which is the last beat, and its
        own beginning. PostgreSQL has so long to take it.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._beat()
        self.watching = False

    def _note(self, at: datetime, reason: str | None) -> None:
        self._to_write.append((at, reason))
        if len(self._to_write) > MOST_WAITING:
            # A link that flaps while PostgreSQL is away: the oldest gap lasts until the end of the next one.
            oldest = 0 if self._to_write[0][1] is not None else 1
            del self._to_write[oldest + 1], self._to_write[oldest + 1]
        self._work.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await pause(self._beat_seconds, self._work)
            self._work.clear()
            await self.flush(retry=True)
            await self._beat()

    async def flush(self, *, retry: bool = False) -> None:
        """Write what is left; without `retry`, what PostgreSQL does not take is only logged."""
        while self._to_write:
            at, reason = self._to_write[0]
            try:
                await self._write(at, reason)
            except StoreError as error:
                if not retry:
                    log.warning("a gap in observation could not be recorded", since=at.isoformat(), reason=str(error))
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._to_write.popleft()

    async def _write(self, at: datetime, reason: str | None) -> None:
        if reason is not None:
            await open_gap(self._database, at, reason, self._pbx)
        elif self._taken_up:
            await close_gaps(self._database, at, self._pbx)
        else:
            await take_up(self._database, at, self._pbx, self._formerly)
            self._taken_up = True
            try:
                self._on_taken_up()
            except OSError as error:  # the next life of the engine does it again
                log.warning("the engine's own file cannot be written", reason=str(error))

    async def _beat(self) -> None:
        """The first one comes after `take_up`: it would hide since when nobody watched."""
        if self.watching and self._taken_up and not self._to_write:
            with contextlib.suppress(StoreError):  # the next one says as much
                await beat(self._database, self._now(), self._pbx)
