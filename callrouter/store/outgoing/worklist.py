"""The worklist of abandoned callers: who gave up, and who of them has been reached since.

A caller is reached by whoever calls them back (a person, who says so, or a callback of ours to their number), or rings
again within `AGAIN` and is answered: that settles it by itself. All of it is found in the record when somebody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, and_, exists, false, func, or_, select

from callrouter.core.call import Disposition
from callrouter.core.numbers import ERASED
from callrouter.outgoing.order import Purpose
from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.outgoing.names import Names
from callrouter.store.paging import constant, page, within
from callrouter.store.tables import FollowUpResult, calls, follow_ups, outgoing_calls, queue_visits

AGAIN: Final = timedelta(days=7)
"""A caller who rings later than that after they gave up rings for something else."""


class SettledBy(StrEnum):
    """How it came that an abandoned caller is not to be called any more."""

    CALLED_BACK = "called_back"
    RANG_AGAIN = "rang_again"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Somebody called back, and says what came of it."""

    at: datetime
    principal: str
    result: FollowUpResult


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedCaller:
    """A caller who gave up before anybody answered."""

    call_id: str
    client: str
    did: str
    number: str | None
    """E.164; None: withheld, or not known, so that nobody can call back."""
    name: str
    ringing_at: datetime
    gave_up_at: datetime
    waiting_seconds: float
    queue: str | None
    """Where they waited last; None: they were rung through."""
    follow_ups: tuple[FollowUp, ...] = ()
    settled_by: SettledBy | None = None
    """None: they are still to be called."""
    settled_at: datetime | None = None
    reached_by: str | None = None
    """The agent, or whoever says that they called."""

    @property
    def delay_seconds(self) -> float | None:
        """From when they gave up until they were reached; None while they were not."""
        if self.settled_at is None or self.settled_by is SettledBy.NOT_NEEDED:
            return None
        return max(0.0, (self.settled_at - self.gave_up_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """A page of them, the newest first, and where the next one begins (None: there is none)."""

    callers: list[AbandonedCaller]
    next_cursor: str | None


async def list_abandoned(
    database: Database,
    *,
    client: str | None = None,
    settled: bool | None = None,
    scope: Scope = EVERYTHING,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Worklist:
    """Abandoned callers by when they rang (`from_at` included, `to_at` not); all, or those who are settled or not.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    # Whoever was erased can be called by nobody.
    nobody = func.coalesce(calls.c.caller_number.startswith(ERASED, autoescape=True), false())
    filters = [constant(calls.c.disposition, Disposition.ABANDONED.value), ~nobody, *within(calls, scope)]
    async with database.connection() as connection:
        names = await Names.read(connection)
    if settled is not None:
        filters.append(_is_settled(names) if settled else ~_is_settled(names))
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
    found = await _with_what_followed(database, rows, names) if rows else []
    return Worklist(callers=found, next_cursor=next_cursor)


def _later(table: Any, names: Names) -> tuple[ColumnElement[bool], ...]:
    """Answered calls of the same caller to the same client, soon after."""
    return (
        names.same_client(table.c.client, calls.c.client),
        table.c.caller_number == calls.c.caller_number,
        table.c.ringing_at > calls.c.ringing_at,
        table.c.ringing_at < calls.c.ringing_at + AGAIN,
        table.c.bridged_at.is_not(None),
    )


def _reached(names: Names) -> tuple[ColumnElement[bool], ...]:
    """Calls of ours that reached the same caller for the same client."""
    placed = outgoing_calls.c
    return (
        names.same_client(placed.client, calls.c.client),
        placed.purpose == Purpose.CALLBACK.value,
        placed.number == calls.c.caller_number,
        placed.placed_at > calls.c.ringing_at,
        placed.placed_at < calls.c.ringing_at + AGAIN,
        placed.answered_at.is_not(None),
    )


_SETTLING: Final = (FollowUpResult.REACHED.value, FollowUpResult.NOT_NEEDED.value)


def _is_settled(names: Names) -> ColumnElement[bool]:
    later = calls.alias("later")
    by_hand = and_(follow_ups.c.call_id == calls.c.call_id, follow_ups.c.result.in_(_SETTLING))
    return or_(
        exists().where(*_later(later, names)),
        exists().where(*_reached(names)),
        exists().where(by_hand),
    )


async def _with_what_followed(database: Database, rows: Sequence[RowMapping], names: Names) -> list[AbandonedCaller]:
    ids = [row["call_id"] for row in rows]
    later = calls.alias("later")
    these = calls.c.call_id.in_(ids)
    again = select(calls.c.call_id, later.c.bridged_at.label("at"), later.c.agent).where(these, *_later(later, names))
    placed = outgoing_calls.c
    reached = select(calls.c.call_id, placed.answered_at.label("at"), placed.agent).where(these, *_reached(names))
    said = select(follow_ups).where(follow_ups.c.call_id.in_(ids)).order_by(follow_ups.c.at, follow_ups.c.follow_up_id)
    waited = (
        select(queue_visits.c.call_id, queue_visits.c.queue)
        .where(queue_visits.c.call_id.in_(ids))
        .order_by(queue_visits.c.call_id, queue_visits.c.position)
    )
    async with database.connection() as connection:
        answered = (await connection.execute(again)).mappings().all()
        called = (await connection.execute(reached)).mappings().all()
        followed = (await connection.execute(said)).mappings().all()
        queues = {row["call_id"]: row["queue"] for row in (await connection.execute(waited)).mappings()}
    return [_caller(row, answered, called, followed, queues.get(row["call_id"])) for row in rows]


def _caller(
    row: RowMapping,
    answered: Collection[RowMapping],
    called: Collection[RowMapping],
    followed: Collection[RowMapping],
    queue: str | None,
) -> AbandonedCaller:
    own = [one for one in followed if one["call_id"] == row["call_id"]]
    settled = [
        *((one["at"], SettledBy.RANG_AGAIN, one["agent"]) for one in answered if one["call_id"] == row["call_id"]),
        *((one["at"], SettledBy.CALLED_BACK, one["agent"]) for one in called if one["call_id"] == row["call_id"]),
        *((one["at"], _BY_HAND[one["result"]], one["principal"]) for one in own if one["result"] in _SETTLING),
    ]
    at, how, whom = min(settled, key=lambda one: one[0]) if settled else (None, None, None)
    return AbandonedCaller(
        call_id=row["call_id"],
        client=row["client"],
        did=row["did"],
        number=row["caller_number"],
        name=row["caller_name"],
        ringing_at=row["ringing_at"],
        gave_up_at=row["ended_at"],
        waiting_seconds=row["waiting_seconds"],
        queue=queue,
        follow_ups=tuple(
            FollowUp(at=one["at"], principal=one["principal"], result=FollowUpResult(one["result"])) for one in own
        ),
        settled_by=how,
        settled_at=at,
        reached_by=whom if how is not SettledBy.NOT_NEEDED else None,
    )


_BY_HAND: Final = {
    FollowUpResult.REACHED.value: SettledBy.CALLED_BACK,
    FollowUpResult.NOT_NEEDED.value: SettledBy.NOT_NEEDED,
}
