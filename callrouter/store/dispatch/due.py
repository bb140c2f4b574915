"""Messages that are due: each is taken a step further, and what that brings is written in one transaction with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import RowMapping, bindparam, case, false, insert, select, text, true, union_all, update

from callrouter.core.dispatch import Course, Means, Policy
from callrouter.core.dispatch.progress import Begun, Move, Note, Standing
from callrouter.core.dispatch.trail import What
from callrouter.store.database import Database
from callrouter.store.dispatch.events import wake_worker
from callrouter.store.dispatch.lease import Lease
from callrouter.store.tables import (
    DeliveryKind,
    DispatchState,
    deliveries,
    dispatch_events,
    dispatches,
    messages,
)

BATCH_SECONDS: Final = 2.0
"""How long the first telling of a digest waits for those that come to it."""

_UNREAD: Final = Policy(name="", urgent=Course(steps=()), ordinary=Course(steps=()))
"""In the place of a rule that cannot be read; it is never written down."""
_SOUGHT: Final = case((dispatches.c.policy.is_(None), dispatches.c.plan_version), else_="").label("sought")

_ENDED: Final = {What.TOLD: DispatchState.TOLD, What.ATTENTION: DispatchState.ATTENTION}

_TOLD = text(
    """SELECT d.message_id, min(v.queued_at) AS begun_at,
           count(*) FILTER (WHERE v.state IN ('queued', 'sending')) AS open,
           count(*) FILTER (WHERE v.state IN ('accepted', 'delivered', 'viewed', 'acknowledged')) AS reached,
           max(v.contact || ': ' || v.answer) FILTER (WHERE v.state = 'failed') AS failed
       FROM dispatches d JOIN deliveries v
           ON v.message_id = d.message_id AND v.kind = 'message' AND v.round = d.round AND v.step = d.step - 1
           AND v.queued_at >= d.begun_at
       WHERE d.message_id = ANY(:ids) GROUP BY d.message_id"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMessage:
    """A message of which something is to be decided."""

    message_id: str
    client: str
    deliver: str
    """Contact or policy; empty: nobody is named."""
    urgent: bool
    """As it was taken, or corrected."""
    began_at: datetime
    plan_version: str
    """Of the plan whose rule it goes by; empty: of the one that is live."""
    standing: Standing | None
    """None: its rule was not looked up."""
    failed: str
    """Why a telling of the step that began last failed; empty: none did."""
    unreadable: str = ""
    """Why this release cannot read the rule that it goes by; empty: it can, or none was looked up."""


Decide = Callable[[DueMessage, datetime], Move]
"""What is to be done with one at an instant; reads nothing, waits for nothing."""


async def find_due(database: Database, now: datetime, limit: int) -> list[tuple[str, str, str]]:
    """Id and client of messages that are due, urgent ones first, and the version of the plan whose rule is still to be
    looked up; empty: it was, or the rule is the live plan's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = dispatches.c
    # Each by the index in its order: to sort all that is due, each time some are taken, would cost more than they do.
    first, then = (
        select(columns.message_id, columns.client, _SOUGHT)
        .where(columns.urgent == urgent, columns.due_at <= now)
        .order_by(columns.due_at)
        .limit(limit)
        .subquery()
        for urgent in (true(), false())
    )
    asked = union_all(select(first), select(then)).limit(limit)
    async with database.connection() as connection:
        return [(row.message_id, row.client, row.sought) for row in await connection.execute(asked)]


async def advance(database: Database, lease: Lease, message_ids: Collection[str], now: datetime, decide: Decide) -> int:
    """Take those that are still due a step further, all in one transaction; how many were told of.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = dispatches.c
    asked = (
        select(dispatches, messages.c.deliver, messages.c.urgent.label("taken_urgent"))
        .join(messages, messages.c.message_id == columns.message_id)
        .where(columns.message_id.in_(message_ids), columns.due_at <= now)
        .order_by(columns.message_id)
        .with_for_update(of=dispatches, skip_locked=True)
    )
    async with database.connection() as connection:
        await lease.check(connection)
        rows = (await connection.execute(asked)).mappings().all()
        ids = [row["message_id"] for row in rows]
        told = {one["message_id"]: one for one in (await connection.execute(_TOLD, {"ids": ids})).mappings()}
        read = [(row, _due(row, told.get(row["message_id"]))) for row in rows]
        moves = [(row, decide(one, now)) for row, one in read]
        if moves:
            kept = {one.message_id for _, one in read if one.unreadable}
            changed = [_changed(row, move, now, keeps_policy=row["message_id"] in kept) for row, move in moves]
            await connection.execute(_CHANGE, changed)
        if tellings := [one for row, move in moves for one in _tellings(row, move, now)]:
            await connection.execute(insert(deliveries), tellings)
            if any(one["means"] == Means.PHONE for one in tellings):
                await wake_worker(connection)  # and the engine, which listens there for calls to place
        if events := [one for row, move in moves for one in _events(row, move.notes, now)]:
            await connection.execute(insert(dispatch_events), events)
    return len(moves)


_CHANGE = (
    update(dispatches)
    .where(dispatches.c.message_id == bindparam("of"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "state",
                "urgent",
                "policy",
                "step",
                "round",
                "due_at",
                "held_until",
                "begun_at",
                "ages_at",
                "reason",
                "ended_at",
            )
        }
    )
)


def _due(row: RowMapping, told: RowMapping | None) -> DueMessage:
    standing, unreadable = None, ""
    if row["policy"] is not None:
        try:
            policy = msgspec.convert(row["policy"], Policy)
        except msgspec.ValidationError as error:  # of a release that came after this one
            policy, unreadable = _UNREAD, str(error)
        begun = None
        if row["begun_at"] is not None:
            begun = Begun(at=row["begun_at"], open=told["open"] if told else 0, reached=told["reached"] if told else 0)
        standing = Standing(
            policy=policy,
            urgent=row["urgent"],
            step=row["step"],
            round=row["round"],
            ages_at=row["ages_at"],
            held_until=row["held_until"],
            begun=begun,
        )
    return DueMessage(
        message_id=row["message_id"],
        client=row["client"],
        deliver=row["deliver"],
        urgent=row["taken_urgent"],
        began_at=row["began_at"],
        plan_version=row["plan_version"],
        standing=standing,
        failed=(told["failed"] or "") if told else "",
        unreadable=unreadable,
    )


def _changed(row: RowMapping, move: Move, now: datetime, *, keeps_policy: bool) -> dict[str, Any]:
    """`keeps_policy`: the rule stays as it is written, for whoever can read it: it may say that it is confidential."""
    standing = move.standing
    state = _ENDED[move.ended] if move.ended else DispatchState.RUNNING
    kept = row["confidential"]  # by a rule of before it began anew, whatever this one says
    values: Mapping[str, Any] = {
        "state": state.value,
        "urgent": standing.urgent,
        "policy": row["policy"] if keeps_policy else msgspec.to_builtins(_kept(standing.policy, confidential=kept)),
        "step": standing.step,
        "round": standing.round,
        "due_at": move.due_at,
        "held_until": standing.held_until,
        "begun_at": standing.begun.at if standing.begun else None,
        "ages_at": standing.ages_at,
        "reason": move.reason,
        "ended_at": now if move.ended else None,
    }
    return {"of": row["message_id"]} | {f"new_{name}": value for name, value in values.items()}


def _kept(policy: Policy, *, confidential: bool) -> Policy:
    return replace(policy, confidential=True) if confidential else policy


def _tellings(row: RowMapping, move: Move, now: datetime) -> Iterator[dict[str, Any]]:
    for one in move.tellings:
        batch = f"{row['client']} {one.contact} {row['held_until'] or now}" if one.batch else ""
        yield {
            "delivery_id": str(uuid.uuid4()),
            "message_id": row["message_id"],
            "client": row["client"],
            "kind": DeliveryKind.MESSAGE.value,
            "round": move.standing.round,
            "step": move.standing.step - 1,
            "contact": one.contact,
            "means": one.means.value,
            "address": one.address,
            "batch": batch,
            "last": one.last,
            "urgent": move.standing.urgent,
            "queued_at": now,
            "next_attempt_at": now + timedelta(seconds=BATCH_SECONDS if one.batch else 0.0),
            "changed_at": now,
        }


def _events(row: RowMapping, notes: Sequence[Note], now: datetime) -> Iterator[dict[str, Any]]:
    for note in notes:
        yield {
            "message_id": row["message_id"],
            "at": now,
            "what": note.what.value,
            "contact": note.contact,
            "means": note.means,
            "detail": note.detail,
        }
