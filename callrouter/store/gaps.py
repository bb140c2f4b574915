"""Gaps of observation: times in which calls may have come that we did not see. Declared, never shown as zero.

One engine watches one PBX, and says so every few seconds (`beat`). An engine that is killed declares nothing: the
next one does it for it, from the last beat on (`take_up`), and until then whoever asks is shown a gap that lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Table, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import DEFAULT_PBX
from callrouter.store.database import Database
from callrouter.store.tables import agent_sessions, beats, gaps, outgoing_calls

BEAT_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 20.0
"""Whoever has not said for so long that they watch, does not."""
SILENT_REASON: Final = "the engine does not report"
KILLED_REASON: Final = "the engine ended without a farewell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap; `until_at` is None while it lasts."""

    gap_id: int
    """0 for one that nobody has declared yet."""
    from_at: datetime
    until_at: datetime | None
    reason: str
    pbx: str
    """Whose calls may be missing."""


async def open_gap(database: Database, from_at: datetime, reason: str, pbx: str = DEFAULT_PBX) -> int:
    """Declare that nothing is seen of a PBX from an instant on; gives its number.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    gap = {"from_at": from_at, "reason": reason.replace("\x00", "\ufffd"), "pbx": pbx}
    statement = insert(gaps).values(**gap).returning(gaps.c.gap_id)
    async with database.connection() as connection:
        return int((await connection.execute(statement)).scalar_one())


async def close_gaps(database: Database, until_at: datetime, pbx: str = DEFAULT_PBX) -> int:
    """Declare the end of every gap of a PBX that lasts; gives how many there were.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await _close(connection, until_at, pbx)


async def _close(connection: AsyncConnection, until_at: datetime, pbx: str) -> int:
    lasting = update(gaps).where(gaps.c.until_at.is_(None), gaps.c.pbx == pbx)
    return (await connection.execute(lasting.values(until_at=until_at))).rowcount


async def beat(database: Database, at: datetime, pbx: str = DEFAULT_PBX) -> None:
    """Somebody watches a PBX at this instant.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await _beat(connection, at, pbx)


async def take_up(database: Database, at: datetime, pbx: str = DEFAULT_PBX, formerly: Sequence[str] = ()) -> None:
    """An engine begins to watch: end the gap its predecessor declared, or declare the one from its last beat on.

    `formerly` is what the PBX was called until now, if otherwise: nobody watches under such a name any more, and
    what is not over yet (gaps, calls of ours, agents' sessions) goes on under the present one.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        for table, is_lasting in _LASTING if formerly else ():
            await connection.execute(update(table).where(table.c.pbx.in_(formerly), is_lasting).values(pbx=pbx))
        if not await _close(connection, at, pbx):
            last = (await connection.execute(select(func.max(beats.c.beat_at)).where(beats.c.pbx == pbx))).scalar()
            if last is not None and last < at:
                killed = {"from_at": last, "until_at": at, "reason": KILLED_REASON, "pbx": pbx}
                await connection.execute(insert(gaps).values(**killed))
        await _beat(connection, at, pbx)


_LASTING: Final[Sequence[tuple[Table, ColumnElement[bool]]]] = (
    (gaps, true()),
    (beats, true()),
    (outgoing_calls, outgoing_calls.c.outcome.is_(None)),
    (agent_sessions, agent_sessions.c.ended_at.is_(None)),
)
"""What an engine goes on with by the name of its PBX: which rows of each table."""


async def _beat(connection: AsyncConnection, at: datetime, pbx: str) -> None:
    # `watcher` is the key from before PBXs had names, when every engine wrote "engine" there.
    row = insert(beats).values(watcher=pbx, pbx=pbx, beat_at=at)
    again = row.on_conflict_do_update(index_elements=[beats.c.watcher], set_={"beat_at": at, "written_at": func.now()})
    await connection.execute(again)


async def gaps_between(database: Database, from_at: datetime, to_at: datetime) -> list[Gap]:
    """The gaps that touch a period, the earliest first; the last may be one that lasts and nobody has declared yet.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await gaps_within(connection, from_at, to_at)


async def gaps_within(connection: AsyncConnection, from_at: datetime, to_at: datetime) -> list[Gap]:
    """The same, in the connection's transaction."""
    query = (
        select(gaps)
        .where(gaps.c.from_at < to_at, or_(gaps.c.until_at.is_(None), gaps.c.until_at > from_at))
        .order_by(gaps.c.from_at)
    )
    found = [Gap(**row) for row in (await connection.execute(query)).mappings()]
    silent = await _silent_since(connection)
    return found + [
        Gap(gap_id=0, from_at=since, until_at=None, reason=SILENT_REASON, pbx=pbx)
        for pbx, since in silent.items()
        if since < to_at
    ]


async def _silent_since(connection: AsyncConnection) -> dict[str, datetime]:
    """By PBX: its last beat, when that is too long ago and no open gap covers it."""
    told = select(gaps.c.gap_id).where(gaps.c.until_at.is_(None), gaps.c.pbx == beats.c.pbx).exists()
    silent = func.max(beats.c.written_at) < func.now() - timedelta(seconds=SILENT_SECONDS)
    last = func.max(beats.c.beat_at)
    query = select(beats.c.pbx, last).where(~told).group_by(beats.c.pbx).having(silent)
    return {row[0]: row[1] for row in await connection.execute(query)}
