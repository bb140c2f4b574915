"""The trail of a message's telling: a row for each thing that happened, in the transaction in which it did."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import What as What
from callrouter.store.tables import dispatch_events

CHANNEL: Final = "callrouter_dispatch"
"""What the worker listens to: there is something to do."""


BY_MACHINE: Final = "automatic answer: "
"""How the detail of REPLIED begins where a machine answered for somebody."""


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
