"""The book of calls that tell somebody of a message: which are due, which are placed, and what became of each.

A telling is a row of `deliveries`, as by any other means; its call is a row of `outgoing_calls`, written in the
transaction that marks the telling as on its way, before the call is placed. A telling is never rung for twice: whatever
becomes of its call, it is not queued again, unless a person wants it, or the call is known never to have been placed. A
row belongs to an engine by its epoch, as those of callbacks do (`book`).

Whoever changes a telling locks its message's dispatch first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import DEFAULT_PBX
from callrouter.core.dispatch import Means, What
from callrouter.outgoing.message_ports import DueTelling, NumberUse, PlacedTelling
from callrouter.outgoing.order import Key, MessageOrder, Outcome, Progress, Purpose
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import BY_KEY, acknowledge_within, is_void
from callrouter.store.dispatch.events import wake_worker, write_event
from callrouter.store.dispatch.lease import Lease
from callrouter.store.dispatch.outbox import is_confidential, lock_whole, wake_within
from callrouter.store.outgoing.far_leg import far_leg
from callrouter.store.outgoing.names import Names
from callrouter.store.tables import (
    DeliveryKind,
    DeliveryState,
    calls,
    deliveries,
    dispatches,
    legs,
    messages,
    outgoing_calls,
)

ABSENT_SECONDS: Final = 60.0
"""After so long without a word of an engine nobody knows what becomes of a call, and what follows begins."""
MOST_CLAIMS: Final = 3
"""So often a telling is written down as on its way: engines that die of it each time must not do so for ever."""
TEL: Final = "tel:"
"""Of an address (RFC 3966)."""

_WHY: Final[Mapping[Outcome, str]] = {
    Outcome.BUSY: "busy",
    Outcome.NO_ANSWER: "nobody answered",
    Outcome.UNAVAILABLE: "could not be reached",
    Outcome.CANCELLED: "the call was broken off",
    Outcome.NOBODY_FREE: "could not be rung",
    Outcome.WITHDRAWN: "somebody else took the message on",
    Outcome.LOST: "Asterisk lost the call: whether it rang is not known",
    Outcome.FAILED: "Asterisk could not place the call",
}
NO_KEY: Final = "answered, and nobody pressed a key to hear it, or not to its end: perhaps a voicemail"
NOT_THEIRS: Final = "heard it, and said that it is not theirs"
GIVEN_AWAY: Final = "the message began anew meanwhile: its rule says who is told now"
NO_ENGINE: Final = "no engine places calls"
HEARD: Final = "heard it to the end"
_OPEN: Final = (DeliveryState.SENDING.value, DeliveryState.FAILED.value)
"""Of a telling whose call may still say something: one that was given up because no engine said anything has failed."""


class MessageCallRows:
    """The tables. Every method raises StoreError while PostgreSQL does not do it."""

    def __init__(self, database: Database, pbx: str = DEFAULT_PBX, formerly: Sequence[str] = (), *, epoch: int) -> None:
        """`pbx` is where calls are placed; the engine before called it `formerly`, if otherwise. `epoch` is that of
        this engine's life, and of no other."""
        self._database = database
        self._pbx = pbx
        self._names = [pbx, *formerly]
        self._epoch = epoch

    async def take_over(self) -> list[PlacedTelling]:
        """Calls under way, ours from now on."""
        placed, told = outgoing_calls.c, deliveries.c
        is_ours = and_(placed.outcome.is_(None), placed.purpose == Purpose.MESSAGE.value, placed.pbx.in_(self._names))
        query = (
            select(placed.outgoing_id, placed.delivery_id, placed.client, placed.number, told.contact)
            .join(deliveries, told.delivery_id == placed.delivery_id, isouter=True)
            .where(is_ours)
        )
        async with self._database.connection() as connection:
            await connection.execute(update(outgoing_calls).where(is_ours).values(epoch=self._epoch, pbx=self._pbx))
            rows = (await connection.execute(query)).mappings().all()
        return [PlacedTelling(**{**row, "contact": row["contact"] or ""}) for row in rows]

    async def due(self, now: datetime, limit: int) -> list[DueTelling]:
        """Those of urgent messages first, then the oldest."""
        told = deliveries.c
        query = (
            select(
                *(told.delivery_id, told.message_id, told.client, told.contact, told.address, told.next_attempt_at),
                func.coalesce(calls.c.did, "").label("did"),
                dispatches.c.policy,
            )
            .join_from(deliveries, dispatches, dispatches.c.message_id == told.message_id)
            .join(messages, messages.c.message_id == told.message_id)
            .join(calls, calls.c.call_id == messages.c.call_id, isouter=True)
            .where(
                told.state == DeliveryState.QUEUED.value,
                told.means == Means.PHONE.value,
                told.kind == DeliveryKind.MESSAGE.value,
                told.next_attempt_at <= now,
            )
            .order_by(told.urgent.desc(), told.next_attempt_at, told.number)
            .limit(limit)
        )
        async with self._database.connection() as connection:
            rows = (await connection.execute(query)).mappings().all()
            names = await Names.read(connection) if rows else Names({})
        return [_due(row, names) for row in rows]

    async def rung_lately(self, numbers: Collection[str], since: datetime) -> Mapping[str, NumberUse]:
        """How often each was rung for a message since then."""
        placed = outgoing_calls.c
        query = (
            select(placed.number, func.count(), func.min(placed.placed_at))
            .where(
                placed.purpose == Purpose.MESSAGE.value,
                placed.number.in_(list(numbers)),
                placed.placed_at > since,
            )
            .group_by(placed.number)
        )
        async with self._database.connection() as connection:
            rows = (await connection.execute(query)).all()
        return {number: NumberUse(calls=count, first_at=first_at) for number, count, first_at in rows}

    async def put_off(self, delivery_ids: Collection[str], until: datetime, why: str, now: datetime) -> None:
        """Those that wait on; whatever else became of one of them stands."""
        told = deliveries.c
        queued = and_(told.delivery_id.in_(list(delivery_ids)), told.state == DeliveryState.QUEUED.value)
        asked = select(told.delivery_id, told.message_id, told.contact, told.answer).where(queued)
        async with self._database.connection() as connection:
            rows = (await connection.execute(asked.with_for_update(skip_locked=True))).mappings().all()
            ids = [row["delivery_id"] for row in rows]
            change = update(deliveries).where(told.delivery_id.in_(ids))
            await connection.execute(change.values(next_attempt_at=until, answer=why))
            for row in rows:
                if row["answer"] != why:
                    await _write(connection, row, What.HELD, now, why)

    async def refuse(self, delivery_id: str, why: str, at: datetime) -> None:
        """A telling that is queued has failed; the message is due, if nothing else of it is on its way."""
        told = deliveries.c
        change = (
            update(deliveries)
            .where(told.delivery_id == delivery_id, told.state == DeliveryState.QUEUED.value)
            .values(state=DeliveryState.FAILED.value, next_attempt_at=None, answer=why, changed_at=at)
            .returning(told.delivery_id, told.message_id, told.contact)
        )
        async with self._database.connection() as connection:
            await lock_whole(connection, [delivery_id])
            row = (await connection.execute(change)).mappings().one_or_none()
            if row is not None:
                await _write(connection, row, What.FAILED, at, why)
                await wake_within(connection, [row["message_id"]], at)
                await wake_worker(connection)

    async def claim(self, telling: DueTelling, order: MessageOrder, at: datetime) -> bool:
        """The call is under way from now on, unless the telling was withdrawn, or is another call's."""
        told = deliveries.c
        change = (
            update(deliveries)
            .where(told.delivery_id == telling.delivery_id, told.state == DeliveryState.QUEUED.value)
            .values(
                state=DeliveryState.SENDING.value,
                attempts=told.attempts + 1,
                next_attempt_at=None,
                sending_until=_absent_at(at),
                answer="",
                sent_at=at,
                changed_at=at,
            )
            .returning(told.queued_at)
        )
        row = {
            "outgoing_id": order.outgoing_id,
            "purpose": Purpose.MESSAGE.value,
            # Thus one call at a time is under way for it, as for a wish to be called back (`outgoing_calls_live_idx`).
            "call_id": telling.delivery_id,
            "position": 0,
            "delivery_id": telling.delivery_id,
            "client": telling.client,
            "number": order.number,
            "shown": order.shown,
            "queue": "",
            "epoch": self._epoch,
            "pbx": self._pbx,
            "placed_at": at,
        }
        try:
            async with self._database.connection() as connection:
                await lock_whole(connection, [telling.delivery_id])
                queued_at = (await connection.execute(change)).scalar_one_or_none()
                if queued_at is None:
                    return False
                await connection.execute(insert(outgoing_calls).values(**row, turn_at=queued_at))
        except IntegrityError:
            return False
        return True

    async def give_back(self, outgoing_id: str, at: datetime) -> bool:
        """Its row goes, as if it had not been claimed; only its attempts stay counted."""
        told = deliveries.c
        async with self._database.connection() as connection:
            row = await self._locked(connection, outgoing_id)
            if row is None or row["rung_at"] is not None or row["message_id"] is None or row["void"]:
                return False
            open_ = select(dispatches.c.ended_at.is_(None)).where(dispatches.c.message_id == row["message_id"])
            if not (await connection.execute(open_)).scalar_one_or_none():
                return False
            change = (
                update(deliveries)
                .where(
                    told.delivery_id == row["delivery_id"],
                    told.state == DeliveryState.SENDING.value,
                    told.attempts < MOST_CLAIMS,
                )
                .values(
                    state=DeliveryState.QUEUED.value,
                    next_attempt_at=at,
                    sending_until=None,
                    sent_at=None,
                    changed_at=at,
                )
            )
            if not (await connection.execute(change)).rowcount:
                return False
            await connection.execute(delete(outgoing_calls).where(outgoing_calls.c.outgoing_id == outgoing_id))
        return True

    async def note(self, outgoing_id: str, progress: Progress, at: datetime) -> None:
        """How far a call of ours is."""
        async with self._database.connection() as connection:
            if row := await self._locked(connection, outgoing_id):
                await self._note(connection, row, progress, at)

    async def keep(self, outgoing_ids: Collection[str], at: datetime) -> None:
        """They are still under way."""
        placed, told = outgoing_calls.c, deliveries.c
        ours = select(placed.delivery_id).where(
            placed.outgoing_id.in_(list(outgoing_ids)), placed.outcome.is_(None), placed.epoch == self._epoch
        )
        async with self._database.connection() as connection:
            ids = (await connection.execute(ours)).scalars().all()
            await lock_whole(connection, ids)
            change = update(deliveries).where(told.delivery_id.in_(ids), told.state == DeliveryState.SENDING.value)
            await connection.execute(change.values(sending_until=_absent_at(at)))

    async def needless(self, outgoing_ids: Collection[str]) -> set[str]:
        """Of these calls of ours, those whose message somebody has taken on otherwise, which began anew since, or which
        is gone.
        """
        placed, told = outgoing_calls.c, deliveries.c
        wanted = (
            select(placed.outgoing_id)
            .join(deliveries, told.delivery_id == placed.delivery_id)
            .join(dispatches, dispatches.c.message_id == told.message_id)
            .where(
                placed.outgoing_id.in_(list(outgoing_ids)),
                (dispatches.c.ended_at.is_(None) | (dispatches.c.acknowledged_by.is_(None)))
                | (told.state == DeliveryState.ACKNOWLEDGED.value),
                ~is_void(),
            )
        )
        async with self._database.connection() as connection:
            return set(outgoing_ids) - set((await connection.execute(wanted)).scalars())

    async def conclude(self, outgoing_id: str, progress: Progress, outcome: Outcome, at: datetime) -> None:
        """What became of a call of ours, and of its telling; all of it or nothing."""
        async with self._database.connection() as connection:
            row = await self._locked(connection, outgoing_id)
            if row is None:
                return
            await self._note(connection, row, progress, at)
            change = (
                update(outgoing_calls)
                .where(outgoing_calls.c.outgoing_id == outgoing_id)
                .values(ended_at=progress.ended_at or at, outcome=outcome.value, hangup_cause=progress.hangup_cause)
                .returning(outgoing_calls)
            )
            placed = (await connection.execute(change)).mappings().one()
            if leg := far_leg(dict(placed), progress, at, self._epoch):
                await connection.execute(insert(legs).values(leg))
            if row["message_id"] is not None:
                await _conclude_telling(connection, row, progress, outcome, at)
                await wake_within(connection, [row["message_id"]], at)
                await wake_worker(connection)

    async def _locked(self, connection: AsyncConnection, outgoing_id: str) -> RowMapping | None:
        """A call of ours that is under way, with its telling, both locked; None: it is not, or not any more."""
        placed, told = outgoing_calls.c, deliveries.c
        is_ours = and_(placed.outgoing_id == outgoing_id, placed.outcome.is_(None), placed.epoch == self._epoch)
        delivery_id = (await connection.execute(select(placed.delivery_id).where(is_ours))).scalar_one_or_none()
        if delivery_id is None:
            return None
        await lock_whole(connection, [delivery_id])
        query = (
            select(
                *(placed.outgoing_id, placed.rung_at, placed.answered_at, placed.delivery_id, placed.number),
                *(told.message_id, told.contact, told.state, is_void().label("void")),
            )
            .join(deliveries, told.delivery_id == placed.delivery_id, isouter=True)
            .join(dispatches, dispatches.c.message_id == told.message_id, isouter=True)
            .where(is_ours)
            .with_for_update(of=outgoing_calls)
        )
        return (await connection.execute(query)).mappings().one_or_none()

    async def _note(self, connection: AsyncConnection, row: RowMapping, progress: Progress, at: datetime) -> None:
        values = {"rung_at": progress.rung_at, "answered_at": progress.answered_at}
        change = update(outgoing_calls).where(outgoing_calls.c.outgoing_id == row["outgoing_id"])
        await connection.execute(change.values(**values))
        if row["message_id"] is None:  # it was deleted meanwhile
            return
        if row["rung_at"] is None and progress.rung_at is not None:
            await _write(connection, row, What.RANG, progress.rung_at, row["number"])
        if row["answered_at"] is None and progress.answered_at is not None:
            await _write(connection, row, What.ANSWERED, progress.answered_at, "")
        # Of a message that began anew it is nobody's: it may be for somebody else now.
        if progress.key is Key.TAKES_IT_ON and row["state"] != DeliveryState.ACKNOWLEDGED and not row["void"]:
            await acknowledge_within(
                connection,
                row["message_id"],
                by=row["contact"],
                how=BY_KEY,
                at=progress.key_at or at,
                delivery_id=row["delivery_id"],
            )


async def fail_untaken(database: Database, lease: Lease, now: datetime) -> int:
    """Tellings that no engine has taken, nor put off, for a while have failed; how many.

    None of them can be placed afterwards, and what follows them begins at once.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        await lease.check(connection)
        return await _fail_untaken(connection, now)


async def _fail_untaken(connection: AsyncConnection, now: datetime) -> int:
    told = deliveries.c
    untaken = and_(
        told.state == DeliveryState.QUEUED.value,
        told.means == Means.PHONE.value,
        told.next_attempt_at <= now - timedelta(seconds=ABSENT_SECONDS),
    )
    ids = (await connection.execute(select(told.message_id).where(untaken))).scalars().all()
    if not ids:
        return 0
    lock = select(dispatches.c.message_id).where(dispatches.c.message_id.in_(ids)).order_by(dispatches.c.message_id)
    await connection.execute(lock.with_for_update())
    change = (
        update(deliveries)
        .where(untaken)
        .values(state=DeliveryState.FAILED.value, next_attempt_at=None, answer=NO_ENGINE, changed_at=now)
        .returning(told.delivery_id, told.message_id, told.contact)
    )
    rows = (await connection.execute(change)).mappings().all()
    for row in rows:
        await _write(connection, row, What.FAILED, now, NO_ENGINE)
    await wake_within(connection, {row["message_id"] for row in rows}, now)
    return len(rows)


async def _conclude_telling(
    connection: AsyncConnection, row: RowMapping, progress: Progress, outcome: Outcome, at: datetime
) -> None:
    taken = select(dispatches.c.acknowledged_by).where(dispatches.c.message_id == row["message_id"])
    is_taken = (await connection.execute(taken)).scalar_one_or_none() is not None
    state, why = _told(progress, outcome, is_taken=is_taken, is_void=row["void"])
    told = deliveries.c
    open_ = _OPEN if state is not DeliveryState.FAILED else (DeliveryState.SENDING.value,)
    change = (
        update(deliveries)
        .where(told.delivery_id == row["delivery_id"], told.state.in_(open_))
        .values(state=state.value, sending_until=None, answer=why, changed_at=at)
    )
    if (await connection.execute(change)).rowcount:
        await _write(connection, row, _WHAT[state], at, why)


def _told(progress: Progress, outcome: Outcome, *, is_taken: bool, is_void: bool) -> tuple[DeliveryState, str]:
    """What a telling comes to whose message nobody has taken on by it."""
    if progress.key is Key.NOT_THEIRS:
        return DeliveryState.FAILED, NOT_THEIRS
    if progress.heard_at is not None:
        return DeliveryState.VIEWED, HEARD
    if is_void:
        return DeliveryState.WITHDRAWN, GIVEN_AWAY
    if is_taken or outcome is Outcome.WITHDRAWN:
        return DeliveryState.WITHDRAWN, _WHY[Outcome.WITHDRAWN]
    if progress.answered_at is not None:
        return DeliveryState.FAILED, NO_KEY
    return DeliveryState.FAILED, _WHY.get(outcome, outcome.value)


_WHAT: Final[Mapping[DeliveryState, What]] = {
    DeliveryState.FAILED: What.FAILED,
    DeliveryState.VIEWED: What.VIEWED,
    DeliveryState.WITHDRAWN: What.WITHDRAWN,
}


async def _write(connection: AsyncConnection, row: RowMapping, what: What, at: datetime, detail: str) -> None:
    await write_event(
        connection,
        row["message_id"],
        what,
        at,
        delivery_id=row["delivery_id"],
        contact=row["contact"],
        means=Means.PHONE.value,
        detail=detail,
    )


def _absent_at(at: datetime) -> datetime:
    return at + timedelta(seconds=ABSENT_SECONDS)


def _due(row: RowMapping, names: Names) -> DueTelling:
    return DueTelling(
        delivery_id=row["delivery_id"],
        message_id=row["message_id"],
        client=names.now(row["client"]),
        contact=row["contact"],
        number=row["address"].removeprefix(TEL),
        did=row["did"],
        confidential=is_confidential(row["policy"]),
        due_at=row["next_attempt_at"],
    )
