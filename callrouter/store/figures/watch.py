"""The engine's look at marked days, for Prometheus: a worker that has died does not say so itself."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from sqlalchemy import text

from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.store.database import Database

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 15.0

_WAITS: Final = text(
    """SELECT coalesce(extract(epoch FROM now() - min(noted_at)), 0)::float8
       FROM (SELECT noted_at FROM figure_marks LIMIT 10000) AS first_found"""
)
"""Of the first that are found: they are about the oldest, and many are there where nobody takes them away."""


class MarksWatch:
    """Asks how long the days wait that are to be made again."""

    def __init__(self, database: Database, *, every_seconds: float = LOOK_SECONDS) -> None:
        self._database = database
        self._every_seconds = every_seconds
        self._away = Outage(log, "marked days are not counted", "marked days are counted again", level="warning")
        self.wait_seconds: float | None = None
        """For how long the oldest mark waits; None: it is not known."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every_seconds)
            await self.look()

    async def look(self) -> None:
        """Ask now."""
        try:
            async with self._database.connection() as connection:
                self.wait_seconds = (await connection.execute(_WAITS)).scalar_one()
        except StoreError as error:
            self.wait_seconds = None
            self._away.failed(str(error))
        else:
            self._away.ended()
