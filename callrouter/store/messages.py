"""Voice messages read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.paging import page, within
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
    scope: Scope = EVERYTHING,
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
    rows, next_cursor = await page(
        database,
        messages,
        (columns.started_at, columns.call_id, columns.position),
        client=client,
        filters=within(messages, scope),
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    return MessagePage(messages=[StoredMessage(**row) for row in rows], next_cursor=next_cursor)
