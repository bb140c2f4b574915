"""Days whose figures other systems are told: which have been, and by what they are known to have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import RowMapping, any_, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import Kind
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.plans import present_names
from callrouter.store.promises import zones_in_service
from callrouter.store.subscribed.happened import Event, queue_events
from callrouter.store.tables import happenings, plan_history, subscribers, told_days

STREAM: Final = ""
"""In place of a subscription's name: PostgreSQL makes a row of `streamed` of such a day, and of each revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySubscriber:
    """A subscription that wants a day's figures; or the live event stream, which tells those of all clients."""

    client: str
    """Its present name."""
    name: str
    """`STREAM`: it is the stream."""
    timezone: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDay:
    """What a subscription was told of a day."""

    revision: int
    digest: str
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysKnown:
    """What has been told of days, and which of these must be looked at again."""

    subscribers: list[DaySubscriber]
    told: dict[tuple[str, str, date], ToldDay]
    """By client, subscription and day."""
    changed: dict[tuple[str, date], datetime]
    """By client and day: when a call that rang on it came last, after the day was over."""


async def read_days(database: Database, since: date) -> DaysKnown:
    """Of days from this one on.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    own, told, noted = subscribers.c, told_days.c, happenings.c
    kind = Kind.DAY_FIGURES.value
    mine = own.client == own.owner, literal(kind) == any_(own.kinds)
    columns = (own.client, own.name, own.timezone, own.since)
    wanted = select(*columns).where(*mine).order_by(own.client, own.name)
    async with database.connection() as connection:
        found = [DaySubscriber(**row) for row in (await connection.execute(wanted)).mappings()]
        rows = (await connection.execute(select(told_days).where(told.day >= since))).mappings().all()
        found += await _streams(connection)
        late = (await connection.execute(select(noted.subject, noted.at).where(noted.kind == kind))).all()
    return DaysKnown(
        subscribers=sorted(found, key=lambda one: (one.client, one.name)),
        told={(row["client"], row["name"], row["day"]): _told(row) for row in rows},
        changed={day_of(row.subject): row.at for row in late},
    )


async def tell_day(
    database: Database,
    lease: Lease,
    one: DaySubscriber,
    day: date,
    digest: str,
    now: datetime,
    make: Callable[[int], Event | None],
) -> bool:
    """Write down that a day's figures were looked at, and tell them if they are new; whether they are.

    Args:
        database: open.
        lease: by which this worker may tell.
        one: who is told.
        day: of the client's zone.
        digest: of the figures as they are now.
        now: when they were computed.
        make: what is queued, by its revision; None: the subscription is gone, or is the stream.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = told_days.c
    mine = (columns.client == one.client, columns.name == one.name, columns.day == day)
    async with database.connection() as connection:
        await lease.check(connection)
        row = (await connection.execute(select(told_days).where(*mine).with_for_update())).mappings().one_or_none()
        before = _told(row) if row is not None else None
        is_new = before is None or before.digest != digest
        revision = (before.revision if before else 0) + is_new
        values = {"revision": revision, "digest": digest, "looked_at": now}
        key = {"client": one.client, "name": one.name, "day": day}
        change = insert(told_days).values(**key, **values)
        await connection.execute(change.on_conflict_do_update(index_elements=list(key), set_=values))
        if is_new and (event := make(revision)) is not None:
            await queue_events(connection, [event], now)
    return is_new


async def forget_changed(
    database: Database, lease: Lease, client: str, changed: Mapping[tuple[str, date], datetime]
) -> None:
    """Days of a client that were looked at need not be again, unless another call has come since.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    looked_at = {key: at for key, at in changed.items() if key[0] == client}
    if looked_at:
        async with database.connection() as connection:
            await lease.check(connection)
            await _forget(connection, looked_at)


async def forget_days(database: Database, lease: Lease, known: DaysKnown, before: date) -> None:
    """Those of clients that nobody has subscribed any more, and those of long ago.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    clients = {one.client for one in known.subscribers}
    async with database.connection() as connection:
        await lease.check(connection)
        await _forget(connection, {key: at for key, at in known.changed.items() if key[0] not in clients})
        await connection.execute(delete(told_days).where(told_days.c.day < before))


async def _streams(connection: AsyncConnection) -> list[DaySubscriber]:
    """The stream, for each client that is live; one of whom no promise is known has no days."""
    columns = plan_history.c
    ended = func.array_agg(aggregate_order_by(columns.version, columns.history_id.desc()))[1].is_(None)
    query = select(columns.client, func.min(columns.live_at).label("since"), ended.label("ended"))
    rows = (await connection.execute(query.group_by(columns.client))).all()
    live = {row.client: row.since for row in rows if not row.ended}
    former = await present_names(connection)
    zones = (await zones_in_service(connection)).items()
    return [
        DaySubscriber(client=client, name=STREAM, timezone=zone, since=live[client])
        for client, zone in zones
        if client in live and client not in former
    ]


async def _forget(connection: AsyncConnection, changed: Mapping[tuple[str, date], datetime]) -> None:
    looked_at = [(f"{client} {day.isoformat()}", at) for (client, day), at in changed.items()]
    noted = happenings.c
    # Not those that a recorder has just noted again: neither waits for the other.
    same = (noted.kind == Kind.DAY_FIGURES.value, tuple_(noted.subject, noted.at).in_(looked_at))
    numbers = select(noted.number).where(*same).with_for_update(skip_locked=True)
    await connection.execute(delete(happenings).where(noted.number.in_(numbers)))


def _told(row: RowMapping) -> ToldDay:
    return ToldDay(revision=row["revision"], digest=row["digest"], looked_at=row["looked_at"])


def day_of(written: str) -> tuple[str, date]:
    """Client and day, by what a row is of."""
    client, _, day = written.rpartition(" ")
    return client, date.fromisoformat(day)
