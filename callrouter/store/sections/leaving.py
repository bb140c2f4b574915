"""Where journeys end: how many left a client's tree at each node, by what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from callrouter.core.call import Disposition
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.figures.asking import parts_of
from callrouter.store.figures.zones import read_zones
from callrouter.store.tables import PATH_ARROW

_COUNTED: Final = """
    SELECT client, split_part(node_path, :arrow, -1) AS node, disposition, count(*) AS journeys
    FROM calls WHERE ringing_at >= :from_at AND ringing_at < :to_at AND {whose}
    GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Journeys that ended at one node of a client's tree."""

    client: str
    node: str
    """Empty: they never came to one."""
    by_disposition: dict[Disposition, int]
    """Every disposition."""


async def read_leaving(
    database: Database,
    period: Period,
    *,
    now: datetime,
    clients: Sequence[str] | None = None,
    zone: ZoneInfo | None = None,
) -> list[Leaving]:
    """By client and node. They are counted from the calls themselves: a row of days knows no node.

    Args:
        database: open.
        period: read in each client's zone, or in `zone`.
        now: the present instant.
        clients: whose, as they are called now; None: everybody's.
        zone: on whose clocks the period is; None: each client's own.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, in every client's zone.
    """
    found: dict[tuple[str, str], dict[Disposition, int]] = {}
    async with database.connection() as connection:
        zones = await read_zones(connection)
        parts = parts_of(zones, period, now, clients, zone)
        if all(part.from_at >= part.to_at for part in parts):
            raise ValueError("the period ends before it begins")
        for part in parts:
            query = text(_COUNTED.format(whose=part.where("client")))
            values = {"from_at": part.from_at, "to_at": part.to_at, "arrow": PATH_ARROW, **part.values}
            for row in await connection.execute(query, values):
                key = zones.present.get(row.client, row.client), row.node
                told = found.setdefault(key, dict.fromkeys(Disposition, 0))
                told[Disposition(row.disposition)] += row.journeys
    return [Leaving(client=key[0], node=key[1], by_disposition=told) for key, told in sorted(found.items())]
