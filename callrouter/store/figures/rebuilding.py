"""Keeps days: makes rows of those that are marked, and of all days of clients whose days are cut otherwise now.

A round is one transaction that sees one instant: it takes marks away, and makes their days from the calls that it sees.
A call that is committed later has a mark of its own, which the round did not see either. One round at a time runs; who
reads, and who writes calls, waits for none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import exists, func, select, text, union
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.figures.days import Days, days_of_quarter, piece_of
from callrouter.store.figures.making import KINDS, OF_JOURNEYS, Pieces
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.tables import figure_marks, figure_zones

log = structlog.get_logger(__name__)

MARKS_AT_ONCE: Final = 5_000

CALLS_AT_ONCE: Final = 100_000
"""Of one client, in one statement: PostgreSQL cuts off what takes 30 s. Not a few each time: planning takes longer."""

_ONE_INSTANT: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    # Before anything is seen: what another round did is seen by this one.
    "LOCK TABLE figure_zones IN SHARE ROW EXCLUSIVE MODE",
)
_TAKE: Final = text(
    """
    DELETE FROM figure_marks WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM figure_marks
        WHERE EXISTS (SELECT FROM figure_zones WHERE figure_zones.client = figure_marks.client)
        ORDER BY quarter_at DESC LIMIT :many
    )) RETURNING client, quarter_at
    """
)
"""The newest first: most people ask for them. A client who is not known yet is known by its marks alone."""
_TAKE_OTHERS: Final = text(
    """
    DELETE FROM figure_marks USING unnest(
        CAST(:clients AS text[]), CAST(:froms AS timestamptz[]), CAST(:tos AS timestamptz[])
    ) AS piece(client, from_at, to_at)
    WHERE figure_marks.client = piece.client AND quarter_at >= from_at AND quarter_at < to_at
    """
)
"""Those of days that are made: each is made once, however many there are of it."""
_SPAN: Final = text(
    """
    SELECT min(ringing_at), max(ringing_at), count(*) FROM calls WHERE client = :client AND ringing_at >= :border_at
    """
)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any call."""
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
    async with alone(database) as connection:
        zones = await read_zones(connection)
        taken = (await connection.execute(_TAKE, {"many": marks})).all()
        _say_dropped(zones, [(client, at) for client, at in taken])
        pieces = Pieces(kept_from=zones.kept_from)
        for client, day in sorted({(one, day) for one, at in taken for day in days_of_quarter(at, zones.of(one))}):
            pieces.add(client, piece_of(day, zones.of(client)))
        if len(pieces):
            spans = {"clients": pieces.clients, "froms": pieces.froms, "tos": pieces.tos}
            await connection.execute(_TAKE_OTHERS, spans)
        await _make(connection, zones, pieces)
    # By itself: whatever keeps one client's days from being cut anew keeps no other's from being made.
    async with alone(database) as connection:
        zones = await read_zones(connection)
        wrong = await _first_cut_otherwise(connection, zones)
        days = 0 if wrong is None else await _cut_anew(connection, zones, wrong)
    is_more = len(taken) == marks or wrong is not None
    return Round(days=len(pieces) + days, cut_anew=int(wrong is not None), is_more=is_more)


async def rebuild_client(database: Database, client: str) -> int:
    """Make all days of a client again, in one transaction; how many they are.

    Args:
        database: open.
        client: as its calls name it.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with alone(database) as connection:
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
async def alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction that sees one instant, and beside which no other round is."""
    async with database.connection() as connection:
        for statement in _ONE_INSTANT:
            await connection.execute(text(statement))
        yield connection


def _say_dropped(zones: Zones, marks: Collection[tuple[str, datetime]]) -> None:
    """Calls came of days whose other calls may be gone: those days stay as they are, without them."""
    late = [client for client, at in marks if (border_at := zones.kept_from.get(client)) and at < border_at]
    if late:
        log.warning(
            "calls came into the record after those of their days were deleted: figures do not count them",
            clients=sorted(set(late)),
            marks=len(late),
        )


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
    """All days of a client, from its first call to its last; how many. Those whose calls may be gone stay."""
    border_at = zones.kept_from.get(client, _FIRST)
    of_client = {"client": client, "border_at": border_at}
    await connection.execute(text("DELETE FROM figure_marks WHERE client = :client"), {"client": client})
    for kind in KINDS:
        made_again = f"DELETE FROM {kind.table} WHERE client = :client AND first_at >= :border_at"  # noqa: S608
        await connection.execute(text(made_again), of_client)
    await connection.execute(_CUT_ANEW, {"client": client, "basis": zones.basis(client, zones.name_of(client))})
    first_at, last_at, calls = (await connection.execute(_SPAN, of_client)).one()
    if first_at is None:
        return 0
    days = list(Days(zones.of(client), first_at, last_at + timedelta(microseconds=1)))
    at_once = max(1, len(days) * CALLS_AT_ONCE // calls)
    for start in range(0, len(days), at_once):
        pieces = [piece_of(day, zones.of(client)) for day in days[start : start + at_once]]
        values = {
            "client": client,
            "days": [one.day for one in pieces],
            "begins": [one.begins_at for one in pieces],
            "from_at": max(pieces[0].from_at, border_at),
            "to_at": pieces[-1].to_at,
        }
        for kind in KINDS:
            names = zones.names if kind is OF_JOURNEYS else {}
            await connection.execute(text(kind.keep_span), {**values, **names})
    return len(days)


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
