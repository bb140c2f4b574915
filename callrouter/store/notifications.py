"""What clients' systems are to be told, as rows: the book that `delivery.queue` works through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from callrouter.delivery.queue import Attempt, Pending
from callrouter.store.database import Database
from callrouter.store.tables import notifications

_PENDING = ("notification_id", "call_id", "client", "contact", "url", "body", "asked_at", "attempts")


class NotificationRows:
    """The table. Every method raises DatabaseUnreachable while PostgreSQL does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, asked: Sequence[Pending]) -> None:
        """Keep them; one that is there already stays as it is."""
        rows = [
            {name: _clean(getattr(one, name)) for name in _PENDING}
            | {"state": "waiting", "next_attempt_at": one.asked_at}
            for one in asked
        ]
        async with self._database.connection() as connection:
            await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)

    async def due(self, now: datetime, limit: int) -> list[Pending]:
        """Those to be tried now, the oldest first."""
        columns = notifications.c
        query = (
            select(*(columns[name] for name in _PENDING))
            .where(columns.state == "waiting", columns.next_attempt_at <= now)
            .order_by(columns.next_attempt_at)
            .limit(limit)
        )
        async with self._database.connection() as connection:
            return [Pending(**row) for row in (await connection.execute(query)).mappings()]

    async def settle(self, attempt: Attempt) -> None:
        """Note how an attempt went."""
        if attempt.error is None:
            state, delivered_at = "delivered", attempt.at
        else:
            state, delivered_at = ("failed" if attempt.next_at is None else "waiting"), None
        change = (
            update(notifications)
            .where(notifications.c.notification_id == attempt.notification_id)
            .values(
                state=state,
                attempts=attempt.attempts,
                next_attempt_at=attempt.next_at,
                delivered_at=delivered_at,
                last_error=_clean(attempt.error),
            )
        )
        async with self._database.connection() as connection:
            await connection.execute(change)


def _clean(value: Any) -> Any:
    """Text without what PostgreSQL cannot hold."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
