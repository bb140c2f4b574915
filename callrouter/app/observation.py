"""Declares the times in which calls may have come that this engine did not see: the link was away, or it stopped.

A report then says that it does not know, instead of showing zero. An engine that was killed declares nothing; the
next one cannot know since when nobody watched.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime

import structlog

from callrouter.errors import StoreError
from callrouter.store.database import Database
from callrouter.store.gaps import close_gaps, open_gap

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class Observation:
    """Writes gaps in the order they happen, as soon as PostgreSQL takes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
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

    def _note(self, at: datetime, reason: str | None) -> None:
        self._to_write.append((at, reason))
        self._work.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self.flush(retry=True)

    async def flush(self, *, retry: bool = False) -> None:
        """Write what is left; without `retry`, what PostgreSQL does not take is only logged."""
        while self._to_write:
            at, reason = self._to_write[0]
            try:
                await (close_gaps(self._database, at) if reason is None else open_gap(self._database, at, reason))
            except StoreError as error:
                if not retry:
                    log.warning("a gap in observation could not be recorded", since=at.isoformat(), reason=str(error))
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._to_write.popleft()
