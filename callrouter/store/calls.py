"""Calls read back: a page of them, or one, each as the core's own `Call` with its trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from callrouter.core.call import Call, Disposition
from callrouter.store.database import Database
from callrouter.store.paging import page
from callrouter.store.tables import calls
from callrouter.store.trace import call_from_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Calls, the newest first, and where the next page begins (None: there is none)."""

    calls: list[Call]
    next_cursor: str | None


async def find_call(database: Database, call_id: str) -> Call | None:
    """One call that has ended, or None.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if "\x00" in call_id:
        return None
    async with database.connection() as connection:
        row = (await connection.execute(select(calls).where(calls.c.call_id == call_id))).mappings().one_or_none()
    return None if row is None else call_from_fields(row)


async def recorded_calls(database: Database, call_ids: Sequence[str]) -> set[str]:
    """Which of these calls have a row.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(calls.c.call_id).where(calls.c.call_id == func.any(cast(list(call_ids), ARRAY(Text))))
    async with database.connection() as connection:
        return set((await connection.execute(query)).scalars())


async def list_calls(
    database: Database,
    *,
    client: str | None = None,
    disposition: Disposition | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> CallPage:
    """Calls that ended, by when they rang (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    rows, next_cursor = await page(
        database,
        calls,
        (calls.c.ringing_at, calls.c.call_id),
        filters=[("client", client), ("disposition", disposition and disposition.value)],
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    return CallPage(calls=[call_from_fields(row) for row in rows], next_cursor=next_cursor)
