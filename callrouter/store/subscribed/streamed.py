"""What comes into the record and the live event stream tells: rows that PostgreSQL makes
(`tables.subscribed.streamed`).

A row gets its place from whoever reads it first, after it was committed, and from one at a time: so places
have no gaps, and what is committed later has a higher one. They are kept for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import RowMapping, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.callbacks import StoredCallback
from callrouter.store.database import Database
from callrouter.store.messages.reading import StoredMessage
from callrouter.store.outgoing.names import Names
from callrouter.store.promises import zones_in_service
from callrouter.store.subscribed.days import STREAM, day_of
from callrouter.store.subscribed.happened import Standing, callbacks_of, messages_of
from callrouter.store.tables import streamed, told_days

log = structlog.get_logger(__name__)

CHANNEL: Final = "callrouter_stream"
"""On which PostgreSQL says that there are new rows."""
KEPT_SECONDS: Final = 3600.0
SLOW_SECONDS: Final = 5.0
"""A row is dated to when its transaction began: it may have been committed so much later."""
AT_A_TIME: Final = 500
"""Rows that are read in one transaction."""

_ALONE: Final = select(func.pg_advisory_xact_lock(0x73747265616D6564))
_GIVE_PLACES: Final = text(
    """UPDATE streamed SET place = due.place FROM (
           SELECT number, row_number() OVER (ORDER BY number) + (SELECT coalesce(max(place), 0) FROM streamed) AS place
           FROM streamed WHERE place IS NULL) due
       WHERE streamed.number = due.number"""
)
_FORGET: Final = text(
    """DELETE FROM streamed WHERE at < now() - make_interval(secs => :seconds)
           AND place < (SELECT max(place) FROM streamed)"""
)
"""Never the last one: by it the next places are known."""
_BEGINS: Final = text(
    """SELECT coalesce(max(place), 0) AS last,
           coalesce(min(place) FILTER (WHERE at >= :since) - 1, max(place), 0) AS began,
           coalesce(min(place) - 1, 0) AS first
       FROM streamed"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNoted:
    """A day whose figures are new."""

    day: date
    timezone: str
    """IANA name, of the client's days now."""
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What came into the record, with what is known of it now: of a subject that is gone, nothing."""

    place: int
    kind: str
    """As the stream calls it; perhaps of a later release."""
    client: str
    """Its present name."""
    at: datetime
    message: StoredMessage | None = None
    standing: Standing | None = None
    callback: StoredCallback | None = None
    day: DayNoted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What of the record can be told now."""

    first: int
    """After this place all is here."""
    began: int
    """After this place what happened since the time that was asked for."""
    last: int


async def read_places(database: Database, seconds_ago: Callable[[], float]) -> Places:
    """What is kept, and what of it came since so long ago; it is asked for how long that is after PostgreSQL has said
    what time it is there, so that the way to it leaves nothing out.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await _give_places(connection)
        there: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
        since = there - timedelta(seconds=seconds_ago() + SLOW_SECONDS)
        row = (await connection.execute(_BEGINS, {"since": since})).one()
    return Places(first=row.first, began=row.began, last=row.last)


async def read_streamed(database: Database, after: int) -> list[Streamed]:
    """What comes after that place, in order, a page at most.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await _give_places(connection)
        query = select(streamed).where(streamed.c.place > bindparam("after")).order_by(streamed.c.place)
        rows = (await connection.execute(query.limit(AT_A_TIME), {"after": after})).mappings().all()
        if not rows:
            return []
        subjects: dict[str, set[str]] = {}
        for row in rows:
            subjects.setdefault(row["kind"].partition(".")[0], set()).add(row["subject"])
        known = await messages_of(connection, subjects.get("message", set()))
        known |= await callbacks_of(connection, subjects.get("callback", set()))
        days = await _days(connection, subjects.get("day", set()))
        names = await Names.read(connection)
    return [_read(row, names, known.get(row["subject"]) or {}, days.get(row["subject"])) for row in rows]


async def forget_streamed(database: Database) -> None:
    """Take away what was told long ago, or could have been.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await _give_places(connection)
        await connection.execute(_FORGET, {"seconds": KEPT_SECONDS})


async def _give_places(connection: AsyncConnection) -> None:
    """To what has none, in the connection's transaction, which is short: other readers wait for it."""
    is_new = select(streamed.c.number).where(streamed.c.place.is_(None)).limit(1)
    if (await connection.execute(is_new)).first() is not None:
        await connection.execute(_ALONE)
        await connection.execute(_GIVE_PLACES)


async def _days(connection: AsyncConnection, subjects: set[str]) -> dict[str, DayNoted]:
    """By subject; the figures that were told last are those that count."""
    found: dict[str, DayNoted] = {}
    columns = told_days.c
    for subject in subjects:
        client, day = day_of(subject)
        query = select(columns.revision).where(columns.client == client, columns.name == STREAM, columns.day == day)
        revision = (await connection.execute(query)).scalar_one_or_none()
        zone = (await zones_in_service(connection, client)).get(client)
        if revision is not None and zone is not None:
            found[subject] = DayNoted(day=day, timezone=zone, revision=revision)
    return found


def _read(row: RowMapping, names: Names, known: Mapping[str, object], day: DayNoted | None) -> Streamed:
    return Streamed(
        place=row["place"],
        kind=row["kind"],
        client=names.now(row["client"]),
        at=row["at"],
        day=day,
        **known,  # type: ignore[arg-type]
    )
