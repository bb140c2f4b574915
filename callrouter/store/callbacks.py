"""Callers' wishes to be called back, read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.paging import equal, page, within
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
    scope: Scope = EVERYTHING,
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
    rows, next_cursor = await page(
        database,
        callbacks,
        (columns.asked_at, columns.call_id, columns.position),
        client=client,
        filters=[*equal(callbacks, state=state), *within(callbacks, scope)],
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    return CallbackPage(callbacks=[StoredCallback(**row) for row in rows], next_cursor=next_cursor)
