"""The worker's part: looks after what is kept, for as long as it is the worker that works.

Every minute recordings are measured and those deleted whose callers objected; every hour those go whose time is over;
once a day all else. All of it is one run, of which one is at a time: whoever holds the lock. A deletion that takes long
rests after each step, and looks after recordings meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from callrouter.core.retention.rule import Retention
from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.permissions import OURSELVES
from callrouter.store.access.keeping import Keeper
from callrouter.store.access.recordings import Recordings
from callrouter.store.database import Database
from callrouter.store.retention.running import Retaining, Run, last_began_at

log = structlog.get_logger(__name__)

ROUND_SECONDS: Final = 60.0
EXPIRE_SECONDS: Final = 3600.0
DAILY: Final = timedelta(hours=23)
"""After which the next run of all begins, at one of the hourly looks."""


class RetentionKeeper:
    """Of one worker, or of a command that has it run now."""

    def __init__(
        self,
        database: Database,
        recordings: Recordings,
        keeper: Keeper,
        operators: Retention,
        *,
        works: Callable[[], bool],
        now: Callable[[], datetime],
        late: Callable[[], Awaitable[int]] | None = None,
        round_seconds: float = ROUND_SECONDS,
    ) -> None:
        """`works`: whether this worker is the one that works; `late`: what erases rows of persons who are erased, and
        came afterwards.
        """
        self._database = database
        self._keeper = keeper
        self._works = works
        self._late = late
        self._now = now
        self._round_seconds = round_seconds
        self._looked_at = time.monotonic()
        self._retaining = Retaining(database, recordings, operators, now=now, between=self._meanwhile)
        self._away = Outage(log, "what is kept is looked after later", "what is kept is looked after", level="warning")

    async def run(self) -> None:
        """Until cancelled."""
        rounds = 0
        while True:
            if self._works():
                try:
                    async with self._keeper.alone() as alone:
                        if alone:
                            await self._round(rounds)
                            rounds += 1
                    self._away.ended()
                except StoreError as error:
                    self._away.failed(str(error))
            await asyncio.sleep(self._round_seconds)

    async def run_now(self, asked_by: str, *, at_once: bool, say: Callable[[str], None]) -> Run | None:
        """All of it, now; None: another run goes on.

        Raises:
            StoreError: PostgreSQL does not answer.
        """
        async with self._keeper.alone() as alone:
            if not alone:
                return None
            await self._retaining.settle(at_once=at_once)
            recordings = await self._recordings_over()
            return await self._retaining.run(asked_by, at_once=at_once, recordings=recordings, say=say)

    async def _round(self, rounds: int) -> None:
        if rounds == 0:
            await self._keeper.adopt()
        await self._look()
        if rounds % (EXPIRE_SECONDS // ROUND_SECONDS) == 0:
            await self._retaining.settle()
            recordings = await self._recordings_over()
            last_at = await last_began_at(self._database)
            if recordings or last_at is None or self._now() - last_at >= DAILY:
                await self._retaining.run(OURSELVES, recordings=recordings)

    async def _recordings_over(self) -> int:
        return await self._keeper.expire() + await self._keeper.sweep()

    async def _look(self) -> None:
        self._looked_at = time.monotonic()
        await self._keeper.delete_objected()
        await self._keeper.measure()
        if self._late is not None:
            await self._late()

    async def _meanwhile(self) -> None:
        """In a run that takes long: recordings are looked after as always."""
        if time.monotonic() - self._looked_at >= self._round_seconds:
            await self._look()
