"""The service figures of a period, computed from journeys and nothing else: by client, promise, and what is asked.

A journey belongs to the period in which it rang, and is judged by what the version of the plan that it walked
promised (`promises`): whatever is promised later changes no figure. Its waiting time is what it spent in queues and
dials, from entry into service; answered within T means T or less, a short abandon is one below the client's limit.
`answered` counts journeys bridged to a human (answered and redirected). Handle time is talk time here: hold and
wrap-up are not recorded yet. A rate without anything to divide by is None, never 0.

A journey that was recorded under a former name of a client (`plans`) is the client's.

What is kept of days (`figures`) gives the same figures as the calls, in one snapshot, at once; what is not right there
is read from the calls.

A journey whose version is not kept, or is kept without a promise, is judged by `DEFAULT_TARGET`, and listed apart: a
caller of an unknown number, a version whose row is still to be written, or whose document did not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.service_level import Promise
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping, Part, bounds_of, parts_of
from callrouter.store.figures.measuring import by_hour, by_promise, none_at_all
from callrouter.store.figures.model import ClientStats, Group, Grouped, Stats
from callrouter.store.figures.reading import Tally, read_tallies
from callrouter.store.figures.rows import ONE_INSTANT, Marks, read_marks
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.gaps import gaps_within
from callrouter.store.promises import promise_in_service


async def read_stats(database: Database, period: Period, *, now: datetime, client: str | None = None) -> Stats:
    """The figures of every client that had calls in the period, by name; or of one client, calls or not.

    A client's days are those of the time zone that its plan in service names. A client without one (calls to numbers
    of nobody) has the operator's: the zone that most clients have, else UTC.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, in every client's zone.
    """
    async with database.connection() as connection:
        await connection.execute(ONE_INSTANT)
        clients = None if client is None else [client]
        zones = await read_zones(connection, clients, asked_by_former_name=True)
        parts = _parts(zones, period, now, clients)
        marks = await read_marks(connection, parts)
        found = [one for part in parts for one in await _stats_of(connection, zones, marks, part, client)]
        if client is not None and not found:
            promise = await promise_in_service(connection, client)
            found = [_without_calls(client, parts[0], promise)]
        from_at, to_at = bounds_of(parts, zones.operators)
        gaps = await gaps_within(connection, from_at, to_at)
    return Stats(from_at=from_at, to_at=to_at, clients=sorted(found, key=lambda one: one.client), gaps=gaps)


async def read_figures(
    database: Database,
    period: Period,
    *,
    by: Sequence[Grouping],
    now: datetime,
    clients: Sequence[str] | None = None,
    zone: ZoneInfo | None = None,
) -> Grouped:
    """The figures of a period, by whatever is asked for.

    Args:
        database: open.
        period: read in each client's zone, or in `zone`.
        by: the groupings; none: all journeys together.
        now: the present instant.
        clients: whose, as they are called now; None: everybody's, and nobody's.
        zone: in which days, hours and the period are cut; None: in each client's own.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, in every client's zone.
    """
    async with database.connection() as connection:
        await connection.execute(ONE_INSTANT)
        zones = await read_zones(connection, clients)
        parts = _parts(zones, period, now, clients, zone)
        marks = await read_marks(connection, parts)
        keyed: dict[tuple[Any, ...], list[Tally]] = {}
        for part in parts:
            for keys, tally in _keyed(await read_tallies(connection, zones, marks, part, by), zones, part, by):
                keyed.setdefault(keys, []).append(tally)
        from_at, to_at = bounds_of(parts, zone or zones.operators)
        gaps = await gaps_within(connection, from_at, to_at)
    groups = [_group(keys, tallies) for keys, tallies in sorted(keyed.items())]
    total = _group((), [one for tallies in keyed.values() for one in tallies])
    return Grouped(from_at=from_at, to_at=to_at, groups=groups, total=total, gaps=gaps)


def _group(keys: tuple[Any, ...], tallies: Sequence[Tally]) -> Group:
    figures, promises = by_promise(tallies) if tallies else none_at_all(None)
    return Group(keys=keys, figures=figures, promises=promises)


def _parts(
    zones: Zones, period: Period, now: datetime, clients: Sequence[str] | None, zone: ZoneInfo | None = None
) -> list[Part]:
    parts = parts_of(zones, period, now, clients, zone)
    if all(part.is_empty for part in parts):
        raise ValueError("the period ends before it begins")
    return parts


def _keyed(
    tallies: Sequence[Tally], zones: Zones, part: Part, by: Sequence[Grouping]
) -> list[tuple[tuple[Any, ...], Tally]]:
    """Journeys by the values of all groupings, in their order."""
    known = [one for one in by if one not in (Grouping.CLIENT, Grouping.HOUR)]
    with_hours = by_hour(tallies, part.zone) if Grouping.HOUR in by else ((None, one) for one in tallies)
    found = []
    for hour, tally in with_hours:
        values: dict[Grouping, Any] = dict(zip(known, tally.keys, strict=True))
        values |= {Grouping.CLIENT: zones.present.get(tally.client, tally.client), Grouping.HOUR: hour}
        found.append((tuple(values[one] for one in by), tally))
    return found


async def _stats_of(
    connection: AsyncConnection, zones: Zones, marks: Marks, part: Part, client: str | None
) -> list[ClientStats]:
    tallies = await read_tallies(connection, zones, marks, part, [Grouping.CLIENT])

    def name_of(tally: Tally) -> str:
        # Asked for by a name that was handed on, it is a client by itself.
        return client or zones.present.get(tally.client, tally.client)

    found = []
    for name, its in groupby(sorted(tallies, key=name_of), key=name_of):
        figures, promises = by_promise(its)
        found.append(
            ClientStats(
                client=name,
                from_at=part.from_at,
                to_at=part.to_at,
                figures=figures,
                promises=promises,
            )
        )
    return found


def _without_calls(client: str, part: Part, promise: Promise | None) -> ClientStats:
    figures, promises = none_at_all(promise)
    return ClientStats(client=client, from_at=part.from_at, to_at=part.to_at, figures=figures, promises=promises)
