"""The engine's look at marked days, for Prometheus."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from callrouter.runtime.watch import Watch
from callrouter.store.database import Database

_WAITS: Final = text(
    """SELECT coalesce(extract(epoch FROM now() - min(noted_at)), 0)::float8
       FROM (SELECT noted_at FROM figure_marks LIMIT 10000) AS first_found"""
)
"""Of the first that are found: they are about the oldest, and many are there where nobody takes them away."""


class MarksWatch(Watch[float]):
    """Asks for how long the days wait that are to be made again, in seconds."""

    def __init__(self, database: Database) -> None:
        async def wait_seconds() -> float:
            async with database.connection() as connection:
                waits: float = (await connection.execute(_WAITS)).scalar_one()
                return waits

        super().__init__(wait_seconds, "marked days are")
