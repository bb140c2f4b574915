"""Callers' wishes to be called back, read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_

from callrouter.store.database import Database
from callrouter.store.paging import decode_cursor, encode_cursor
from callrouter.store.tables import callbacks


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCallback:
    """A wish to be called back, whose it is, and where it stands."""

    call_id: str
    position: int
    """1 for the first wish of the call."""
    client: str
    number: str
    """E.164."""
    node: str
    asked_at: datetime
    state: str
    """`open`, `done` or `given_up`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPage:
    """Wishes, the newest first, and where the next page begins (None: there is none)."""

    callbacks: list[StoredCallback]
    next_cursor: str | None


async def list_callbacks(
    database: Database,
    *,
    client: str | None = None,
    state: str | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> CallbackPage:
    """Wishes by when they were made (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = callbacks.c
    order = (columns.asked_at, columns.call_id, columns.position)
    query = select(callbacks).order_by(*(column.desc() for column in order)).limit(limit + 1)
    if client is not None:
        query = query.where(columns.client == client)
    if state is not None:
        query = query.where(columns.state == state)
    if from_at is not None:
        query = query.where(columns.asked_at >= from_at)
    if to_at is not None:
        query = query.where(columns.asked_at < to_at)
    if cursor is not None:
        at, key = decode_cursor(cursor, str, int)
        query = query.where(columns.asked_at <= at, tuple_(*order) < (at, *key))
    async with database.connection() as connection:
        rows = (await connection.execute(query)).mappings().all()
    found = [StoredCallback(**row) for row in rows[:limit]]
    more = len(rows) > limit
    last = found[-1] if more else None
    next_cursor = encode_cursor(last.asked_at, last.call_id, last.position) if last else None
    return CallbackPage(callbacks=found, next_cursor=next_cursor)
