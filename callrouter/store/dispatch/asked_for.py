"""What systems are told of calls, as people see it: what waits, what failed for good, and that sent once more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Boolean, ColumnElement, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.dispatch.events import wake_worker
from callrouter.store.dispatch.reading import StoredDelivery, read_delivery
from callrouter.store.paging import page, within
from callrouter.store.plans import names_of, one_of
from callrouter.store.tables import DeliveryState, deliveries


class Standing(StrEnum):
    """Where it stands."""

    FAILED = "failed"
    """It was given up."""
    WAITING = "waiting"
    """It is to be sent, or is on its way."""


_STATES: Final = {
    Standing.FAILED: literal_column("state = 'failed'", Boolean),  # literally: there is an index of just these
    Standing.WAITING: literal_column("state IN ('queued', 'sending')", Boolean),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """One of them."""

    client: str
    call_id: str | None
    delivery: StoredDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedForPage:
    """The last ones first, and where the next page begins (None: there is none)."""

    found: list[AskedFor]
    next_cursor: str | None


async def list_asked_for(
    database: Database,
    *,
    standing: Standing = Standing.FAILED,
    client: str | None = None,
    scope: Scope = EVERYTHING,
    limit: int = 100,
    cursor: str | None = None,
) -> AskedForPage:
    """Those that failed for good, or wait; by when their state changed.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    rows, next_cursor = await page(
        database,
        deliveries,
        (deliveries.c.changed_at, deliveries.c.delivery_id),
        client=client,
        filters=[*within(deliveries, scope), deliveries.c.message_id.is_(None), _STATES[standing]],
        from_at=None,
        to_at=None,
        limit=limit,
        cursor=cursor,
    )
    found = [AskedFor(client=row["client"], call_id=row["call_id"], delivery=read_delivery(row)) for row in rows]
    return AskedForPage(found=found, next_cursor=next_cursor)


async def client_of(database: Database, delivery_id: str) -> tuple[str, str | None] | None:
    """Whose it is, and of which call; None: there is none such, or it is of a message.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if "\x00" in delivery_id:  # no text of PostgreSQL's
        return None
    told = deliveries.c
    asked = select(told.client, told.call_id).where(told.delivery_id == delivery_id, told.message_id.is_(None))
    async with database.connection() as connection:
        row = (await connection.execute(asked)).one_or_none()
    return None if row is None else (row.client, row.call_id)


async def send_again(database: Database, ids: Collection[str], *, at: datetime) -> int:
    """Send again those of these that failed for good, as often as ones that were never sent; how many there were.

    Each keeps its id, by which the receiver knows a repetition, and its place in its sequence.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await _queue(connection, deliveries.c.delivery_id.in_(ids), at)


async def send_all_again(database: Database, client: str, *, at: datetime) -> int:
    """The same of all that failed for good of a client, under the names that it had too; how many there were.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await _queue(connection, one_of(deliveries.c.client, await names_of(connection, client)), at)


async def _queue(connection: AsyncConnection, which: ColumnElement[bool], at: datetime) -> int:
    """In one statement, however many there are: its parameters are not the rows."""
    change = (
        update(deliveries)
        .where(which, deliveries.c.message_id.is_(None), _STATES[Standing.FAILED])
        .values(
            state=DeliveryState.QUEUED.value, attempts=0, queued_at=at, next_attempt_at=at, changed_at=at, answer=""
        )
    )
    repeated = (await connection.execute(change)).rowcount
    await wake_worker(connection)
    return repeated
