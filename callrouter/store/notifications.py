"""What clients' systems are to be told, as rows: the book that `delivery.queue` works through.

The table is older than the queue's other channels: it calls an address `url`, and what is delivered a notification.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from callrouter.delivery.ports import Attempt, Delivery
from callrouter.store.database import Database
from callrouter.store.tables import notifications

COLUMNS: Final = {
    "delivery_id": "notification_id",
    "call_id": "call_id",
    "client": "client",
    "contact": "contact",
    "address": "url",
    "body": "body",
    "asked_at": "asked_at",
    "attempts": "attempts",
}
"""Where each field of a delivery stands."""


class NotificationRows:
    """The table. Every method raises StoreError while PostgreSQL does not do it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, asked: Sequence[Delivery]) -> None:
        """Keep them; one that is there already stays as it is."""
        rows = [
            {column: _clean(getattr(one, name)) for name, column in COLUMNS.items()}
            | {"state": "waiting", "next_attempt_at": one.asked_at}
            for one in asked
        ]
        async with self._database.connection() as connection:
            await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)

    async def due(
        self, now: datetime, limit: int, *, in_hand: Collection[str] = (), passing_over: Collection[str] = ()
    ) -> list[Delivery]:
        """Those to be tried now, the oldest first, without those `in_hand` and those to addresses to be passed over."""
        columns = notifications.c
        query = (
            select(*(columns[column].label(name) for name, column in COLUMNS.items()))
            .where(columns.state == "waiting", columns.next_attempt_at <= now)
            .order_by(columns.next_attempt_at)
            .limit(limit)
        )
        if in_hand:
            query = query.where(columns.notification_id.not_in(in_hand))
        if passing_over:
            query = query.where(columns.url.not_in(passing_over))
        async with self._database.connection() as connection:
            return [Delivery(**row) for row in (await connection.execute(query)).mappings()]

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        """Note how attempts went, in one transaction; noting one twice changes nothing."""
        change = update(notifications).where(notifications.c.notification_id == bindparam("of"))
        async with self._database.connection() as connection:
            await connection.execute(change, [_settled(attempt) for attempt in attempts])


def _settled(attempt: Attempt) -> dict[str, Any]:
    if attempt.error is None:
        state, delivered_at = "delivered", attempt.at
    else:
        state, delivered_at = ("failed" if attempt.next_at is None else "waiting"), None
    return {
        "of": attempt.delivery_id,
        "state": state,
        "attempts": attempt.attempts,
        "next_attempt_at": attempt.next_at,
        "delivered_at": delivered_at,
        "last_error": _clean(attempt.error),
    }


def _clean(value: Any) -> Any:
    """Text without what PostgreSQL cannot hold."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
