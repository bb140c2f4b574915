"""Keeps days: makes rows of those that are marked, and of all days of clients whose days are cut otherwise now.

Of months that are over rows of their own are made (`folding`).

A round is one transaction that sees one instant: it takes marks away, and makes their days from the calls that it sees.
A call that is committed later has a mark of its own, which the round did not see either. One round at a time runs; who
reads, and who writes calls, waits for none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy import exists, select, text, union
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.figures.cutting import MANY, alone, cut_all_anew, cut_anew
from callrouter.store.figures.days import days_of_quarter, month_of, piece_of
from callrouter.store.figures.folding import fold_some, folded_of, remake_days
from callrouter.store.figures.making import KINDS, OF_JOURNEYS, Pieces
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.tables import figure_marks, figure_zones

log = structlog.get_logger(__name__)

MARKS_AT_ONCE: Final = 5_000

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one did."""

    days: int
    """Of clients, made anew."""
    cut_anew: int
    """Clients all of whose days are among them."""
    folded: int
    """Months of clients that became rows of months."""
    is_more: bool
    """Whether there may be more to do at once."""

    @property
    def did_nothing(self) -> bool:
        """Whether all that is kept is right."""
        return not self.days and not self.cut_anew and not self.folded


async def rebuild_some(database: Database, marks: int = MARKS_AT_ONCE, *, now: datetime | None = None) -> Round:
    """One round.

    Args:
        database: open.
        marks: how many are looked at, at most.
        now: by which months are over; None: the present instant.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    now = now or datetime.now(UTC)
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
    days = len(pieces)
    # By itself: whatever keeps one client's days from being cut anew keeps no other's from being made.
    async with alone(database) as connection:
        zones = await read_zones(connection)
        wrong = await _cut_otherwise(connection, zones)
        days += await cut_anew(connection, zones, wrong[0], now) if len(wrong) in range(1, MANY) else 0
    if len(wrong) >= MANY:
        days += await cut_all_anew(database, wrong, now)
    async with alone(database) as connection:
        folded = await fold_some(connection, await read_zones(connection), now)
    cut = min(len(wrong), 1) if len(wrong) < MANY else len(wrong)
    is_more = len(taken) == marks or len(wrong) > cut or folded > 0
    return Round(days=days, cut_anew=cut, folded=folded, is_more=is_more)


async def rebuild_clients(
    database: Database,
    clients: Sequence[str],
    *,
    now: datetime | None = None,
    said: Callable[[str], None] = lambda _: None,
) -> int:
    """Make all days of clients again; how many they are.

    Args:
        database: open.
        clients: as their calls name them.
        now: by which months are over; None: the present instant.
        said: is told how far it is.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    now = now or datetime.now(UTC)
    if len(clients) >= MANY:
        return await cut_all_anew(database, clients, now, said)
    days = 0
    for number, client in enumerate(clients):
        said(f"{number} of {len(clients)} clients are done, {days} days")
        async with alone(database) as connection:
            days += await cut_anew(connection, await read_zones(connection), client, now)
    return days


async def known_clients(database: Database) -> list[str]:
    """All that have days, or calls that are to be counted, as calls name them.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    known = union(select(figure_zones.c.client), select(figure_marks.c.client))
    async with database.connection() as connection:
        return sorted((await connection.execute(known)).scalars())


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
    if not len(pieces):
        return
    folded = await folded_of(connection, pieces)
    of_months, of_days = pieces.apart(lambda client, day: (client, month_of(day)) in folded)
    if len(of_months):
        await remake_days(connection, zones, of_months)
    for kind in KINDS if len(of_days) else ():
        values = of_days.values | (zones.names if kind is OF_JOURNEYS else {})
        await connection.execute(text(kind.forget), {"clients": of_days.clients, "days": of_days.days})
        await connection.execute(text(kind.keep), values)


async def _cut_otherwise(connection: AsyncConnection, zones: Zones) -> Sequence[str]:
    """Clients whose days are kept in another zone than they are cut in now, or not at all."""
    known = exists().where(figure_zones.c.client == figure_marks.c.client)
    unknown = (await connection.execute(select(figure_marks.c.client).where(~known).distinct())).scalars()
    return sorted({*unknown, *(client for client in zones.kept if not zones.is_kept(client))})


_NOONS: Final = f"""
    SELECT client, CASE WHEN basis LIKE '/%' THEN
        (month + (number - 1) + interval '12 hours') AT TIME ZONE split_part(basis, ' ', 2)
    END AS at
    FROM figure_months AS kept JOIN figure_zones USING (client), generate_series(1, 31) AS number
    WHERE {OF_JOURNEYS.unfrozen} AND first_at < :to_at AND last_at >= :from_at
        AND position(set_byte('\\x00'::bytea, 0, number) IN days) > 0
"""  # noqa: S608 - made of our own words
"""Of each day of which a month's row has journeys, an instant. What is kept in another form is made anew as a whole."""


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
            WHERE ringing_at >= :from_at AND ringing_at < :to_at {which} AND NOT EXISTS (
                SELECT FROM kept_from WHERE kept_from.client = calls.client AND calls.ringing_at < kept_from.from_at)
            UNION ALL
            SELECT client, first_at FROM figure_days AS kept
            WHERE first_at >= :from_at AND first_at < :to_at AND {OF_JOURNEYS.unfrozen} {which}
            UNION ALL
            SELECT * FROM ({_NOONS}) AS noons WHERE at >= :from_at AND at < :to_at {which}
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
