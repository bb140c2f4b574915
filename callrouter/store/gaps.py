"""Gaps of observation: times in which calls may have come that we did not see. Declared, never shown as zero.

Who watches says so every few seconds (`beat`). An engine that is killed declares nothing: the next one does it for it,
from the last beat on (`take_up`), and until then whoever asks is shown a gap that lasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.tables import beats, gaps

BEAT_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 20.0
"""Whoever has not said for so long that they watch, does not."""
SILENT_REASON: Final = "the engine does not report"
KILLED_REASON: Final = "the engine ended without a farewell"
_WATCHER: Final = "engine"
"""One engine watches one PBX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap; `until_at` is None while it lasts."""

    gap_id: int
    """0 for one that nobody has declared yet."""
    from_at: datetime
    until_at: datetime | None
    reason: str


async def open_gap(database: Database, from_at: datetime, reason: str) -> int:
    """Declare that nothing is seen from an instant on; gives its number.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    statement = insert(gaps).values(from_at=from_at, reason=reason.replace("\x00", "\ufffd")).returning(gaps.c.gap_id)
    async with database.connection() as connection:
        return int((await connection.execute(statement)).scalar_one())


async def close_gaps(database: Database, until_at: datetime) -> int:
    """Declare the end of every gap that lasts; gives how many there were.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        closed = await connection.execute(update(gaps).where(gaps.c.until_at.is_(None)).values(until_at=until_at))
        return closed.rowcount


async def beat(database: Database, at: datetime) -> None:
    """Somebody watches at this instant.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await _beat(connection, at)


async def take_up(database: Database, at: datetime) -> None:
    """An engine begins to watch: end the gap its predecessor declared, or declare the one from its last beat on.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        closed = await connection.execute(update(gaps).where(gaps.c.until_at.is_(None)).values(until_at=at))
        if not closed.rowcount:
            last = (await connection.execute(select(beats.c.beat_at).where(beats.c.watcher == _WATCHER))).scalar()
            if last is not None and last < at:
                await connection.execute(insert(gaps).values(from_at=last, until_at=at, reason=KILLED_REASON))
        await _beat(connection, at)


async def _beat(connection: AsyncConnection, at: datetime) -> None:
    row = insert(beats).values(watcher=_WATCHER, beat_at=at)
    again = row.on_conflict_do_update(index_elements=[beats.c.watcher], set_={"beat_at": at, "written_at": func.now()})
    await connection.execute(again)


async def gaps_between(database: Database, from_at: datetime, to_at: datetime) -> list[Gap]:
    """The gaps that touch a period, the earliest first; the last may be one that lasts and nobody has declared yet.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = (
        select(gaps)
        .where(gaps.c.from_at < to_at, or_(gaps.c.until_at.is_(None), gaps.c.until_at > from_at))
        .order_by(gaps.c.from_at)
    )
    async with database.connection() as connection:
        found = [Gap(**row) for row in (await connection.execute(query)).mappings()]
        silent_since = await _silent_since(connection)
    if silent_since is not None and silent_since < to_at:
        found.append(Gap(gap_id=0, from_at=silent_since, until_at=None, reason=SILENT_REASON))
    return found


async def _silent_since(connection: AsyncConnection) -> datetime | None:
    """The last beat, when it is too long ago and no open gap covers it."""
    told = select(gaps.c.gap_id).where(gaps.c.until_at.is_(None)).exists()
    silent = beats.c.written_at < func.now() - timedelta(seconds=SILENT_SECONDS)
    query = select(beats.c.beat_at).where(beats.c.watcher == _WATCHER, silent, ~told)
    return (await connection.execute(query)).scalar_one_or_none()
