"""The worker's part: makes marked days again, a few at a time, for as long as it is the worker that works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.store.database import Database
from callrouter.store.figures.rebuilding import rebuild_some

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0
"""How often marks are looked for. Reports are right meanwhile: of marked days they read the calls."""
REST_SECONDS: Final = 0.05
"""Between two rounds, where there is much to do: after an upgrade all days are made."""


class DayKeeper:
    """Of one worker."""

    def __init__(self, database: Database, works: Callable[[], bool], *, every_seconds: float = LOOK_SECONDS) -> None:
        """`works`: whether this worker is the one that works."""
        self._database = database
        self._works = works
        self._every_seconds = every_seconds
        self._fails = Outage(
            log,
            "figures of days are not made again: reports are right, and slower the longer it lasts",
            "figures of days are made again",
            level="warning",
        )

    async def run(self) -> None:
        """Make them until cancelled."""
        while True:
            rest_seconds = self._every_seconds
            if self._works():
                try:
                    done = await rebuild_some(self._database)
                except StoreError as error:
                    self._fails.failed(str(error))
                else:
                    self._fails.ended()
                    if done.cut_anew:
                        log.info("a client's days are cut anew", days=done.days)
                    if done.is_more:
                        rest_seconds = REST_SECONDS
            await asyncio.sleep(rest_seconds)
