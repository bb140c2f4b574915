"""What somebody must look at: messages that stand on the agents' list, that reached nobody, or that should have moved.

The last ones are found by looking at rows, whoever should have moved them: a worker that has died says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, or_, select, text, union
from sqlalchemy.sql.selectable import CompoundSelect

from callrouter.permissions import EVERYTHING, Scope, ScopeKind
from callrouter.store.database import Database
from callrouter.store.dispatch.events import BY_MACHINE, What
from callrouter.store.dispatch.lease import DISPATCH
from callrouter.store.dispatch.reading import StoredDelivery, StoredDispatch, read_delivery, read_dispatch
from callrouter.store.paging import page, within
from callrouter.store.tables import (
    DeliveryKind,
    DeliveryState,
    DispatchState,
    deliveries,
    delivery_counts,
    delivery_links,
    dispatch_events,
    dispatches,
    messages,
    queue_visits,
)

LATE_SECONDS: Final = 60.0
"""How long what is due may wait: the worker looks every few seconds."""

REPLIED_SECONDS: Final = 30 * 86_400.0
"""How long an answer in words has its message stand here, if nobody takes that on."""

OFTEN: Final = 2
"""Attempts that failed for now, after which a telling is worth a look."""

_REACHED: Final = (
    DeliveryState.ACCEPTED.value,
    DeliveryState.DELIVERED.value,
    DeliveryState.VIEWED.value,
    DeliveryState.ACKNOWLEDGED.value,
)


class Why(StrEnum):
    """Why a message stands on the board."""

    ATTENTION = "attention"
    """It is on the agents' list: nobody acknowledged it, or nobody could be told."""
    FAILED = "failed"
    """It is on its way, none of its tellings was accepted, and one has failed for good, twice for now, or is held back
    by a limit."""
    OVERDUE = "overdue"
    """Something was to be done for it, and was not."""
    CLOSED = "closed"
    """A link to it was closed after too many wrong PINs or codes, and nobody has acknowledged it."""
    REPLIED = "replied"
    """Somebody answered a mail or SMS in words, and nobody has acknowledged it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One of them."""

    dispatch: StoredDispatch
    why: tuple[Why, ...]
    because: str
    """The same in sentences, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A page of it, the newest first, and where the next page begins (None: there is none)."""

    entries: list[Entry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFigures:
    """How many there are."""

    attention: Mapping[str, int]
    """On the agents' list, answered in words, or with a link that was closed: by client; those without any are left
    out.
    """
    overdue: int
    """Messages that should have moved, and did not; and, while no worker is there, what else should have been sent."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """What is of no message and is to be sent, now or later, by its kind."""
    late: Mapping[str, int] = field(default_factory=dict)
    """Of that, what was due more than a minute ago: because no worker is there, or because a receiver is slow."""
    attempts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How attempts to send what is of no message ended, ever: by its kind, and by outcome (`delivered`, `failed`: there
    is another, `given_up`).
    """
    works: bool = False
    """Whether a worker has the lease."""


async def list_board(
    database: Database,
    *,
    now: datetime,
    client: str | None = None,
    scope: Scope = EVERYTHING,
    limit: int = 100,
    cursor: str | None = None,
) -> Board:
    """What must be looked at, the newest first, by when its telling began. `now` is the worker's clock.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    late = now - timedelta(seconds=LATE_SECONDS)
    wanted = union(_on_list(), _failed(), _closed(now), _replied(now), *_overdue(late)).subquery()
    rows, next_cursor = await page(
        database,
        dispatches,
        (dispatches.c.began_at, dispatches.c.message_id),
        client=client,
        filters=[*_within(scope), dispatches.c.message_id.in_(select(wanted.c.message_id))],
        from_at=None,
        to_at=None,
        limit=limit,
        cursor=cursor,
    )
    found = [read_dispatch(row) for row in rows]
    ids = [one.message_id for one in found]
    told, said = await _deliveries_of(database, ids), await _said_of(database, ids, now)
    entries = [_entry(one, told.get(one.message_id, []), said.get(one.message_id, {}), late) for one in found]
    return Board(entries=entries, next_cursor=next_cursor)


async def count_board(database: Database, now: datetime) -> BoardFigures:
    """How many stand there. `now` is the worker's clock.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    looked_at = union(_on_list(), _closed(now), _replied(now)).subquery()
    on_list = (
        select(dispatches.c.client, func.count())
        .where(dispatches.c.message_id.in_(select(looked_at.c.message_id)))
        .group_by(dispatches.c.client)
    )
    late = now - timedelta(seconds=LATE_SECONDS)
    overdue = union(*_overdue(late)).subquery()
    messages_overdue = select(func.count()).select_from(overdue).where(overdue.c.message_id.is_not(None))
    async with database.connection() as connection:
        attention = {client: int(count) for client, count in await connection.execute(on_list)}
        late_messages = (await connection.execute(messages_overdue)).scalar_one()
        works = (await connection.execute(_WORKS)).scalar_one()
        rows = (await connection.execute(_OTHERS, {"late": late})).all()
        counts = (await connection.execute(select(delivery_counts))).all()
    late_others = {kind: int(count) for kind, _, count in rows if count}
    return BoardFigures(
        attention=attention,
        overdue=int(late_messages) + (0 if works else sum(late_others.values())),
        waiting={kind: int(count) for kind, count, _ in rows},
        late=late_others,
        attempts={(kind, outcome): int(count) for kind, outcome, count in counts},
        works=works,
    )


_WORKS: Final = text(
    f"SELECT EXISTS (SELECT FROM leases WHERE name = '{DISPATCH}' AND until > clock_timestamp())"  # noqa: S608 - ours
)
_OTHERS: Final = text(
    """SELECT kind, count(*), count(*) FILTER (WHERE next_attempt_at < :late OR sending_until < :late) FROM (
          SELECT kind, message_id, next_attempt_at, sending_until FROM deliveries
          WHERE state = 'queued' AND sequence = ''
          UNION ALL
          SELECT kind, message_id, next_attempt_at, sending_until FROM deliveries
          WHERE state IN ('queued', 'sending') AND sequence <> ''
          UNION ALL
          SELECT kind, message_id, next_attempt_at, sending_until FROM deliveries
          WHERE state = 'sending' AND sequence = ''
       ) AS open WHERE message_id IS NULL GROUP BY kind"""
)
"""Each by an index that holds only what is open."""


def _on_list() -> Select[Any]:
    return select(dispatches.c.message_id).where(dispatches.c.state == DispatchState.ATTENTION.value)


def _failed() -> Select[Any]:
    told = deliveries.c

    def some(which: ColumnElement[bool]) -> ColumnElement[bool]:
        of_message = told.message_id == dispatches.c.message_id
        return exists().where(of_message, told.kind == DeliveryKind.MESSAGE.value, which)

    held = and_(told.attempts == 0, told.answer != "")
    waits = and_(told.state == DeliveryState.QUEUED.value, or_(told.attempts >= OFTEN, held))
    on_its_way = dispatches.c.state == DispatchState.RUNNING.value
    fails = some(or_(told.state == DeliveryState.FAILED.value, waits))
    return select(dispatches.c.message_id).where(on_its_way, fails, ~some(told.state.in_(_REACHED)))


def _closed(now: datetime) -> Select[Any]:
    """By an index that holds only links that were closed; those whose time is over would show nothing anyway."""
    return (
        select(deliveries.c.message_id)
        .join(delivery_links, delivery_links.c.delivery_id == deliveries.c.delivery_id)
        .join(dispatches, dispatches.c.message_id == deliveries.c.message_id)
        .where(delivery_links.c.closed_at.is_not(None), delivery_links.c.expires_at > now, _is_open())
    )


def _replied(now: datetime) -> Select[Any]:
    """By an index that holds only answers; what a machine answered is in the trail, and no more."""
    said = dispatch_events.c
    return (
        select(said.message_id)
        .join(dispatches, dispatches.c.message_id == said.message_id)
        .where(
            text("dispatch_events.what = 'replied'"),  # in these words it is the index's
            said.at > now - timedelta(seconds=REPLIED_SECONDS),
            said.detail.not_like(f"{BY_MACHINE}%"),
            _is_open(),
        )
    )


def _is_open() -> ColumnElement[bool]:
    return dispatches.c.state != DispatchState.ACKNOWLEDGED.value


def _overdue(late: datetime) -> Sequence[Select[Any] | CompoundSelect[Any]]:
    """Each by an index that holds only what is due."""
    told = deliveries.c
    alone = told.sequence == literal_column("''")
    return (
        select(dispatches.c.message_id).where(dispatches.c.due_at < late),
        select(told.message_id).where(told.state == DeliveryState.SENDING.value, told.sending_until < late),
        select(told.message_id).where(told.state == DeliveryState.QUEUED.value, alone, told.next_attempt_at < late),
    )


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    """As of messages: a team sees what belongs to journeys that waited in its queue."""
    if scope.kind is not ScopeKind.TEAMS:
        return within(dispatches, scope)
    of_message = (
        select(messages.c.message_id)
        .join(queue_visits, queue_visits.c.call_id == messages.c.call_id)
        .where(messages.c.message_id == dispatches.c.message_id, queue_visits.c.queue.in_(sorted(scope.names)))
    )
    return [of_message.exists()]


async def _deliveries_of(database: Database, message_ids: Collection[str]) -> dict[str, list[StoredDelivery]]:
    if not message_ids:
        return {}
    query = (
        select(deliveries)
        .where(deliveries.c.message_id.in_(message_ids), deliveries.c.kind == DeliveryKind.MESSAGE.value)
        .order_by(deliveries.c.queued_at, deliveries.c.delivery_id)
    )
    found: dict[str, list[StoredDelivery]] = {}
    async with database.connection() as connection:
        for row in (await connection.execute(query)).mappings():
            found.setdefault(row["message_id"], []).append(read_delivery(row))
    return found


async def _said_of(database: Database, message_ids: Collection[str], now: datetime) -> dict[str, dict[Why, str]]:
    """Of each message whose link was closed, or that somebody answered in words: who, and what they said last."""
    if not message_ids:
        return {}
    said, own = dispatch_events.c, delivery_links.c
    answers = (
        select(said.message_id, said.contact, said.detail)
        .where(
            said.message_id.in_(message_ids),
            said.what == What.REPLIED.value,
            said.detail.not_like(f"{BY_MACHINE}%"),
        )
        .order_by(said.number)
    )
    closed = (
        select(deliveries.c.message_id, deliveries.c.contact)
        .join(delivery_links, own.delivery_id == deliveries.c.delivery_id)
        .where(deliveries.c.message_id.in_(message_ids), own.closed_at.is_not(None), own.expires_at > now)
        .order_by(own.closed_at)
    )
    found: dict[str, dict[Why, str]] = {}
    async with database.connection() as connection:
        for message_id, contact in await connection.execute(closed):
            sentence = f"A link to it was closed, after too many wrong PINs or codes ({contact})."
            found.setdefault(message_id, {})[Why.CLOSED] = sentence
        for message_id, contact, detail in await connection.execute(answers):
            found.setdefault(message_id, {})[Why.REPLIED] = f"{contact} answered: {detail}"
    return found


def _entry(dispatch: StoredDispatch, told: Sequence[StoredDelivery], said: Mapping[Why, str], late: datetime) -> Entry:
    """Why, as it stands in these rows; they may have moved on since they were looked for."""
    found: dict[Why, str] = {}
    if dispatch.state is DispatchState.ATTENTION:
        found[Why.ATTENTION] = dispatch.reason or "It stands on the list."
    failed = [sentence for one in told if (sentence := _failing(one))]
    if dispatch.state is DispatchState.RUNNING and failed and not any(one.state in _REACHED for one in told):
        found[Why.FAILED] = f"Nobody was reached yet; {failed[-1]}."
    since = [at for at in (dispatch.due_at, *(_due(one) for one in told)) if at is not None and at < late]
    if since:
        at = f"{min(since):%Y-%m-%d %H:%M:%S}"
        found[Why.OVERDUE] = f"Something was due at {at} UTC and was not done: does `callrouter worker` run?"
    if dispatch.state is not DispatchState.ACKNOWLEDGED:
        found |= said
    return Entry(dispatch=dispatch, why=tuple(found), because=" ".join(found.values()))


def _failing(one: StoredDelivery) -> str:
    """What is wrong with a telling; empty: nothing yet."""
    whom, why = f"telling {one.contact} by {one.means}", f" ({one.answer})" if one.answer else ""
    if one.state is DeliveryState.FAILED:
        return f"{whom} failed{why}"
    if one.state is not DeliveryState.QUEUED or one.next_attempt_at is None:
        return ""
    again = f"is tried again at {one.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC"
    if one.attempts >= OFTEN:
        return f"{whom} has failed {one.attempts} times{why}, and {again}"
    return f"{whom} is held back{why}, and {again}" if why and not one.attempts else ""


def _due(one: StoredDelivery) -> datetime | None:
    match one.state:
        case DeliveryState.QUEUED:
            return one.next_attempt_at
        case DeliveryState.SENDING:
            return one.sending_until
        case _:
            return None
