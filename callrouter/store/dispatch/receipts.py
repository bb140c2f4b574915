"""What became of tellings that the other side took, as it says itself later: once, twice, in any order.

A telling goes forward only: what was viewed or acknowledged has arrived, whatever is reported of it, and of several
reports that contradict each other the first one stands. Nobody knew the fate of some: a report that they were
delivered says it.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Final

from sqlalchemy import RowMapping, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import Means
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What, wake_worker, write_event
from callrouter.store.dispatch.outbox import wake_within
from callrouter.store.tables import DeliveryState, deliveries, dispatch_events, dispatches


class Fate(StrEnum):
    """What the other side says became of a telling."""

    DELIVERED = "delivered"
    """It is in the mailbox, or on the telephone."""
    FAILED = "failed"
    """It will never be."""
    RELAYED = "relayed"
    """It went to a server that does not report: nothing more is heard of it unless it fails."""
    DELAYED = "delayed"
    """It is being tried."""


class Noted(Enum):
    """What came of noting it."""

    CHANGED = auto()
    """Something is known now that was not."""
    KNOWN = auto()
    """Nothing has changed by it."""
    NOBODYS = auto()
    """There is no such telling."""
    NOT_YET = auto()
    """The telling is still on its way, by what we know: say it again in a moment."""


_STATE: Final = {Fate.DELIVERED: DeliveryState.DELIVERED, Fate.FAILED: DeliveryState.FAILED}
"""What a telling comes to by it; others are but told in the trail."""
_WHAT: Final = {
    Fate.DELIVERED: What.DELIVERED,
    Fate.FAILED: What.FAILED,
    Fate.RELAYED: What.RELAYED,
    Fate.DELAYED: What.DELAYED,
}


async def note_receipt(database: Database, id_: str, means: Means, fate: Fate, said: str, at: datetime) -> Noted:
    """Write down what the other side says of what it calls `id_`: of all tellings that went in it.

    Args:
        database: open.
        id_: the receipt's id that the other side gave, or the delivery's.
        means: by which it was sent; the telling of this id by another one is not meant.
        fate: what became of it.
        said: in the other side's words.
        at: when it was heard.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if not id_ or "\x00" in id_:  # no text of PostgreSQL's
        return Noted.NOBODYS
    async with database.connection() as connection:
        return await _note(connection, id_, means, fate, said.replace("\x00", "\ufffd"), at)


async def _note(connection: AsyncConnection, id_: str, means: Means, fate: Fate, said: str, at: datetime) -> Noted:
    columns = deliveries.c
    named = or_(columns.receipt_id == id_, columns.delivery_id == id_), columns.means == means.value
    of_it = select(columns.message_id).where(*named)
    lock = (
        select(dispatches.c.message_id)
        .where(dispatches.c.message_id.in_(of_it))
        .order_by(dispatches.c.message_id)
        .with_for_update()
    )
    ids = list((await connection.execute(lock)).scalars())
    locked = select(deliveries).where(*named).order_by(columns.delivery_id).with_for_update()
    rows = (await connection.execute(locked)).mappings().all() if ids else []
    if not rows:
        return Noted.NOBODYS
    if any(row["state"] == DeliveryState.SENDING for row in rows):
        return Noted.NOT_YET
    changed = [row for row in rows if await _changes(connection, row, fate, said)]
    for row in changed:
        await _change(connection, row, fate, said, at)
    if not changed:
        return Noted.KNOWN
    of_changed = sorted({row["message_id"] for row in changed})
    if fate is Fate.FAILED:
        await connection.execute(_TELL_AGAIN, {"ids": of_changed, "now": at})
    if fate in _STATE:
        await wake_within(connection, of_changed, at)
    await wake_worker(connection)
    return Noted.CHANGED


async def _changes(connection: AsyncConnection, row: RowMapping, fate: Fate, said: str) -> bool:
    """Whether it says more of the telling than is known."""
    state = DeliveryState(row["state"])
    accepted = state is DeliveryState.ACCEPTED
    if fate is Fate.FAILED:
        return accepted
    if fate is Fate.DELIVERED:
        # One that is to be repeated, because nobody knew: it need not be.
        repeated = state is DeliveryState.QUEUED and int(row["attempts"]) > 0
        return accepted or repeated or (state is DeliveryState.FAILED and await _was_unknown(connection, row))
    columns = dispatch_events.c
    same = select(columns.number).where(
        columns.message_id == row["message_id"],
        columns.delivery_id == row["delivery_id"],
        columns.what == _WHAT[fate].value,
        columns.detail == said,
    )
    return accepted and (await connection.execute(same.limit(1))).first() is None


async def _was_unknown(connection: AsyncConnection, row: RowMapping) -> bool:
    """Whether a telling counts as failed because nobody knew what became of it."""
    columns = dispatch_events.c
    last = (
        select(columns.what)
        .where(columns.message_id == row["message_id"], columns.delivery_id == row["delivery_id"])
        .order_by(columns.number.desc())
        .limit(1)
    )
    return (await connection.execute(last)).scalar_one_or_none() == What.UNKNOWN


async def _change(connection: AsyncConnection, row: RowMapping, fate: Fate, said: str, at: datetime) -> None:
    if (state := _STATE.get(fate)) is not None:
        values = {"state": state.value, "answer": said, "next_attempt_at": None, "changed_at": at}
        mine = deliveries.c.delivery_id == row["delivery_id"]
        await connection.execute(update(deliveries).where(mine).values(**values))
    await write_event(
        connection,
        row["message_id"],
        _WHAT[fate],
        at,
        delivery_id=row["delivery_id"],
        contact=row["contact"],
        means=row["means"],
        detail=said,
    )


_TELL_AGAIN: Final = text(
    """UPDATE dispatches d SET state = 'running', due_at = :now, ended_at = NULL
       WHERE d.message_id = ANY(:ids) AND d.state = 'told' AND NOT EXISTS (
           SELECT FROM deliveries v
           WHERE v.message_id = d.message_id AND v.kind = 'message' AND v.round = d.round AND v.step = d.step - 1
               AND v.queued_at >= d.begun_at AND v.state <> 'failed')"""
)
"""Those whose people were told, for all that we knew: what is done now is the worker's to say."""
