"""What is written to PostgreSQL soon after it was noted, off the way of whoever noted it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from callrouter.errors import StoreError
from callrouter.logs import Outage

CLOSE_SECONDS = 3.0


class WrittenSoon:
    """The loop of one sort of rows that wait in memory; while PostgreSQL is away it tries again and again."""

    def __init__(
        self,
        flush: Callable[[], Awaitable[None]],
        away: Outage,
        *,
        waiting: Callable[[], int],
        pause_seconds: float,
        retry_seconds: float,
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`flush` writes what waits, or raises StoreError; `waiting` counts it, for the log; `meanwhile` is called each
        time that it could not be written.
        """
        self._flush = flush
        self._away = away
        self._waiting = waiting
        self._pause_seconds = pause_seconds
        self._retry_seconds = retry_seconds
        self._meanwhile = meanwhile
        self._due = asyncio.Event()

    def due(self) -> None:
        """Something waits."""
        self._due.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            pause = self._pause_seconds
            try:
                await self._flush()
            except StoreError as error:
                self._away.failed(str(error), waiting=self._waiting())
                if self._meanwhile is not None:
                    await self._meanwhile()
                pause = self._retry_seconds
                self._due.set()
            else:
                self._away.ended()
            await asyncio.sleep(pause)

    async def close(self) -> str:
        """Write what waits, in `CLOSE_SECONDS`; why that could not be done, or an empty text."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._flush()
        except (StoreError, TimeoutError) as error:
            return str(error) or "no answer"
        return ""
