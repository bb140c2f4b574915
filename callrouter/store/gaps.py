"""Gaps of observation: times in which calls may have come that we did not see. Declared, never shown as zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, or_, select, update

from callrouter.store.database import Database
from callrouter.store.tables import gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap; `until_at` is None while it lasts."""

    gap_id: int
    from_at: datetime
    until_at: datetime | None
    reason: str


async def open_gap(database: Database, from_at: datetime, reason: str) -> int:
    """Declare that nothing is seen from an instant on; gives the number to close it by.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    statement = insert(gaps).values(from_at=from_at, reason=reason.replace("\x00", "\ufffd")).returning(gaps.c.gap_id)
    async with database.connection() as connection:
        return int((await connection.execute(statement)).scalar_one())


async def close_gap(database: Database, gap_id: int, until_at: datetime) -> None:
    """Declare the end of a gap.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await connection.execute(update(gaps).where(gaps.c.gap_id == gap_id).values(until_at=until_at))


async def close_gaps(database: Database, until_at: datetime) -> int:
    """Declare the end of every gap that lasts; gives how many there were.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        closed = await connection.execute(update(gaps).where(gaps.c.until_at.is_(None)).values(until_at=until_at))
        return closed.rowcount


async def gaps_between(database: Database, from_at: datetime, to_at: datetime) -> list[Gap]:
    """The gaps that touch a period, the earliest first.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = (
        select(gaps)
        .where(gaps.c.from_at < to_at, or_(gaps.c.until_at.is_(None), gaps.c.until_at > from_at))
        .order_by(gaps.c.from_at)
    )
    async with database.connection() as connection:
        return [Gap(**row) for row in (await connection.execute(query)).mappings()]
