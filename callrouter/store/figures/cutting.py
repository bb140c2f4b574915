"""All days of clients from their first call on: after an upgrade, when a zone or a name changed, and when it is asked.

One client is done in one transaction. Where there are many, a month of all of them is made at a time, each in a
transaction of its own: their calls lie side by side on the disk in the order in which they rang, and client by client
each page of the table would be read for each of them. Until the last one nothing of what was made is read by anybody
(`figure_zones` says that they are made in part), or it is right already; whoever is interrupted begins again. Clients
whose zone or name changes meanwhile, or whom another round cuts otherwise, are left to the next round.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.figures.days import Days, days_of_month, month_of, next_month, piece_of, spans_of
from callrouter.store.figures.folding import open_from
from callrouter.store.figures.making import KINDS, OF_JOURNEYS
from callrouter.store.figures.zones import Zones, in_part, read_zones

MANY: Final = 10
"""Clients: from so many on they are done together."""
CALLS_AT_ONCE: Final = 100_000
"""Of one client, in one statement: PostgreSQL cuts off what takes 30 s. Not a few each time: planning takes longer."""
ALL_CALLS_AT_ONCE: Final = 500_000
"""The same, of many clients."""

_ONE_INSTANT: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    # Before anything is seen: what another round did is seen by this one.
    "LOCK TABLE figure_zones IN SHARE ROW EXCLUSIVE MODE",
)
_MUCH_MEMORY: Final = text("SET LOCAL work_mem = '64MB'")
"""A month of all clients is sorted."""
_SPAN: Final = text(
    """
    SELECT min(ringing_at), max(ringing_at), count(*) FROM calls
    WHERE client = :client
        AND ringing_at >= coalesce((SELECT from_at FROM kept_from WHERE client = :client), '-infinity')
    """
)
_CALLS: Final = text("SELECT count(*) FROM calls WHERE ringing_at >= :from_at AND ringing_at < :to_at")
_FORGET_MARKS: Final = text(
    "DELETE FROM figure_marks WHERE client = ANY(:these) AND quarter_at >= :from_at AND quarter_at < :to_at"
)
_WHOLE_SPAN: Final = text("SELECT min(ringing_at), max(ringing_at) FROM calls")
_CUT_ANEW: Final = text(
    """
    INSERT INTO figure_zones (client, basis)
    SELECT * FROM unnest(CAST(:clients AS text[]), CAST(:bases AS text[]))
    ON CONFLICT (client) DO UPDATE SET basis = excluded.basis
    """
)


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction that sees one instant, and beside which no other round is."""
    async with database.connection() as connection:
        for statement in _ONE_INSTANT:
            await connection.execute(text(statement))
        yield connection


async def cut_anew(connection: AsyncConnection, zones: Zones, client: str, now: datetime) -> int:
    """All days of a client, from its first call to its last; how many. Those whose calls may be gone stay.

    Args:
        connection: of `alone`.
        zones: of all clients.
        client: as its calls name it.
        now: by which months are over.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    await _forget(connection, [client], date.min, date.max)
    await connection.execute(text("DELETE FROM figure_marks WHERE client = :client"), {"client": client})
    await _rest_on(connection, {client: zones.basis_now(client)})
    first_at, last_at, calls = (await connection.execute(_SPAN, {"client": client})).one()
    if first_at is None:
        return 0
    zone = zones.of(client)
    days = list(Days(zone, first_at, last_at + timedelta(microseconds=1)))
    at_once = max(1, len(days) * CALLS_AT_ONCE // calls)
    for in_months, its in groupby(days, key=lambda day: _folds(zones, client, month_of(day), now)):
        for span in spans_of(list(its), at_once, month_of if in_months else lambda day: day):
            await _keep(connection, zones, [client], zone, span, in_months=in_months)
    return len(days)


async def cut_all_anew(
    database: Database, clients: Sequence[str], now: datetime, said: Callable[[str], None] = lambda _: None
) -> int:
    """All days of many clients; how many days of clients they are. Those whose calls may be gone stay.

    Args:
        database: open.
        clients: as their calls name them.
        now: by which months are over.
        said: is told how far it is.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with alone(database) as connection:
        zones = await read_zones(connection)
        bases = {client: zones.basis_now(client) for client in clients}
        others = {client: in_part(basis) for client, basis in bases.items() if not zones.is_kept(client)}
        await _rest_on(connection, others)
        first_at, last_at = (await connection.execute(_WHOLE_SPAN)).one()
        by_zone: dict[str, list[str]] = {}
        for client in clients:
            by_zone.setdefault(zones.name_of(client), []).append(client)
        months = {name: _months(ZoneInfo(name), first_at, last_at) for name in by_zone}
        for name, its in by_zone.items():
            # Of other months there are no calls.
            first, after = (months[name][0], next_month(months[name][-1])) if months[name] else (date.max, date.max)
            await _forget(connection, its, date.min, first - timedelta(days=1))
            await _forget(connection, its, after, date.max)
    days, done, every = 0, 0, sum(map(len, months.values()))
    for name, its in by_zone.items():
        for month in months[name]:
            async with alone(database) as connection:
                zones = await read_zones(connection)
                await connection.execute(_MUCH_MEMORY)
                these = _still(zones, bases, its)
                days += await _make_month(connection, zones, these, ZoneInfo(name), month, now)
            for client in {*its}.difference(these):
                bases.pop(client, None)
            done += 1
            said(f"{done} of {every} months are made, {days} days of clients")
    async with alone(database) as connection:
        zones = await read_zones(connection)
        await _rest_on(connection, {client: bases[client] for client in _still(zones, bases, clients)})
    return days


def _still(zones: Zones, bases: Mapping[str, str], clients: Sequence[str]) -> Sequence[str]:
    """Those whose days are still to be cut as they were when it began, and whom nobody cuts otherwise meanwhile."""
    return [
        client
        for client in clients
        if (basis := bases.get(client)) == zones.basis_now(client) and zones.kept.get(client) in (basis, in_part(basis))
    ]


def _months(zone: ZoneInfo, first_at: datetime | None, last_at: datetime | None) -> Sequence[date]:
    """From that of the first call of all to that of the last."""
    if first_at is None or last_at is None:
        return []
    days = Days(zone, first_at, last_at + timedelta(microseconds=1))
    return sorted({month_of(day) for day in days})


async def _make_month(
    connection: AsyncConnection, zones: Zones, clients: Sequence[str], zone: ZoneInfo, month: date, now: datetime
) -> int:
    days = days_of_month(month)
    span = {"from_at": piece_of(days[0], zone).from_at, "to_at": piece_of(days[-1], zone).to_at}
    await connection.execute(_FORGET_MARKS, {"these": list(clients), **span})
    await _forget(connection, clients, days[0], days[-1])
    calls: int = (await connection.execute(_CALLS, span)).scalar_one()
    parts = calls // ALL_CALLS_AT_ONCE + 1
    for in_months in (False, True):
        its = [client for client in clients if _folds(zones, client, month, now) == in_months]
        for part in (its[start::parts] for start in range(min(parts, len(its)))):
            await _keep(connection, zones, part, zone, days, in_months=in_months)
    return len(days) * len(clients)


def _folds(zones: Zones, client: str, month: date, now: datetime) -> bool:
    return month < open_from(now) and not zones.cuts(client, month)


async def _forget(connection: AsyncConnection, clients: Sequence[str], first: date, last: date) -> None:
    """Take what is kept of whole months away, by day and by month, but for what may not be made again."""
    for kind in KINDS:
        for table, column in ((kind.table, "day"), (kind.months, "month")):
            statement = f"""
                DELETE FROM {table} AS kept
                WHERE client = ANY(:these) AND {column} BETWEEN :first AND :last AND {kind.unfrozen}
            """  # noqa: S608
            await connection.execute(text(statement), {"these": list(clients), "first": first, "last": last})


async def _keep(  # noqa: PLR0913, RUF100
    connection: AsyncConnection,
    zones: Zones,
    clients: Sequence[str],
    zone: ZoneInfo,
    days: Sequence[date],
    *,
    in_months: bool,
) -> None:
    """Rows of these days, or of their months."""
    pieces = [piece_of(day, zone) for day in days]
    values = {
        "these": list(clients),
        "days": [one.day for one in pieces],
        "begins": [one.begins_at for one in pieces],
        "from_at": pieces[0].from_at,
        "to_at": pieces[-1].to_at,
    }
    for kind in KINDS:
        names = zones.names if kind is OF_JOURNEYS else {}
        await connection.execute(text(kind.keep_months if in_months else kind.keep_span), {**values, **names})


async def _rest_on(connection: AsyncConnection, bases: Mapping[str, str]) -> None:
    """On what days of clients rest from now on; those that rest on the basis of their zone are read."""
    values = {"clients": list(bases), "bases": list(bases.values())}
    await connection.execute(_CUT_ANEW, values)
