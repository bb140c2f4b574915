"""The engine's look at the board, for Prometheus: a worker that has died does not say so itself.

It costs an indexed query four times a minute, and nothing of it is asked while calls are taken over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.store.database import Database
from callrouter.store.dispatch.board import BoardFigures, count_board

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 15.0


class BoardWatch:
    """Counts what stands on it."""

    def __init__(self, database: Database, now: Callable[[], datetime], *, every_seconds: float = LOOK_SECONDS) -> None:
        """`now` is the clock calls are stamped by, which is the worker's."""
        self._database = database
        self._now = now
        self._every_seconds = every_seconds
        self._away = Outage(
            log,
            "messages that need attention are not counted",
            "messages that need attention are counted again",
            level="warning",
        )
        self.figures: BoardFigures | None = None
        """As of the last look; None: it is not known."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every_seconds)
            await self.look()

    async def look(self) -> None:
        """Count now."""
        try:
            self.figures = await count_board(self._database, self._now())
        except StoreError as error:
            self.figures = None
            self._away.failed(str(error))
        else:
            self._away.ended()
