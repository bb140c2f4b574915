"""What is read of journeys: how many were what, and the times of each, by whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import Disposition
from callrouter.core.service_level import Promise
from callrouter.store.figures.asking import Grouping, Part
from callrouter.store.figures.making import OF_JOURNEYS
from callrouter.store.figures.rows import Marks, read_summed
from callrouter.store.figures.summed import Summed
from callrouter.store.figures.zones import Zones


class Tally(Struct, frozen=True, kw_only=True, gc=False):
    """Journeys under one promise, as far as they are alike in what is asked for."""

    client: str
    """As its calls name it; empty: it is not asked for."""
    keys: tuple[Any, ...]
    """The values of the groupings that SQL knows, in their order."""
    promise_id: int | None
    promise: Promise | None
    """None: none is known for the version."""
    first_at: datetime
    received: int
    offered: int
    by_disposition: Sequence[int]
    """In the order of the enumeration."""
    talk_seconds: float
    waits: bytes
    lost: bytes
    reached_after: bytes
    changing_day: date | None = None
    """With hours: which day it is of, where the clocks change on it."""
    talks: bytes = b""
    quarters: bytes = b""
    kinds: bytes = b""


_SUMMED: Final = ("received", "offered", *(one.value for one in Disposition), "talk_seconds")
_JOINED: Final = ("waits", "lost", "reached_after")
_OF_HOURS: Final = ("talks", "quarters", "kinds")


async def read_tallies(
    connection: AsyncConnection, zones: Zones, marks: Marks, part: Part, by: Sequence[Grouping] = ()
) -> list[Tally]:
    """Journeys of a part, in a transaction that sees one instant.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    joined = (*_JOINED, *(_OF_HOURS if Grouping.HOUR in by else ()))
    rows = await read_summed(connection, zones, marks, part, by, OF_JOURNEYS, _SUMMED, joined)
    return [_tally(row) for row in rows]


def _tally(row: Summed) -> Tally:
    received, offered, *by_disposition, talk_seconds = row.sums
    waits, lost, reached_after, *of_hours = row.joined
    talks, quarters, kinds = of_hours or (b"", b"", b"")
    return Tally(
        client=row.client,
        keys=row.keys,
        promise_id=row.promise_id,
        promise=row.promise,
        first_at=row.first_at,
        received=received,
        offered=offered,
        by_disposition=by_disposition,
        talk_seconds=talk_seconds,
        waits=waits,
        lost=lost,
        reached_after=reached_after,
        changing_day=row.changing_day,
        talks=talks,
        quarters=quarters,
        kinds=kinds,
    )
