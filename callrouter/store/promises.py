"""What clients were promised, as it was when each version of their plans went live.

A distinct promise is one row, however many clients and versions make it: figures can be keyed by its number. Of a
version that has none (kept before promises were, its document unreadable) reports say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import asdict, fields
from sqlalchemy import select, true, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.service_level import Formula, Promise, WaitingClock
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.tables import plan_history, plans, promises

_VALUES = tuple(promises.c[field.name] for field in fields(Promise))
"""The columns by which promises differ."""


async def promise_numbers(connection: AsyncConnection, made: Collection[Promise]) -> dict[Promise, int]:
    """The number of each promise; one that is new gets its number in the connection's transaction."""
    if not made:
        return {}
    rows = [asdict(promise) for promise in set(made)]
    await connection.execute(insert(promises).on_conflict_do_nothing(), rows)
    found = await connection.execute(
        select(promises).where(tuple_(*_VALUES).in_([tuple(row.values()) for row in rows]))
    )
    return {promise_of_row(row): row["promise_id"] for row in found.mappings()}


def promise_of_row(row: Mapping[Any, Any]) -> Promise:
    """The promise of a row that holds the columns of `promises`."""
    values = {column.name: row[column.name] for column in _VALUES}
    return Promise(**{**values, "formula": Formula(row["formula"]), "clock": WaitingClock(row["clock"])})


async def promise_in_service(connection: AsyncConnection, client: str) -> Promise | None:
    """What the version promises that went live last; None when the client never had one, or it is not known."""
    query = (
        select(promises)
        .select_from(plan_history)
        .join(plans, (plans.c.client == plan_history.c.client) & (plans.c.version == plan_history.c.version))
        .join(promises, isouter=True)
        .where(plan_history.c.client == client)
        .order_by(plan_history.c.history_id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None or row["promise_id"] is None else promise_of_row(row)


async def zones_in_service(connection: AsyncConnection, client: str | None = None) -> dict[str, str]:
    """By client, or of one: the time zone of the version that went live last; clients of whom none is known left out.

    The values are IANA names.
    """
    return await zones_of(connection, None if client is None else [client])


async def zones_of(connection: AsyncConnection, clients: Sequence[str] | None) -> dict[str, str]:
    """The same of some clients; None: of all."""
    query = (
        select(plan_history.c.client, promises.c.timezone)
        .select_from(plan_history)
        .join(plans, (plans.c.client == plan_history.c.client) & (plans.c.version == plan_history.c.version))
        .join(promises)
        .where(true() if clients is None else plan_history.c.client.in_(clients))
        .order_by(plan_history.c.client, plan_history.c.history_id.desc())
        .ext(distinct_on(plan_history.c.client))
    )
    return {row.client: row.timezone for row in await connection.execute(query)}


def operators_zone(zones: Mapping[str, str]) -> ZoneInfo:
    """Of all clients' zones by client: the one that most have, else UTC."""
    return ZoneInfo(Counter(zones.values()).most_common(1)[0][0] if zones else "UTC")


async def instants_of(
    database: Database, period: Period, client: str | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """From when to when a period asks; None: from the first, to the last.

    Moments that name no zone are on the clocks of the client; of no client, or one of whom none is known, on those of
    the operator.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if period.start is None and period.end is None:
        return None, None
    async with database.connection() as connection:
        zones = await zones_in_service(connection)
    zone = ZoneInfo(zones[client]) if client in zones else operators_zone(zones)
    start, end = (None if moment is None else moment.within(zone, now) for moment in (period.start, period.end))
    return start, end


async def versions_without_promise(database: Database) -> list[tuple[str, str]]:
    """The versions, as (client, version), that are kept without what they promise.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plans.c.client, plans.c.version).where(plans.c.promise_id.is_(None))
    async with database.connection() as connection:
        return [(row.client, row.version) for row in await connection.execute(query)]


async def keep_promise(database: Database, client: str, version: str, promise: Promise) -> None:
    """Keep what a version promises, unless it is kept already.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        numbers = await promise_numbers(connection, [promise])
        statement = (
            update(plans)
            .where(plans.c.client == client, plans.c.version == version, plans.c.promise_id.is_(None))
            .values(promise_id=numbers[promise])
        )
        await connection.execute(statement)
