"""What is to be sent to whom: taken out one after the other, and how each attempt ended.

A telling is marked as on its way before it is sent. One that is still marked so when its time is over, or when another
worker takes the lease, has a fate that nobody knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, false, insert, literal_column, or_, select, text, true, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import Means, What
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import is_void
from callrouter.store.dispatch.enclosed import Enclosed, keep_within
from callrouter.store.dispatch.lease import Lease
from callrouter.store.tables import (
    DeliveryKind,
    DeliveryState,
    DispatchState,
    deliveries,
    dispatch_events,
    dispatches,
)

UNKNOWN: Final = "whether it was taken is not known"
_LEADING: Final = text(
    """WITH RECURSIVE foremost AS (
          (SELECT sequence, delivery_id FROM deliveries
           WHERE sequence <> '' AND state IN ('queued', 'sending') ORDER BY sequence, number LIMIT 1)
          UNION ALL
          SELECT following.* FROM foremost CROSS JOIN LATERAL (
              SELECT d.sequence, d.delivery_id FROM deliveries d
              WHERE d.sequence <> '' AND d.state IN ('queued', 'sending') AND d.sequence > foremost.sequence
              ORDER BY d.sequence, d.number LIMIT 1
          ) following
        ) SELECT delivery_id FROM foremost"""
).columns(deliveries.c.delivery_id)
LEADING: Final = select(_LEADING.subquery("foremost").c.delivery_id)
"""The first of each sequence that is not done with. From one sequence to the next by the index: whatever else waits
behind a receiver that is down is not looked at.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A telling that is due."""

    delivery_id: str
    message_id: str
    """Empty: it is of none."""
    client: str
    kind: DeliveryKind
    contact: str
    means: Means
    address: str
    batch: str
    """Of those that go in one; empty: it goes alone."""
    last: bool
    attempts: int
    queued_at: datetime
    call_id: str = ""
    """Of what is of no message."""
    body: str | None = None
    """As it is sent; None: it is written of the message."""
    secret: str = ""
    """Name of what a body is signed with; empty: it is not."""
    sequence: str = ""
    """Of those that go one after the other; empty: it goes when it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnItsWay:
    """A telling that was marked."""

    queued: Queued
    confidential: bool
    acknowledged_by: str
    """Contact or principal; empty: nobody has."""
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How an attempt ended."""

    delivery_id: str
    state: DeliveryState
    """ACCEPTED, FAILED, or QUEUED: it is tried again."""
    what: str
    """Word of the message's trail."""
    answer: str
    next_attempt_at: datetime | None = None
    """Of QUEUED."""
    receipt_id: str | None = None


async def find_queued(
    database: Database,
    now: datetime,
    limit: int,
    *,
    in_hand: Collection[str] = (),
    passing_over: Collection[str] = (),
    sequences: bool = True,
) -> list[Queued]:
    """Tellings that are due, without those `in_hand` and those to addresses to be passed over.

    Those of urgent messages come first, then the oldest; those of one digest follow each other. Of a sequence there is
    one at most: the first that is not done with, once it is due; none without `sequences`. To find them takes longer
    the more sequences wait: 0.2 s for 30,000.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = deliveries.c
    due = select(deliveries).where(columns.state == DeliveryState.QUEUED.value, columns.next_attempt_at <= now)
    due = due.where(columns.means != Means.PHONE.value)  # an engine's (`store.outgoing.telling`)
    if in_hand:
        due = due.where(columns.delivery_id.not_in(in_hand))
    if passing_over:
        due = due.where(columns.address.not_in(passing_over))
    # Each by the index in its order: to sort all that waits, each time some are taken, would cost more than they do.
    alone = due.where(columns.sequence == literal_column("''"))
    first, then = (
        alone.where(columns.urgent == urgent).order_by(columns.next_attempt_at).limit(limit).subquery()
        for urgent in (true(), false())
    )
    leading = due.where(columns.delivery_id.in_(LEADING)) if sequences else due.where(false())
    later = union_all(select(then), leading.order_by(columns.next_attempt_at).limit(limit)).subquery()
    asked = union_all(select(first), select(later).order_by(later.c.next_attempt_at).limit(limit)).limit(limit)
    async with database.connection() as connection:
        found = [_queued(row) for row in (await connection.execute(asked)).mappings()]
    # Stable: those of none are first, in the order in which they came.
    return sorted(found, key=lambda one: (one.batch, one.address) if one.batch else ("", ""))


async def mark(
    database: Database, lease: Lease, taken: Sequence[Queued], now: datetime, until: datetime, kept: Sequence[Enclosed]
) -> list[OnItsWay]:
    """Mark them as on their way, and keep what they hold; those that were withdrawn meanwhile are left out.

    Raises:
        LeaseLost: another worker sends.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = deliveries.c
    change = (
        update(deliveries)
        .where(columns.delivery_id.in_([one.delivery_id for one in taken]), columns.state == DeliveryState.QUEUED.value)
        .values(
            state=DeliveryState.SENDING.value,
            attempts=columns.attempts + 1,
            next_attempt_at=None,
            sending_until=until,
            sent_at=now,
            changed_at=now,
        )
        .returning(columns.delivery_id)
    )
    async with database.connection() as connection:
        await lease.check(connection)
        await lock_whole(connection, [one.delivery_id for one in taken])
        marked = set((await connection.execute(change)).scalars())
        await keep_within(connection, [one for one in kept if one.delivery_id in marked])
        ids = [one.message_id for one in taken if one.message_id and one.delivery_id in marked]
        rule = dispatches.c
        columns_of = (rule.message_id, rule.policy, rule.acknowledged_by, rule.ended_at)
        rules = await connection.execute(select(*columns_of).where(dispatches.c.message_id.in_(ids)))
        found = {row["message_id"]: row for row in rules.mappings()}
    return [_on_its_way(one, found.get(one.message_id)) for one in taken if one.delivery_id in marked]


async def settle(database: Database, lease: Lease, sent: Sequence[Sent], now: datetime) -> None:
    """Write down how attempts ended; messages of which nothing more is on its way are due. Once more changes nothing.

    Raises:
        LeaseLost: another worker sends.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await lease.check(connection)
        await _settle(connection, sent, now)


async def expire(database: Database, lease: Lease, now: datetime, *, all_of_them: bool, again_at: datetime) -> int:
    """Of tellings on their way whose time is over (or of all, when a worker begins), nobody knows the fate; how many.

    A web service is told again: it knows the repetition by its id. So is whoever is told last, by mail or SMS, once.
    Every other telling has failed, and whatever follows it begins at once: nobody is rung twice for it.

    Raises:
        LeaseLost: another worker sends.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = deliveries.c
    asked = select(deliveries).where(columns.state == DeliveryState.SENDING.value)
    # A call goes on without a worker; the engine says as long as it follows it that it is on its way.
    is_over = columns.sending_until <= now
    asked = asked.where(or_(is_over, columns.means != Means.PHONE.value) if all_of_them else is_over)
    async with database.connection() as connection:
        await lease.check(connection)
        rows = [_queued(row) for row in (await connection.execute(asked)).mappings()]
        await _settle(connection, [unknown(one, one.attempts, again_at) for one in rows], now)
    return len(rows)


def unknown(one: Queued, attempts: int, again_at: datetime, reason: str = UNKNOWN) -> Sent:
    """What becomes of a telling whose fate nobody knows, after so many attempts."""
    again = one.means is Means.WEBHOOK or (one.last and attempts <= 1 and one.means is not Means.PHONE)
    return Sent(
        delivery_id=one.delivery_id,
        state=DeliveryState.QUEUED if again else DeliveryState.FAILED,
        what="again" if again else "unknown",
        answer=reason,
        next_attempt_at=again_at if again else None,
    )


async def _settle(connection: AsyncConnection, sent: Sequence[Sent], now: datetime) -> None:
    if not sent:
        return
    await lock_whole(connection, [one.delivery_id for one in sent])
    sent = await _without_needless(connection, sent)
    rows = (await connection.execute(_SETTLE, _values(sent, now))).mappings()
    done = {row["delivery_id"]: row for row in rows}
    events = [
        {
            "message_id": row["message_id"],
            "at": now,
            "what": one.what,
            "delivery_id": one.delivery_id,
            "contact": row["contact"],
            "means": row["means"],
            "detail": one.answer,
        }
        for one in sent
        if (row := done.get(one.delivery_id)) is not None and row["message_id"] is not None
    ]
    if events:
        await connection.execute(insert(dispatch_events), events)
        await wake_within(connection, {one["message_id"] for one in events}, now)
    if counts := Counter(
        (row["kind"], _OUTCOMES[one.state])
        for one in sent
        if (row := done.get(one.delivery_id)) is not None and row["message_id"] is None
    ):
        rows_of = [{"kind": kind, "outcome": outcome, "many": many} for (kind, outcome), many in counts.items()]
        await connection.execute(_COUNT, rows_of)


async def lock_whole(connection: AsyncConnection, delivery_ids: Collection[str]) -> None:
    """Lock the dispatches of these tellings' messages, in the connection's transaction. Whoever changes tellings does
    so first, and in this order: otherwise two who have one of a message's each would wait for the other's.
    """
    await connection.execute(_LOCK, {"ids": list(delivery_ids)})


async def _without_needless(connection: AsyncConnection, sent: Sequence[Sent]) -> list[Sent]:
    """Nothing is tried again whose message was taken on, or began anew, while it was on its way."""
    queued = [one.delivery_id for one in sent if one.state is DeliveryState.QUEUED]
    if not queued:
        return list(sent)
    columns = deliveries.c
    needless = (
        select(columns.delivery_id)
        .join(dispatches, dispatches.c.message_id == columns.message_id)
        .where(
            columns.delivery_id.in_(queued),
            columns.kind == DeliveryKind.MESSAGE.value,
            or_(dispatches.c.state == DispatchState.ACKNOWLEDGED.value, is_void()),
        )
    )
    found = set((await connection.execute(needless)).scalars())
    return [_withdrawn(one) if one.delivery_id in found else one for one in sent]


def _withdrawn(one: Sent) -> Sent:
    return replace(one, state=DeliveryState.WITHDRAWN, what=What.WITHDRAWN.value, next_attempt_at=None)


async def wake_within(connection: AsyncConnection, message_ids: Collection[str], now: datetime) -> None:
    """Messages of which nothing more is on its way are due, in the connection's transaction."""
    await connection.execute(_WAKE, {"ids": list(message_ids), "now": now})


_SETTLE = text(
    """UPDATE deliveries d
       SET state = v.state, answer = v.answer, next_attempt_at = v.next_attempt_at, receipt_id = v.receipt_id,
           sending_until = NULL, changed_at = :now
       FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[]), CAST(:answers AS text[]),
                   CAST(:next_attempts AS timestamptz[]), CAST(:receipts AS text[]))
           AS v (delivery_id, state, answer, next_attempt_at, receipt_id)
       WHERE d.delivery_id = v.delivery_id AND d.state = 'sending'
       RETURNING d.delivery_id, d.message_id, d.kind, d.contact, d.means"""
)
_OUTCOMES: Final = {
    DeliveryState.ACCEPTED: "delivered",
    DeliveryState.QUEUED: "failed",
    DeliveryState.FAILED: "given_up",
}
_COUNT: Final = text(
    """INSERT INTO delivery_counts AS own (kind, outcome, attempts) VALUES (:kind, :outcome, :many)
       ON CONFLICT (kind, outcome) DO UPDATE SET attempts = own.attempts + excluded.attempts"""
)
_LOCK = text(
    """SELECT FROM dispatches WHERE message_id IN (SELECT message_id FROM deliveries WHERE delivery_id = ANY(:ids))
       ORDER BY message_id FOR UPDATE"""
)
_WAKE = text(
    """UPDATE dispatches d SET due_at = least(d.due_at, :now)
       WHERE d.message_id = ANY(:ids) AND d.state = 'running' AND NOT EXISTS (
           SELECT FROM deliveries v
           WHERE v.message_id = d.message_id AND v.kind = 'message' AND v.state IN ('queued', 'sending'))"""
)


def _values(sent: Sequence[Sent], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "ids": [one.delivery_id for one in sent],
        "states": [one.state.value for one in sent],
        "answers": [one.answer.replace("\x00", "\ufffd") for one in sent],
        "next_attempts": [one.next_attempt_at for one in sent],
        "receipts": [one.receipt_id for one in sent],
    }


def is_confidential(policy: Mapping[str, Any] | None) -> bool:
    """Whether a message's rule keeps it in the house. So does one that is not known: what was mailed stays mailed."""
    return policy is None or bool(policy.get("confidential"))


def _on_its_way(one: Queued, rule: RowMapping | None) -> OnItsWay:
    """`rule` is the row of its message's dispatch; None: it is of no message."""
    by = (rule["acknowledged_by"] or "") if rule else ""
    return OnItsWay(
        queued=one,
        confidential=bool(one.message_id) and (rule is None or is_confidential(rule["policy"])),
        acknowledged_by=by,
        acknowledged_at=rule["ended_at"] if rule and by else None,
    )


def _queued(row: RowMapping) -> Queued:
    return Queued(
        delivery_id=row["delivery_id"],
        message_id=row["message_id"] or "",
        client=row["client"],
        kind=DeliveryKind(row["kind"]),
        contact=row["contact"],
        means=Means(row["means"]),
        address=row["address"],
        batch=row["batch"],
        last=row["last"],
        attempts=row["attempts"],
        queued_at=row["queued_at"],
        call_id=row["call_id"] or "",
        body=row["body"],
        secret=row["secret"],
        sequence=row["sequence"],
    )
