"""Keeps figures of days whose calls are about to go: from then on nobody makes these days again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from callrouter.store.database import Database
from callrouter.store.figures.cutting import alone
from callrouter.store.figures.folding import unfold
from callrouter.store.figures.zones import read_zones

_MARKED: Final = text("SELECT EXISTS (SELECT FROM figure_marks WHERE client = :client AND quarter_at < :at)")
_KEEP: Final = text(
    """
    INSERT INTO kept_from (client, from_at) VALUES (:client, :at)
    ON CONFLICT (client) DO UPDATE SET from_at = greatest(kept_from.from_at, excluded.from_at)
    """
)


async def move_border(database: Database, client: str, at: datetime) -> bool:
    """Have a client's days before an instant stay as they are; False: they are not what the calls say yet.

    It never goes back: what is gone does not come again.

    Args:
        database: open.
        client: as its calls name it.
        at: when a day of the client's zone begins.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with alone(database) as connection:
        zones = await read_zones(connection)
        values = {"client": client, "at": at}
        if not zones.is_kept(client) or (await connection.execute(_MARKED, values)).scalar_one():
            return False
        await unfold(connection, zones, client, at)
        await connection.execute(_KEEP, values)
    return True
