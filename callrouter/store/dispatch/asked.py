"""What calls ask to have delivered, as rows of the queue: the book of `callrouter.delivery`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from callrouter.core.dispatch import Means
from callrouter.delivery.ports import Delivery
from callrouter.store.database import Database
from callrouter.store.dispatch.events import wake_worker
from callrouter.store.tables import DeliveryKind, deliveries
from callrouter.store.tables.columns import Instant

_ADD: Final = (
    insert(deliveries)
    # Due by the earlier of two clocks: one that is wrong must not put it off.
    .values(next_attempt_at=func.least(bindparam("asked_at", type_=Instant), func.now()))
    .on_conflict_do_nothing()
)


class AskedRows:
    """Every method raises StoreError while PostgreSQL does not do it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, asked: Sequence[Delivery]) -> None:
        """Queue them, and have the worker look; one that is there already stays as it is."""
        if not asked:
            return
        rows = [
            {
                "delivery_id": one.delivery_id,
                "call_id": _clean(one.call_id),
                "client": _clean(one.client),
                "kind": DeliveryKind.NOTIFICATION.value,
                "contact": _clean(one.contact),
                "means": Means.WEBHOOK.value,
                "address": _clean(one.address),
                "body": _clean(one.body),
                "secret": one.secret,
                "queued_at": one.asked_at,
                "changed_at": one.asked_at,
                "asked_at": one.asked_at,
            }
            for one in asked
        ]
        async with self._database.connection() as connection:
            await connection.execute(_ADD, rows)
            await wake_worker(connection)

    async def check(self) -> None:
        """Whether it can be reached."""
        async with self._database.connection() as connection:
            await connection.execute(select(1))


def _clean(value: str) -> str:
    """Text without what PostgreSQL cannot hold."""
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
