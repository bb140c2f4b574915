"""What happened and is still to be told: read with all that is to be said of it, and made into deliveries.

A row of `happenings` is deleted before its subject is read, in one transaction: whoever changes that meanwhile makes
another row, and whoever has begun to is waited for, by passing the row over.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import RowMapping, func, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import Call
from callrouter.core.dispatch import Kind, Means, Subscription
from callrouter.store.callbacks import StoredCallback
from callrouter.store.database import Database
from callrouter.store.dispatch.events import wake_worker
from callrouter.store.dispatch.lease import Lease
from callrouter.store.messages.reading import StoredMessage, read_message
from callrouter.store.tables import (
    DeliveryKind,
    DeliveryState,
    callbacks,
    calls,
    deliveries,
    dispatches,
    messages,
    subscribers,
)
from callrouter.store.trace import call_from_fields

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a message has come with those who are to be told of it."""

    confidential: bool | None
    """Whether its rule keeps what was said in the house; None: its rule was not looked up."""
    plan_version: str
    """Of the plan whose rule it goes by; empty: the live one."""
    reason: str
    """Why it stands on the agents' list; empty: it does not."""
    acknowledged_by: str
    """Contact or principal; empty: nobody has."""
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happened, with what is known of it now."""

    kind: Kind
    owner: str
    """The client's present name."""
    names: tuple[str, ...]
    """Of the subscriptions that want to know."""
    at: datetime
    """When it was noted, by PostgreSQL's clock."""
    call_id: str | None
    call: Call | None = None
    revision: int = 1
    """Of the call's record: one more with each correction."""
    message: StoredMessage | None = None
    standing: Standing | None = None
    callback: StoredCallback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What one subscription is told."""

    client: str
    """Its present name."""
    subscription: Subscription
    body: str
    call_id: str | None
    """Those of one call are told one after the other."""
    subject: str = ""
    """Of what is of no call: those of one subject are told one after the other."""
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """By which the receiver knows a repetition."""


Make = Callable[[Happened], Sequence[Event]]
"""What those who want to know are told of it; reads nothing, waits for nothing."""

_DAYS: Final = Kind.DAY_FIGURES.value

_OWNERS: Final = text(
    """SELECT DISTINCT s.owner
       FROM (SELECT client, kind FROM happenings WHERE kind <> 'day.figures' ORDER BY number LIMIT :limit) h
       LEFT JOIN subscribers s ON s.client = h.client AND h.kind = ANY (s.kinds)"""
)
_TAKE: Final = text(
    """DELETE FROM happenings WHERE number IN (
           SELECT number FROM happenings WHERE kind <> 'day.figures' ORDER BY number LIMIT :limit
           FOR UPDATE SKIP LOCKED)
       RETURNING number, client, kind, subject, call_id, at"""
)
_ALONE: Final = select(func.pg_try_advisory_xact_lock(0x68617070656E6564))
"""One transaction at a time takes what happened, so that it is told in order."""
_BOUND: Final = text("SET LOCAL idle_in_transaction_session_timeout = 10000")
"""Milliseconds: who writes what is taken here waits for it, and must not for a worker that was stopped half-way."""
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What a row raises that is not as this release writes it: it must not hold up the others."""
_REVISIONS: Final = text(
    """SELECT c.call_id, count(s.call_id) + 1 AS revision
       FROM calls c LEFT JOIN superseded_calls s
           ON s.call_id = c.call_id AND (s.epoch, s.revision) < (coalesce(c.epoch, 0), coalesce(c.revision, 1))
       WHERE c.call_id = ANY(:ids) GROUP BY c.call_id"""
)


async def owners_waiting(database: Database, limit: int) -> list[str] | None:
    """Clients, by their present names, of whom something of the next so many is to be told; None: nothing was noted.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        owners = list((await connection.execute(_OWNERS, {"limit": limit})).scalars())
    return [owner for owner in owners if owner is not None] if owners else None


async def tell(database: Database, lease: Lease, limit: int, now: datetime, make: Make) -> int:
    """Make deliveries of what happened first, at most so many, all in one transaction; how many were looked at.

    The lease is shown last: it cannot be renewed while a transaction shows it, and reading may take long.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await connection.execute(_BOUND)
        if not (await connection.execute(_ALONE)).scalar_one():
            return 0  # another worker's, which is ending, or was stopped half-way
        rows = (await connection.execute(_TAKE, {"limit": limit})).mappings().all()
        if not rows:
            return 0
        found = await _found(connection, sorted(rows, key=lambda row: int(row["number"])))
        events = [event for one in found for event in make(one)]
        await lease.check(connection)
        await queue_events(connection, events, now)
    return len(rows)


async def queue_events(connection: AsyncConnection, events: Sequence[Event], now: datetime) -> None:
    """Queue what subscriptions are told, in this order, in the connection's transaction."""
    if not events:
        return
    await connection.execute(insert(deliveries), [_delivery(one, now) for one in events])
    await wake_worker(connection)


def _delivery(one: Event, now: datetime) -> dict[str, Any]:
    own = one.subscription
    of_one = one.call_id or one.subject
    return {
        "delivery_id": one.event_id,
        "call_id": one.call_id,
        "client": one.client,
        "kind": DeliveryKind.EVENT.value,
        "contact": own.name,
        "means": Means.WEBHOOK.value,
        "address": own.url,
        "body": one.body,
        "secret": own.secret,
        "sequence": f"{one.client} {own.name} {of_one}" if of_one else "",
        "last": True,  # nothing follows: it is tried for as long as anything is
        "state": DeliveryState.QUEUED.value,
        "queued_at": now,
        "next_attempt_at": now,
        "changed_at": now,
    }


async def _found(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Happened]:
    """With what is known of them; without those of which nobody wants to know any more, or that are gone."""
    subjects: dict[str, set[str]] = {}
    for row in rows:
        subjects.setdefault(row["kind"].partition(".")[0], set()).add(row["subject"])
    wanted = await _wanted(connection, {row["client"] for row in rows})
    known_calls = await _calls(connection, subjects.get("call", set()))
    known_messages = await messages_of(connection, subjects.get("message", set()))
    known_callbacks = await callbacks_of(connection, subjects.get("callback", set()))
    found = []
    for row in rows:
        known: Mapping[str, Any] | None = (
            known_calls.get(row["subject"]) or known_messages.get(row["subject"]) or known_callbacks.get(row["subject"])
        )
        for owner, names in wanted.get((row["client"], row["kind"]), {}).items() if known else ():
            try:
                kind = Kind(row["kind"])
            except ValueError:  # of a release that came after this one
                log.exception("what happened cannot be read, and nobody is told of it", kind=row["kind"])
                continue
            one = {"kind": kind, "owner": owner, "names": tuple(names), "at": row["at"], "call_id": row["call_id"]}
            found.append(Happened(**one, **known or {}))
    return found


async def _wanted(connection: AsyncConnection, clients: Collection[str]) -> dict[tuple[str, str], dict[str, list[str]]]:
    """By client as rows name it, and kind: the subscriptions' names, by the client's present name."""
    columns = subscribers.c
    kind = func.unnest(columns.kinds).label("kind")
    query = (
        select(columns.client, columns.owner, columns.name, kind)
        .where(columns.client.in_(clients))
        .order_by(columns.client, columns.name)
    )
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in await connection.execute(query):
        found.setdefault((row.client, row.kind), {}).setdefault(row.owner, []).append(row.name)
    return found


async def _calls(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    if not ids:
        return {}
    revisions = {row.call_id: int(row.revision) for row in await connection.execute(_REVISIONS, {"ids": list(ids)})}
    rows = (await connection.execute(select(calls).where(calls.c.call_id.in_(ids)))).mappings()
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        try:
            call = call_from_fields(row)
        except _UNREADABLE:
            log.exception("a call in the record cannot be read, and nobody is told of it", call_id=row["call_id"])
            continue
        found[row["call_id"]] = {"call": call, "revision": revisions.get(row["call_id"], 1)}
    return found


async def messages_of(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """By id: `message` and `standing`."""
    if not ids:
        return {}
    columns = dispatches.c
    rules = select(
        *(columns.message_id, columns.policy, columns.confidential, columns.plan_version),
        *(columns.reason, columns.acknowledged_by, columns.ended_at),
    )
    rows = (await connection.execute(rules.where(columns.message_id.in_(ids)))).mappings().all()
    ruled = {row["message_id"]: row for row in rows}
    found: dict[str, Mapping[str, Any]] = {}
    for row in (await connection.execute(select(messages).where(messages.c.message_id.in_(ids)))).mappings():
        message_id = row["message_id"]
        try:
            found[message_id] = {"message": read_message(row), "standing": _standing(ruled.get(message_id))}
        except _UNREADABLE:
            log.exception("a message in the record cannot be read, and nobody is told of it", message=message_id)
    return found


def _standing(row: RowMapping | None) -> Standing | None:
    if row is None:
        return None
    return Standing(
        confidential=_confidential(row),
        plan_version=row["plan_version"],
        reason=row["reason"],
        acknowledged_by=row["acknowledged_by"] or "",
        ended_at=row["ended_at"],
    )


def _confidential(dispatch: RowMapping) -> bool | None:
    if dispatch["confidential"]:  # by a rule of before it began anew
        return True
    return None if dispatch["policy"] is None else bool(dispatch["policy"].get("confidential"))


async def callbacks_of(connection: AsyncConnection, subjects: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """By subject: `callback`."""
    if not subjects:
        return {}
    keys = [key for one in subjects if (key := _key(one))]
    if not keys:
        return {}
    columns = callbacks.c
    rows = await connection.execute(select(callbacks).where(tuple_(columns.call_id, columns.position).in_(keys)))
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows.mappings():
        subject = f"{row['call_id']} {row['position']}"
        try:
            found[subject] = {"callback": StoredCallback(**row)}
        except _UNREADABLE:
            log.exception("a wish to be called back cannot be read, and nobody is told of it", subject=subject)
    return found


def _key(subject: str) -> tuple[str, int] | None:
    """Of a row of `callbacks`."""
    call_id, _, position = subject.rpartition(" ")
    try:
        return call_id, int(position)
    except ValueError:
        log.exception("a wish to be called back cannot be read, and nobody is told of it", subject=subject)
        return None
