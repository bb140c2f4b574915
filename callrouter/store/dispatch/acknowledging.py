"""Somebody takes a message on: nobody else is told of it from then on, and those who know of it hear by whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.tables import DeliveryState, DispatchState, deliveries, dispatch_events, dispatches

CHANNEL = "callrouter_dispatch"
"""By which PostgreSQL says that there is something to do."""


async def acknowledge(
    database: Database, message_id: str, *, by: str, how: str, at: datetime, delivery_id: str | None = None
) -> bool:
    """End it, in one transaction; False: it was acknowledged before, or nobody is owed it.

    Args:
        database: where it stands.
        message_id: of the message.
        by: contact or principal.
        how: `link`, `done`, `api` or `cli`.
        at: an aware instant.
        delivery_id: of the telling by which they know of it; None: by none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await acknowledge_in(connection, message_id, by=by, how=how, at=at, delivery_id=delivery_id)


async def acknowledge_in(
    connection: AsyncConnection, message_id: str, *, by: str, how: str, at: datetime, delivery_id: str | None = None
) -> bool:
    """The same, in a transaction of somebody else's."""
    columns = dispatches.c
    asked = select(columns.state, columns.urgent).where(columns.message_id == message_id).with_for_update()
    row = (await connection.execute(asked)).first()
    if row is None or row.state == DispatchState.ACKNOWLEDGED:
        return False
    await connection.execute(
        update(dispatches)
        .where(columns.message_id == message_id)
        .values(
            state=DispatchState.ACKNOWLEDGED.value,
            due_at=None,
            held_until=None,
            ages_at=None,
            reason="",
            ended_at=at,
            acknowledged_by=by,
            acknowledged_how=how,
        )
    )
    await withdraw_in(connection, message_id, at)
    events = [{"message_id": message_id, "at": at, "what": "acknowledged", "detail": how, "principal": by}]
    if delivery_id is not None:
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.delivery_id == delivery_id, deliveries.c.message_id == message_id)
            .values(state=DeliveryState.ACKNOWLEDGED.value, changed_at=at, next_attempt_at=None, sending_until=None)
        )
        events[0]["delivery_id"] = delivery_id
    await connection.execute(insert(dispatch_events), events)
    if row.urgent:
        await connection.execute(_NOTICES, {"message_id": message_id, "by": by, "delivery_id": delivery_id, "at": at})
    await connection.execute(text(f"NOTIFY {CHANNEL}"))
    return True


async def withdraw_in(connection: AsyncConnection, message_id: str, at: datetime) -> None:
    """What was to be sent of a message is not, in a transaction of somebody else's."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.message_id == message_id, deliveries.c.state == DeliveryState.QUEUED.value)
        .values(state=DeliveryState.WITHDRAWN.value, next_attempt_at=None, changed_at=at)
    )


_NOTICES = text(
    """INSERT INTO deliveries (delivery_id, message_id, client, kind, round, step, contact, means, address,
                               state, queued_at, next_attempt_at, changed_at)
       SELECT DISTINCT ON (address) gen_random_uuid()::text, message_id, client, 'notice', round, step, contact, means,
           address, 'queued', :at, :at, :at
       FROM deliveries
       WHERE message_id = :message_id AND kind = 'message' AND state IN ('accepted', 'delivered', 'viewed')
           AND contact <> :by AND delivery_id IS DISTINCT FROM :delivery_id
       ORDER BY address, queued_at DESC"""
)
