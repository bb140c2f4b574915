"""What failed is sent once more, and a message that is for somebody else, or open again, begins anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import RowMapping, exists, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import is_void, withdraw_within
from callrouter.store.dispatch.events import What, wake_worker, write_event, write_events_of
from callrouter.store.tables import (
    DeliveryKind,
    DeliveryState,
    DispatchState,
    deliveries,
    delivery_links,
    dispatches,
)

REOPENED: Final = "It was done, and is open again: see that somebody takes it on."
"""Why a message that was opened again stands on the list: nobody is woken for it a second time by itself."""


class AgainResult(StrEnum):
    """What came of having something sent again."""

    QUEUED = "queued"
    """What had failed is sent now."""
    RESTARTED = "restarted"
    """Nothing had failed: its rule is looked up anew."""
    UNKNOWN = "unknown"
    """There is no such message, and no such telling."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody took it on: nobody is told of it any more."""
    NOTHING = "nothing"
    """Nothing of it has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The same, of which message, and how many tellings are repeated."""

    result: AgainResult
    message_id: str = ""
    repeated: int = 0


async def put_again(database: Database, id_: str, *, by: str, at: datetime) -> Again:
    """Send again what failed: one telling, or of a message the last one to each person by each means. One that failed
    for now, and waits to be tried again, is tried at once; one whose link was closed is sent another. What was sent
    before the message began anew stays as it is: it may have been taken away from whomever that told.

    A message on the agents' list goes on with the step that it had come to: an acknowledgement is waited for as long
    again. One of which nothing has failed, because nobody was on call, say, or nobody acknowledged, begins anew.

    Args:
        database: open.
        id_: of a delivery or of a message.
        by: the principal who wants it.
        at: when.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if "\x00" in id_:  # no text of PostgreSQL's
        return Again(result=AgainResult.UNKNOWN)
    async with database.connection() as connection:
        one = select(deliveries.c.message_id).where(deliveries.c.delivery_id == id_)
        message_id = (await connection.execute(one)).scalar_one_or_none() or id_
        asked = select(dispatches).where(dispatches.c.message_id == message_id).with_for_update()
        dispatch = (await connection.execute(asked)).mappings().one_or_none()
        if dispatch is None:
            return Again(result=AgainResult.UNKNOWN)
        if dispatch["state"] == DispatchState.ACKNOWLEDGED:
            return Again(result=AgainResult.ACKNOWLEDGED, message_id=message_id)
        failed = await _failed(connection, message_id, None if id_ == message_id else id_, at)
        on_list = dispatch["state"] == DispatchState.ATTENTION
        if not failed and on_list and id_ == message_id:
            await restart_within(connection, message_id, by=by, at=at, urgent=dispatch["urgent"])
            return Again(result=AgainResult.RESTARTED, message_id=message_id)
        if not failed:
            return Again(result=AgainResult.NOTHING, message_id=message_id)
        await _queue(connection, failed, by, at)
        if on_list and dispatch["step"]:  # what becomes of it is the worker's to say again
            await _go_on(connection, dispatch, failed, at)
        await wake_worker(connection)
    return Again(result=AgainResult.QUEUED, message_id=message_id, repeated=len(failed))


async def restart_within(connection: AsyncConnection, message_id: str, *, by: str, at: datetime, urgent: bool) -> None:
    """Have a message's rule looked up anew, in the connection's transaction; of messages of before there is none.

    What waited to be sent by the rule of before is not sent, its links have ended, and neither codes in answers nor
    keys of telephones count any more: whoever was told may not be meant now. One that was confidential stays so.
    """
    asked = select(dispatches.c.message_id).where(dispatches.c.message_id == message_id).with_for_update()
    if (await connection.execute(asked)).scalar_one_or_none() is None:
        return
    until_now = select(func.max(deliveries.c.number)).where(deliveries.c.message_id == message_id)
    await connection.execute(
        update(dispatches)
        .where(dispatches.c.message_id == message_id)
        .values(
            void_to=until_now.scalar_subquery(),
            state=DispatchState.NEW.value,
            urgent=urgent,
            policy=None,
            # Of a plain contact, say, nothing is: but what nobody outside was to read is not mailed because of that.
            confidential=or_(
                dispatches.c.confidential, func.coalesce(dispatches.c.policy["confidential"].as_boolean(), false())
            ),
            plan_version="",
            step=0,
            round=0,
            due_at=at,
            held_until=None,
            begun_at=None,
            ages_at=None,
            reason="",
            ended_at=None,
            acknowledged_by=None,
            acknowledged_how=None,
        )
    )
    await write_event(connection, message_id, What.RESTARTED, at, principal=by)
    await withdraw_within(connection, message_id, at)
    of_message = select(deliveries.c.delivery_id).where(deliveries.c.message_id == message_id)
    await connection.execute(
        update(delivery_links)
        .where(delivery_links.c.delivery_id.in_(of_message), delivery_links.c.expires_at > at)
        .values(expires_at=at)
    )
    await wake_worker(connection)


async def reopen_within(connection: AsyncConnection, message_id: str, *, by: str, at: datetime) -> None:
    """Put a message that was done on the agents' list, in the connection's transaction."""
    back = (
        update(dispatches)
        .where(dispatches.c.message_id == message_id, dispatches.c.state == DispatchState.ACKNOWLEDGED.value)
        .values(
            state=DispatchState.ATTENTION.value,
            reason=REOPENED,
            ended_at=at,
            acknowledged_by=None,
            acknowledged_how=None,
        )
    )
    if (await connection.execute(back)).rowcount:
        await write_event(connection, message_id, What.ATTENTION, at, detail=REOPENED, principal=by)


async def _failed(
    connection: AsyncConnection, message_id: str, delivery_id: str | None, at: datetime
) -> list[dict[str, str]]:
    """The telling of this id; without one, the last of each person by each means: those that have failed, for good or
    for now, and those whose link was closed, which show nothing any more.
    """
    own = deliveries.c
    is_closed = exists().where(
        delivery_links.c.delivery_id == own.delivery_id,
        delivery_links.c.closed_at.is_not(None),
        delivery_links.c.expires_at > at,
    )
    columns = (
        *(own.message_id, own.delivery_id, own.contact, own.means, own.state, own.attempts),
        is_closed.label("is_closed"),
    )
    mine = own.delivery_id.in_(
        select(own.delivery_id)
        .join(dispatches, dispatches.c.message_id == own.message_id)
        .where(own.message_id == message_id, ~is_void())
    )
    if delivery_id is not None:
        # A code is asked for anew: whoever wanted this one has gone.
        query = select(*columns).where(mine, own.delivery_id == delivery_id, own.kind != DeliveryKind.CODE.value)
    else:
        query = (
            select(*columns)
            .where(mine, own.kind == DeliveryKind.MESSAGE.value)
            .order_by(own.contact, own.means, own.queued_at.desc(), own.round.desc(), own.step.desc())
            .ext(distinct_on(own.contact, own.means))
        )
    rows = (await connection.execute(query)).mappings()
    return [dict(row) for row in rows if _is_failed(row) or _waits_for_another_try(row)]


def _is_failed(row: RowMapping) -> bool:
    is_out = row["state"] in (DeliveryState.QUEUED, DeliveryState.SENDING)
    return bool(row["state"] == DeliveryState.FAILED or (row["is_closed"] and not is_out))


def _waits_for_another_try(row: RowMapping) -> bool:
    return bool(row["state"] == DeliveryState.QUEUED and row["attempts"])


async def _go_on(
    connection: AsyncConnection, dispatch: RowMapping, failed: Sequence[Mapping[str, str]], at: datetime
) -> None:
    """The tellings belong to the step that began last, as if it began now, and nothing follows them."""
    ids = [row["delivery_id"] for row in failed]
    place = {"round": dispatch["round"], "step": dispatch["step"] - 1, "last": True}
    await connection.execute(update(deliveries).where(deliveries.c.delivery_id.in_(ids)).values(**place))
    back = {"state": DispatchState.RUNNING.value, "due_at": at, "begun_at": at, "reason": "", "ended_at": None}
    of_message = dispatches.c.message_id == dispatch["message_id"]
    await connection.execute(update(dispatches).where(of_message).values(**back))


async def _queue(connection: AsyncConnection, failed: list[dict[str, str]], by: str, at: datetime) -> None:
    """Attempts are counted anew: it is tried as often as one that was never sent."""
    queued = {
        "state": DeliveryState.QUEUED.value,
        "attempts": 0,
        "queued_at": at,
        "next_attempt_at": at,
        "changed_at": at,
        "answer": "",
        "receipt_id": None,
    }
    ids = [row["delivery_id"] for row in failed]
    await connection.execute(update(deliveries).where(deliveries.c.delivery_id.in_(ids)).values(**queued))
    # Or it would count as closed for as long as the link would have led there, also once there is another.
    closed = delivery_links.c.delivery_id.in_(ids), delivery_links.c.closed_at.is_not(None)
    ended = update(delivery_links).where(*closed, delivery_links.c.expires_at > at).values(expires_at=at)
    await connection.execute(ended)
    await write_events_of(connection, failed, What.AGAIN, at, principal=by)
