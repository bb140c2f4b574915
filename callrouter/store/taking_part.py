"""Pages of the calls in which an agent took part, first or later: whoever spoke with the caller, not who was rung.

What an agent did stands in visits to queues and in legs, by when it began there, and calls are listed by when they
rang, which is before: a caller waits first. So the agent's visits and legs are walked from the newest on, some more
than a page has, and of the calls that they name those are certain that rang after the last one that was looked at
began: any that was not looked at began, and so rang, before. Legs alone would do for calls of this release: of older
ones, and of those that no engine had, only the visits are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, RowMapping, Select, Text, and_, cast, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import LegPurpose
from callrouter.store.database import Database
from callrouter.store.paging import bounds, constant, cut, decode_cursor, newest
from callrouter.store.plans import names_of, one_of
from callrouter.store.tables import calls, legs, queue_visits

LONGEST: Final = timedelta(days=1)
"""Nobody begins to speak with a caller later than that after the call rang."""
_MORE: Final = 1.1
"""How many visits and legs are looked at first, by what a page has."""
_ALL_AT_ONCE: Final = text("SET LOCAL enable_indexscan = off")
_ONE_BY_ONE: Final = text("SET LOCAL enable_indexscan = on")
_AGAIN: Final = 4
"""By how many times more, when these were too few."""


def took_part(agent: str, queue: str | None) -> ColumnElement[bool]:
    """Whether an agent spoke with the caller of a call; with a queue: in a visit to it."""
    visits = and_(queue_visits.c.call_id == calls.c.call_id, *_visits(agent, queue))
    if queue is not None:
        return exists().where(visits)
    # The legs of a call are a range of their ids (store.calls).
    of_call = and_(legs.c.leg_id >= calls.c.call_id + "/", legs.c.leg_id < calls.c.call_id + "0")
    return or_(exists().where(visits), exists().where(of_call, legs.c.call_id == calls.c.call_id, *_legs(agent)))


async def page_of_agent(
    database: Database,
    agent: str,
    *,
    queue: str | None,
    client: str | None,
    filters: Sequence[ColumnElement[bool]],
    from_at: datetime | None,
    to_at: datetime | None,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[RowMapping], str | None]:
    """The calls of a page, the newest first, and the cursor of the next one: as `paging.page`.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    order = (calls.c.ringing_at, calls.c.call_id)
    wanted = [*filters, *bounds(order, from_at, to_at, cursor)]
    ends = [at for at in (to_at, decode_cursor(cursor, str)[0] if cursor is not None else None) if at is not None]
    until = min(ends) + LONGEST if ends else None
    async with database.connection() as connection:
        if client is not None:
            wanted.append(one_of(calls.c.client, await names_of(connection, client)))
        looked_at = int((limit + 1) * _MORE) + _AGAIN
        while True:
            named, since = await _last_of(connection, agent, queue, from_at, until, looked_at)
            query = newest(calls, order, limit + 1).where(
                calls.c.call_id == func.any(cast(named, ARRAY(Text(collation="C")))), *wanted
            )
            if since is not None:
                query = query.where(calls.c.ringing_at > since)
            # All at once, the next one under way while one is read: they lie anywhere in the last days.
            await connection.execute(_ALL_AT_ONCE)
            rows = (await connection.execute(query)).mappings().all()
            if len(rows) > limit or since is None:
                return cut(rows, order, limit)
            await connection.execute(_ONE_BY_ONE)
            looked_at *= _AGAIN


async def _last_of(
    connection: AsyncConnection,
    agent: str,
    queue: str | None,
    from_at: datetime | None,
    until: datetime | None,
    limit: int,
) -> tuple[list[str], datetime | None]:
    """The calls of so many last visits and legs of an agent, and since when these are all; None: there are no more."""
    visits = _newest_of(queue_visits.c.call_id, queue_visits.c.entered_at, _visits(agent, queue), from_at, until, limit)
    sources = [visits]
    if queue is None:
        sources.append(_newest_of(legs.c.call_id, legs.c.began_at, _legs(agent), from_at, until, limit))
    named: set[str] = set()
    since: datetime | None = None
    for source in sources:
        found = (await connection.execute(source)).all()
        named.update(call_id for call_id, _ in found)
        if len(found) == limit:
            last: datetime = found[-1][1]
            since = last if since is None else max(since, last)
    return list(named), since


def _newest_of(
    call_id: Column[Any],
    at: Column[Any],
    whose: Sequence[ColumnElement[bool]],
    from_at: datetime | None,
    until: datetime | None,
    limit: int,
) -> Select[Any]:
    query = select(call_id, at).where(*whose).order_by(at.desc()).limit(limit)
    if from_at is not None:
        query = query.where(at >= from_at)
    if until is not None:
        query = query.where(at < until)
    return query


def _visits(agent: str, queue: str | None) -> list[ColumnElement[bool]]:
    """Of an agent, who is also named where they were rung and did not answer."""
    of_agent = [queue_visits.c.agent == agent, queue_visits.c.answered_at.is_not(None)]
    return of_agent if queue is None else [*of_agent, queue_visits.c.queue == queue]


def _legs(agent: str) -> list[ColumnElement[bool]]:
    # A constant, too, so that the plan for any agent knows that the index has them: it leaves callers' legs out.
    agents_legs = constant(legs.c.purpose, LegPurpose.AGENT.value)
    return [legs.c.party == agent, agents_legs, legs.c.answered_at.is_not(None), legs.c.call_id.is_not(None)]
