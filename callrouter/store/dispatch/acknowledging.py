"""Somebody takes a message on: whatever else would have told of it is stopped, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.dispatch.events import What, wake_worker, write_event, write_events_of
from callrouter.store.tables import DeliveryKind, DeliveryState, DispatchState, deliveries, dispatches

BY_LINK: Final = "link"
"""How: by the button behind the link that they were sent."""
BY_REPLY: Final = "reply"
"""How: by the code in an answer to mail or SMS."""
BY_KEY: Final = "key"
"""How: by a key of the telephone at which they were told."""
OF_CONTACTS: Final = frozenset({BY_LINK, BY_REPLY, BY_KEY})
"""Those ways by which the client's people do it: then `by` is a contact, otherwise a principal."""
BY_DONE: Final = "done"
"""How: by saying that the message is settled."""


async def acknowledge(
    database: Database, message_id: str, *, by: str, how: str, at: datetime, delivery_id: str | None = None
) -> bool:
    """Whether the message is acknowledged now, by this; False: it was already, or nobody was ever to be told of it.

    Args:
        database: open.
        message_id: whichever message.
        by: who takes it on: a contact's name where `how` is one of `OF_CONTACTS`, else a principal's.
        how: `link`, `reply`, `key`, `done`, `api` or `cli`.
        at: when.
        delivery_id: the telling that they answer to; None: none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await acknowledge_within(connection, message_id, by=by, how=how, at=at, delivery_id=delivery_id)


async def acknowledge_within(
    connection: AsyncConnection, message_id: str, *, by: str, how: str, at: datetime, delivery_id: str | None = None
) -> bool:
    """The same, in the connection's transaction."""
    columns = dispatches.c
    asked = (
        select(columns.state, columns.urgent, columns.policy).where(columns.message_id == message_id).with_for_update()
    )
    row = (await connection.execute(asked)).one_or_none()
    if row is None or row.state == DispatchState.ACKNOWLEDGED:
        return False
    await connection.execute(
        update(dispatches)
        .where(dispatches.c.message_id == message_id)
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
    means = "" if delivery_id is None else await _answered(connection, message_id, delivery_id, at)
    await write_event(
        connection,
        message_id,
        What.ENDED if how == BY_DONE else What.ACKNOWLEDGED,
        at,
        delivery_id=delivery_id,
        contact=by if how in OF_CONTACTS else "",
        means=means,
        detail=how,
        principal="" if how in OF_CONTACTS else by,
    )
    await withdraw_within(connection, message_id, at)
    if _is_waited_for(row.policy, urgent=row.urgent):  # whoever was woken for it may sleep on
        values = {"message_id": message_id, "by": by, "delivery_id": delivery_id, "at": at}
        await connection.execute(_TELL_THE_OTHERS, values)
    await wake_worker(connection)
    return True


def _is_waited_for(policy: Mapping[str, Any] | None, *, urgent: bool) -> bool:
    """Whether the course that a message goes waits for somebody to take it on (`core.dispatch.Policy`, as JSON)."""
    course = (policy or {}).get("urgent" if urgent else "ordinary", {})
    return any(step.get("wait_seconds") for step in course.get("steps", ()))


_TELL_THE_OTHERS: Final = text(
    """INSERT INTO deliveries (delivery_id, message_id, client, kind, round, step, contact, means, address,
                               urgent, state, queued_at, next_attempt_at, changed_at)
       SELECT DISTINCT ON (address) gen_random_uuid()::text, message_id, client, 'notice', round, step, contact, means,
           address, urgent, 'queued', :at, :at, :at
       FROM deliveries
       WHERE message_id = :message_id AND kind = 'message' AND state IN ('accepted', 'delivered', 'viewed')
           AND contact <> :by AND delivery_id IS DISTINCT FROM :delivery_id
           -- nor whoever it was taken away from: it is no affair of theirs any more
           AND number > coalesce((SELECT void_to FROM dispatches WHERE message_id = :message_id), 0)
           AND means <> 'phone' -- nobody is rung to hear that they need do nothing
       ORDER BY address, queued_at DESC"""
)


def is_void() -> ColumnElement[bool]:
    """Whether a row of `deliveries`, joined with its message's of `dispatches`, is of before the message began anew:
    whoever it told may not be meant any more. By its number, since two clocks may differ.
    """
    return deliveries.c.number <= func.coalesce(dispatches.c.void_to, 0)


async def withdraw_within(connection: AsyncConnection, message_id: str, at: datetime) -> None:
    """Send nothing more of what waits to be sent of a message, in the connection's transaction; what tells people that
    somebody took it on goes out all the same. What is in an attempt is not queued again after it (`outbox`).
    """
    withdrawn = (
        update(deliveries)
        .where(
            deliveries.c.message_id == message_id,
            deliveries.c.state == DeliveryState.QUEUED.value,
            deliveries.c.kind == DeliveryKind.MESSAGE.value,
        )
        .values(state=DeliveryState.WITHDRAWN.value, next_attempt_at=None, changed_at=at)
        .returning(deliveries.c.message_id, deliveries.c.delivery_id, deliveries.c.contact, deliveries.c.means)
    )
    gone = (await connection.execute(withdrawn)).mappings().all()
    await write_events_of(connection, gone, What.WITHDRAWN, at)


async def _answered(connection: AsyncConnection, message_id: str, delivery_id: str, at: datetime) -> str:
    """The telling that somebody answered to has done what it was for; by what it was made."""
    done = (
        update(deliveries)
        .where(deliveries.c.delivery_id == delivery_id, deliveries.c.message_id == message_id)
        .values(
            state=DeliveryState.ACKNOWLEDGED.value,
            next_attempt_at=None,
            sending_until=None,
            changed_at=at,
        )
        .returning(deliveries.c.means)
    )
    return str((await connection.execute(done)).scalar_one_or_none() or "")
