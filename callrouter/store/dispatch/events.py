"""The trail of a message's telling: a row for each thing that happened, in the transaction in which it did."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.tables import dispatch_events

CHANNEL: Final = "callrouter_dispatch"
"""What the worker listens to: there is something to do."""


class What(StrEnum):
    """What happened, as `dispatch_events.what` has it."""

    RULE = "rule"
    """The client's rule was looked up."""
    STEP = "step"
    """A step began; the detail names whom it tells."""
    NOBODY_ON_CALL = "nobody_on_call"
    NO_CHANNEL = "no_channel"
    SENT = "sent"
    """The other side took it; the detail is its answer."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Nobody knows whether the other side took it."""
    AGAIN = "again"
    DELIVERED = "delivered"
    VIEWED = "viewed"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    AGED = "aged"
    """It goes the urgent course from here on."""
    ATTENTION = "attention"
    """It stands on the agents' list."""
    TOLD = "told"
    ENDED = "ended"
    """Somebody says that the message is done."""
    RESTARTED = "restarted"


async def write_event(
    connection: AsyncConnection,
    message_id: str,
    what: What,
    at: datetime,
    *,
    delivery_id: str | None = None,
    contact: str = "",
    means: str = "",
    detail: str = "",
    principal: str = "",
) -> None:
    """Write down one thing that happened, in the connection's transaction."""
    row = {
        "message_id": message_id,
        "at": at,
        "what": what.value,
        "delivery_id": delivery_id,
        "contact": contact,
        "means": means,
        "detail": detail,
        "principal": principal,
    }
    await connection.execute(insert(dispatch_events).values(**row))


async def write_events_of(
    connection: AsyncConnection, told: Collection[Any], what: What, at: datetime, *, principal: str = ""
) -> None:
    """The same of several rows of `deliveries`, each with what it is of."""
    for row in told:
        await write_event(
            connection,
            row["message_id"],
            what,
            at,
            delivery_id=row["delivery_id"],
            contact=row["contact"],
            means=row["means"],
            principal=principal,
        )


async def wake_worker(connection: AsyncConnection) -> None:
    """Have the worker look, once the connection's transaction is committed."""
    await connection.execute(select(func.pg_notify(CHANNEL, "")))
