"""Keeps days: makes rows of those that are marked, and of all days of clients whose days are cut otherwise now.

A round is one transaction that sees one instant: it takes marks away, and makes their days from the calls that it sees.
A call that is committed later has a mark of its own, which the round did not see either. One round at a time runs; who
reads, and who writes calls, waits for none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, select, text, union
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.figures.days import Days, days_of_quarter, piece_of
from callrouter.store.figures.making import KINDS, OF_JOURNEYS, Pieces
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.tables import figure_marks, figure_zones

MARKS_AT_ONCE: Final = 5_000

DAYS_AT_ONCE: Final = 100
"""Of one client, in one statement: PostgreSQL cuts off what takes 30 s, and some have a thousand calls a day."""

_ONE_INSTANT: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    # Before anything is seen: what another round did is seen by this one.
    "LOCK TABLE figure_zones IN SHARE ROW EXCLUSIVE MODE",
)
_TAKE: Final = text(
    """
    DELETE FROM figure_marks WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM figure_marks ORDER BY quarter_at DESC LIMIT :many
    )) RETURNING client, quarter_at
    """
)
"""The newest first: most people ask for them."""
_SPAN: Final = text("SELECT min(ringing_at), max(ringing_at) FROM calls WHERE client = :client")
_CUT_ANEW: Final = text(
    """
    INSERT INTO figure_zones (client, basis) VALUES (:client, :basis)
    ON CONFLICT (client) DO UPDATE SET basis = excluded.basis
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one did."""

    days: int
    """Of clients, made anew."""
    cut_anew: int
    """Clients all of whose days are among them."""

    is_more: bool
    """Whether there may be more to do at once."""

    @property
    def did_nothing(self) -> bool:
        """Whether all that is kept is right."""
        return not self.days and not self.cut_anew


async def rebuild_some(database: Database, marks: int = MARKS_AT_ONCE) -> Round:
    """One round.

    Args:
        database: open.
        marks: how many are looked at, at most.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with _alone(database) as connection:
        zones = await read_zones(connection)
        if wrong := await _first_cut_otherwise(connection, zones):
            return Round(days=await _cut_anew(connection, zones, wrong), cut_anew=1, is_more=True)
        taken = (await connection.execute(_TAKE, {"many": marks})).all()
        pieces = Pieces()
        for client, day in sorted({(one, day) for one, at in taken for day in days_of_quarter(at, zones.of(one))}):
            pieces.add(client, piece_of(day, zones.of(client)))
        await _make(connection, zones, pieces)
    return Round(days=len(pieces), cut_anew=0, is_more=len(taken) == marks)


async def rebuild_client(database: Database, client: str) -> int:
    """Make all days of a client again, in one transaction; how many they are.

    Args:
        database: open.
        client: as its calls name it.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with _alone(database) as connection:
        return await _cut_anew(connection, await read_zones(connection), client)


async def known_clients(database: Database) -> list[str]:
    """All that have days, or calls that are to be counted, as calls name them.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    known = union(select(figure_zones.c.client), select(figure_marks.c.client))
    async with database.connection() as connection:
        return sorted((await connection.execute(known)).scalars())


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction that sees one instant, and beside which no other round is."""
    async with database.connection() as connection:
        for statement in _ONE_INSTANT:
            await connection.execute(text(statement))
        yield connection


async def _make(connection: AsyncConnection, zones: Zones, pieces: Pieces) -> None:
    if len(pieces):
        for kind in KINDS:
            values = pieces.values | (zones.names if kind is OF_JOURNEYS else {})
            await connection.execute(text(kind.forget), {"clients": pieces.clients, "days": pieces.days})
            await connection.execute(text(kind.keep), values)


async def _first_cut_otherwise(connection: AsyncConnection, zones: Zones) -> str | None:
    """A client whose days are kept in another zone than they are cut in now, or not at all."""
    if wrong := [client for client in zones.kept if not zones.is_kept(client)]:
        return min(wrong)
    known = exists().where(figure_zones.c.client == figure_marks.c.client)
    unknown: str | None = (await connection.execute(select(func.min(figure_marks.c.client)).where(~known))).scalar_one()
    return unknown


async def _cut_anew(connection: AsyncConnection, zones: Zones, client: str) -> int:
    """All days of a client, from its first call to its last; how many."""
    for table in ("figure_marks", *(kind.table for kind in KINDS)):
        await connection.execute(text(f"DELETE FROM {table} WHERE client = :client"), {"client": client})  # noqa: S608
    await connection.execute(_CUT_ANEW, {"client": client, "basis": zones.basis(client, zones.name_of(client))})
    first_at, last_at = (await connection.execute(_SPAN, {"client": client})).one()
    pieces, made = Pieces(), 0
    if first_at is not None:
        days = Days(zones.of(client), first_at, last_at + timedelta(microseconds=1))
        made = len(days)
        for number, day in enumerate(days, start=1):
            pieces.add(client, piece_of(day, days.zone))
            if len(pieces) == DAYS_AT_ONCE or number == made:
                await _make(connection, zones, pieces)
                pieces = Pieces()
    return made


async def mark_days(
    database: Database, from_at: datetime, to_at: datetime, clients: Collection[str] | None = None
) -> int:
    """Have days of a period made again whatever is kept of them; how many marks that takes.

    Args:
        database: open.
        from_at: from the day on in which this instant is, in each client's zone.
        to_at: up to the day in which this one is.
        clients: whose, as calls name them; None: everybody's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    which = "" if clients is None else "AND client = ANY(:clients)"
    query = f"""
        INSERT INTO figure_marks (client, quarter_at)
        SELECT DISTINCT client, date_bin('15 minutes', at, '2000-01-01 00:00+00') FROM (
            SELECT client, ringing_at AS at FROM calls
            WHERE ringing_at >= :from_at AND ringing_at < :to_at {which}
            UNION ALL
            SELECT client, first_at FROM figure_days WHERE first_at >= :from_at AND first_at < :to_at {which}
        ) AS known
    """  # noqa: S608
    values = {"from_at": from_at, "to_at": to_at} | ({} if clients is None else {"clients": list(clients)})
    async with database.connection() as connection:
        return (await connection.execute(text(query), values)).rowcount


_BACKLOG: Final = text("SELECT count(*), min(quarter_at), min(noted_at) FROM figure_marks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is still to be done."""

    marks: int
    oldest_at: datetime | None
    """The oldest quarter of an hour that is marked."""
    waits_since: datetime | None
    """When the one was noted that has waited longest, about; None: none waits."""
    clients: int
    """Whose days are not kept as they are cut now."""


async def read_backlog(database: Database) -> Backlog:
    """As it is now.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        row = (await connection.execute(_BACKLOG)).one()
        marked = (await connection.execute(text("SELECT DISTINCT client FROM figure_marks"))).scalars()
        zones = await read_zones(connection)
    wrong = sum(not zones.is_kept(client) for client in {*marked, *zones.kept})
    return Backlog(marks=row[0], oldest_at=row[1], waits_since=row[2], clients=wrong)
