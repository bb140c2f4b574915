"""Voice messages read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_

from callrouter.store.database import Database
from callrouter.store.paging import decode_cursor, encode_cursor
from callrouter.store.tables import messages


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message, whose it is, and where it stands."""

    call_id: str
    position: int
    """1 for the first message of the call."""
    client: str
    recording: str
    """Opaque name, without folder or suffix."""
    seconds: float
    deliver: str
    started_at: datetime
    node: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """Messages, the newest first, and where the next page begins (None: there is none)."""

    messages: list[StoredMessage]
    next_cursor: str | None


async def list_messages(
    database: Database,
    *,
    client: str | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> MessagePage:
    """Messages by when their recording began (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = messages.c
    order = (columns.started_at, columns.call_id, columns.position)
    query = select(messages).order_by(*(column.desc() for column in order)).limit(limit + 1)
    if client is not None:
        query = query.where(columns.client == client)
    if from_at is not None:
        query = query.where(columns.started_at >= from_at)
    if to_at is not None:
        query = query.where(columns.started_at < to_at)
    if cursor is not None:
        at, key = decode_cursor(cursor, str, int)
        query = query.where(columns.started_at <= at, tuple_(*order) < (at, *key))
    async with database.connection() as connection:
        rows = (await connection.execute(query)).mappings().all()
    found = [StoredMessage(**row) for row in rows[:limit]]
    last = found[-1] if len(rows) > limit else None
    return MessagePage(
        messages=found, next_cursor=encode_cursor(last.started_at, last.call_id, last.position) if last else None
    )
