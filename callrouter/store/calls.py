"""Calls read back: a page of them, or one, each as the core's own `Call` with its trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONPATH
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import Call, Disposition, EndedBy, Hold, Leg, LegPurpose, Offer, OfferOutcome, Recording
from callrouter.errors import CallrouterError
from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.paging import bounds, constant, cut, equal, newest, page, within
from callrouter.store.plans import names_of, one_of
from callrouter.store.tables import (
    PATH_ARROW,
    RecordingKind,
    calls,
    holds,
    legs,
    offers,
    queue_visits,
    recordings,
    superseded_calls,
)
from callrouter.store.taking_part import page_of_agent, took_part
from callrouter.store.trace import Grown, call_from_fields

LONGEST_PERIOD: Final = timedelta(days=31, hours=1)
"""Within which calls are found by queue or node: a month of 31 days may have an hour more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Calls, the newest first, and where the next page begins (None: there is none)."""

    calls: list[Call]
    next_cursor: str | None


async def find_call(database: Database, call_id: str) -> Call | None:
    """One call that has ended, or None.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if "\x00" in call_id:
        return None
    async with database.connection() as connection:
        row = (await connection.execute(select(calls).where(calls.c.call_id == call_id))).mappings().one_or_none()
        if row is None:
            return None
        grown = Grown(
            offers=await _offers_of(connection, call_id),
            legs=await _legs_of(connection, call_id),
            holds=await _holds_of(connection, call_id),
            recordings=await _recordings_of(connection, call_id),
        )
        return call_from_fields(row, grown)


async def _offers_of(connection: AsyncConnection, call_id: str) -> tuple[Offer, ...]:
    """In order; the agents' channels are not kept."""
    told = select(offers).where(offers.c.call_id == call_id).order_by(offers.c.number)
    return tuple(
        Offer(
            number=row["number"],
            queue=row["queue"],
            agent=row["agent"],
            began_at=row["began_at"],
            ended_at=row["ended_at"],
            outcome=row["outcome"] and OfferOutcome(row["outcome"]),
            cause=row["cause"],
        )
        for row in (await connection.execute(told)).mappings()
    )


async def _legs_of(connection: AsyncConnection, call_id: str) -> tuple[Leg, ...]:
    """In order; the channels are not kept."""
    # Those of a call have ids of its own id, a slash and a number; "0" follows "/" (collation C).
    of_call = (legs.c.leg_id >= f"{call_id}/", legs.c.leg_id < f"{call_id}0")
    told = select(legs).where(*of_call, legs.c.call_id == call_id).order_by(legs.c.number)
    return tuple(
        Leg(
            number=row["number"],
            purpose=LegPurpose(row["purpose"]),
            party=row["party"],
            began_at=row["began_at"],
            answered_at=row["answered_at"],
            ended_at=row["ended_at"],
            hold_seconds=row["hold_seconds"],
            ended_by=row["ended_by"] and EndedBy(row["ended_by"]),
            cause=row["cause"],
            identity=row["identity"] or "",
            sip=int(row["tech_cause"] or 0),
            trunk=row["trunk"] or "",
            open=False,
        )
        for row in (await connection.execute(told)).mappings()
    )


async def _holds_of(connection: AsyncConnection, call_id: str) -> tuple[Hold, ...]:
    """By leg, in order."""
    of_call = (holds.c.leg_id >= f"{call_id}/", holds.c.leg_id < f"{call_id}0")
    told = select(holds).where(*of_call, holds.c.call_id == call_id)
    found = (
        Hold(
            leg=int(row["leg_id"].rpartition("/")[2]),
            number=row["number"],
            began_at=row["began_at"],
            ended_at=row["ended_at"],
        )
        for row in (await connection.execute(told)).mappings()
    )
    return tuple(sorted(found, key=lambda hold: (hold.leg, hold.number)))


async def _recordings_of(connection: AsyncConnection, call_id: str) -> tuple[Recording, ...]:
    """Those of conversations, in order; for how long each is kept its row says (`access.recordings`)."""
    of_call = (recordings.c.call_id == call_id, recordings.c.kind == RecordingKind.CONVERSATION)
    told = select(recordings).where(*of_call).order_by(recordings.c.number)
    return tuple(
        Recording(
            number=row["number"],
            key="",
            keep_days=0,
            leg=int((row["leg"] or "0").rpartition("/")[2]),
            began_at=row["started_at"],
            ended_at=row["started_at"] + timedelta(seconds=row["seconds"]),
            paused_seconds=row["paused_seconds"] or 0.0,
            objected_at=row["objected_at"],
        )
        for row in (await connection.execute(told)).mappings()
    )


async def superseded_records(database: Database, call_id: str) -> int:
    """How many records of a call are kept beside the one that stands.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(func.count()).where(superseded_calls.c.call_id == call_id)
    async with database.connection() as connection:
        return int((await connection.execute(query)).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """What another teller said of a call."""

    epoch: int
    """Of the engine that told it; 0: no engine had the call."""
    revision: int
    """How much it had learnt; 0: a guess, the end was not seen."""
    noted_at: datetime
    """Since when another record stands."""
    record: Mapping[str, Any]
    """Its row of `calls`, column by column."""


async def superseded_of(database: Database, call_id: str) -> list[Superseded]:
    """The records of a call that are kept beside the one that stands, the one that knew most first.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    told = superseded_calls.c
    query = (
        select(told.epoch, told.revision, told.noted_at, told.record)
        .where(told.call_id == call_id)
        .order_by(told.epoch.desc(), told.revision.desc())
    )
    async with database.connection() as connection:
        return [Superseded(**row) for row in (await connection.execute(query)).mappings()]


async def recorded_calls(database: Database, call_ids: Sequence[str]) -> dict[str, bool]:
    """Which of these calls have a row, and whether their end was seen: a guess is corrected by whoever saw it.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    seen = func.coalesce(calls.c.revision, 1) > 0
    query = select(calls.c.call_id, seen).where(calls.c.call_id == func.any(cast(list(call_ids), ARRAY(Text))))
    async with database.connection() as connection:
        return {call_id: bool(seen) for call_id, seen in await connection.execute(query)}


async def queues_of(database: Database, call_id: str) -> set[str]:
    """The queues in which a call waited.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(queue_visits.c.queue).where(queue_visits.c.call_id == call_id)
    async with database.connection() as connection:
        return set((await connection.execute(query)).scalars())


class TooWide(CallrouterError):
    """Calls are asked for in a way that would read the record from its beginning."""


async def list_calls(
    database: Database,
    *,
    client: str | None = None,
    disposition: Disposition | None = None,
    caller: str | None = None,
    did: str | None = None,
    agent: str | None = None,
    queue: str | None = None,
    node: str | None = None,
    left: str | None = None,
    version: str | None = None,
    scope: Scope = EVERYTHING,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> CallPage:
    """Calls that ended, by when they rang (`from_at` included, `to_at` not), the newest first.

    Args:
        database: open.
        client: whose dialplan they walked, under the names it had too.
        disposition: how they ended.
        caller: the number they came from, as it is in the record.
        did: the number they called, as it is in the record.
        agent: who spoke with the caller, first or later.
        queue: where the caller waited, first or later; with an agent, where that one answered.
        node: a node they passed or ended in.
        left: the node at which they left the tree; empty: they never came to one.
        version: of the plan that they walked.
        scope: whose of them are shown.
        from_at: when the first of them rang.
        to_at: when none of them rang any more.
        limit: rows a page.
        cursor: of the page before.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
        TooWide: a queue or a node is asked for, and not within one client and `LONGEST_PERIOD`.
    """
    asked = {"queue": queue, "node": node, "left": left}
    _refuse_too_wide([name for name, value in asked.items() if value is not None], client, from_at, to_at)
    filters = [
        *([] if disposition is None else [constant(calls.c.disposition, disposition.value)]),
        *equal(calls, caller_number=caller, did=did, plan_version=version),
        *([] if node is None else [_passed(node)]),
        *([] if left is None else [_left_at(left)]),
        *([] if queue is None or agent is not None else [_waited(queue)]),
        *within(calls, scope),
    ]
    if agent is not None and caller is None:
        rows, next_cursor = await page_of_agent(
            database,
            agent,
            queue=queue,
            client=client,
            filters=filters,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
    elif client is not None and agent is None and any(value is not None for value in asked.values()):
        rows, next_cursor = await _page_in_passing(database, client, filters, from_at, to_at, limit, cursor)
    else:
        if agent is not None:
            filters.append(took_part(agent, queue))
        rows, next_cursor = await page(
            database,
            calls,
            (calls.c.ringing_at, calls.c.call_id),
            client=client,
            filters=filters,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
    return CallPage(calls=[call_from_fields(row) for row in rows], next_cursor=next_cursor)


def _refuse_too_wide(
    asked: Sequence[str], client: str | None, from_at: datetime | None, to_at: datetime | None
) -> None:
    """No index knows which queues and nodes a call saw: a client's month of them is read, and no more."""
    if not asked:
        return
    narrow = from_at is not None and to_at is not None and to_at - from_at <= LONGEST_PERIOD
    if client is None or not narrow:
        raise TooWide(
            f"query.{asked[0]}: calls are found by {' and '.join(asked)} within one client and "
            f"{LONGEST_PERIOD.days} days: name a client, and a period of so many days at most with from and to"
        )


_ALL_AT_ONCE: Final = text(
    "SELECT set_config('enable_indexscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"
)
_ONE_BY_ONE: Final = text("SET LOCAL enable_indexscan = on")
_FIRST_LOOK: Final = 4
"""How many calls are looked at first, by what a page has; each time so many times more."""


async def _page_in_passing(
    database: Database,
    client: str,
    filters: Sequence[ColumnElement[bool]],
    from_at: datetime | None,
    to_at: datetime | None,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[RowMapping], str | None]:
    """A page of what only a look at each call tells: at some of the client's last calls, and at more if these are too
    few. They are read all at once, the next ones under way while one is looked at, and not one after the other."""
    order = (calls.c.ringing_at, calls.c.call_id)
    wanted = bounds(order, from_at, to_at, cursor)
    looked_at = limit + 1
    async with database.connection() as connection:
        wanted.append(one_of(calls.c.client, await names_of(connection, client)))
        while True:
            looked_at *= _FIRST_LOOK
            last = select(calls.c.ringing_at).where(*wanted).order_by(calls.c.ringing_at.desc())
            since = (await connection.execute(last.offset(looked_at).limit(1))).scalar()
            query = newest(calls, order, limit + 1).where(*wanted, *filters)
            if since is not None:
                query = query.where(calls.c.ringing_at > since)
            await connection.execute(_ALL_AT_ONCE)
            rows = (await connection.execute(query)).mappings().all()
            if len(rows) > limit or since is None:
                return cut(rows, order, limit)
            await connection.execute(_ONE_BY_ONE)


def _waited(queue: str) -> ColumnElement[bool]:
    """By the trace, which has the same visits as `queue_visits`, and is read with the call."""
    visited = cast("$.queues[*] ? (@[0] == $queue)", JSONPATH)
    return func.jsonb_path_exists(calls.c.trace, visited, func.jsonb_build_object("queue", cast(queue, Text)))


def _left_at(node: str) -> ColumnElement[bool]:
    return func.split_part(calls.c.node_path, PATH_ARROW, -1) == node


def _passed(node: str) -> ColumnElement[bool]:
    return literal(node) == func.any(func.string_to_array(calls.c.node_path, PATH_ARROW))
