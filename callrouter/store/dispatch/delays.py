"""How long clients' people took: from when a message was complete until it was first passed on, and acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.sql.functions import FunctionElement

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What
from callrouter.store.paging import within
from callrouter.store.plans import names_of, one_of
from callrouter.store.tables import DispatchState, dispatch_events, dispatches, messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Delays of so many messages, in seconds; None: of none."""

    count: int
    p50: float | None
    p90: float | None
    longest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Of one client's messages."""

    client: str
    """As it was called when they were taken."""
    messages: int
    accepted: Spread
    """Until the first telling was accepted by whoever passes it on."""
    acknowledged: Spread
    """Until somebody took it on, or it was done."""
    unacknowledged: int


async def read_delays(
    database: Database,
    *,
    from_at: datetime,
    to_at: datetime,
    client: str | None = None,
    scope: Scope = EVERYTHING,
) -> list[Delays]:
    """By client, of messages whose telling began in a span (`from_at` included, `to_at` not).

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    taken = func.coalesce(
        messages.c.taken_at, messages.c.started_at + func.make_interval(0, 0, 0, 0, 0, 0, messages.c.seconds)
    )
    passed_on = dispatch_events.c.what.in_([What.SENT.value, What.DELIVERED.value])
    first = (
        select(func.min(dispatch_events.c.at))
        .where(dispatch_events.c.message_id == dispatches.c.message_id, passed_on)
        .scalar_subquery()
    )
    done = case((dispatches.c.state == DispatchState.ACKNOWLEDGED.value, dispatches.c.ended_at))
    span = dispatches.c.began_at >= from_at, dispatches.c.began_at < to_at
    async with database.connection() as connection:
        named = [] if client is None else [one_of(dispatches.c.client, await names_of(connection, client))]
        delays = (
            select(
                dispatches.c.client,
                func.extract("epoch", first - taken).label("accepted"),
                func.extract("epoch", done - taken).label("acknowledged"),
            )
            .join(messages, messages.c.message_id == dispatches.c.message_id)
            .where(*span, *named, *within(dispatches, scope))
            .subquery()
        )
        query = (
            select(
                delays.c.client,
                func.count().label("messages"),
                *_spread(delays.c.accepted),
                *_spread(delays.c.acknowledged),
            )
            .group_by(delays.c.client)
            .order_by(delays.c.client)
        )
        rows = (await connection.execute(query)).all()
    return [_delays(*row) for row in rows]


def _spread(seconds: ColumnElement[Any]) -> tuple[FunctionElement[Any] | ColumnElement[Any], ...]:
    """What `Spread` has, in its order."""
    return (
        func.count(seconds),
        *(func.percentile_cont(share).within_group(seconds) for share in (0.5, 0.9)),
        func.max(seconds),
    )


def _delays(client: str, count: int, *values: Any) -> Delays:
    accepted, acknowledged = (
        Spread(
            count=values[at],
            p50=_seconds(values[at + 1]),
            p90=_seconds(values[at + 2]),
            longest=_seconds(values[at + 3]),
        )
        for at in (0, 4)
    )
    return Delays(
        client=client,
        messages=count,
        accepted=accepted,
        acknowledged=acknowledged,
        unacknowledged=count - acknowledged.count,
    )


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
