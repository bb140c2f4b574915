"""How long clients' people took: from when a message was complete until it was first passed on, and acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Label, case, func, literal, select
from sqlalchemy.sql.functions import FunctionElement

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What
from callrouter.store.paging import within
from callrouter.store.plans import names_of, one_of, present_names
from callrouter.store.tables import DispatchState, dispatch_events, dispatches, messages


@dataclass(frozen=True, slots=True)
class Spread:
    """Delays of so many messages, in seconds; None: of none."""

    count: int
    p50_seconds: float | None
    p90_seconds: float | None
    max_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Of one client's messages."""

    client: str
    """By its present name."""
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
        if client is None:
            whose, named = _present(dispatches.c.client, await present_names(connection)), []
        else:  # of one that was renamed since: what stands under that name
            whose = literal(client).label("client")
            named = [one_of(dispatches.c.client, await names_of(connection, client))]
        delays = (
            select(
                whose,
                _seconds_between(taken, first).label("accepted"),
                _seconds_between(taken, done).label("acknowledged"),
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


def _present(column: ColumnElement[str], present: Mapping[str, str]) -> Label[str]:
    """What a client is called now; `present` has those that were renamed."""
    return (case(present, value=column, else_=column) if present else column).label("client")


def _seconds_between(began: ColumnElement[Any], ended: ColumnElement[Any]) -> ColumnElement[Any]:
    """None before it ended; nothing ends before it began, whatever two clocks say."""
    return case((ended.is_not(None), func.greatest(0, func.extract("epoch", ended - began))))


def _spread(seconds: ColumnElement[Any]) -> tuple[FunctionElement[Any] | ColumnElement[Any], ...]:
    """What `Spread` has, in its order."""
    return (
        func.count(seconds),
        *(func.percentile_cont(share).within_group(seconds) for share in (0.5, 0.9)),
        func.max(seconds),
    )


def _delays(client: str, count: int, *values: Any) -> Delays:
    accepted, acknowledged = (Spread(values[at], *map(_seconds, values[at + 1 : at + 4])) for at in (0, 4))
    return Delays(
        client=client,
        messages=count,
        accepted=accepted,
        acknowledged=acknowledged,
        unacknowledged=count - acknowledged.count,
    )


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
