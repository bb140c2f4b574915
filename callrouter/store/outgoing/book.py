"""The book of callbacks: what is open, which calls are placed for it, and what settled it.

A callback stands in `callbacks` since its call was recorded; each call that is placed for it is a row of
`outgoing_calls`, written before the call is placed. Attempts and pauses are counted from those rows. A row belongs to
an engine by its epoch (`store.incarnation`): whoever has logged in at the PBX takes all of them over, and from then on
the one before changes nothing.

Rows keep the name that their client had; what is read of them has the one it has now, whose tree says what becomes of
them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, and_, func, insert, or_, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import DEFAULT_PBX
from callrouter.outgoing.order import ATTEMPTS, Order, Outcome, Progress, Purpose, Settlement
from callrouter.outgoing.ports import Answered, OpenCallback, PlacedCall, Ruled, Wish
from callrouter.store.database import Database
from callrouter.store.outgoing.far_leg import far_leg
from callrouter.store.outgoing.names import Names
from callrouter.store.tables import callbacks, calls, legs, outgoing_calls

WATCHED_SECONDS: Final = 60.0
"""Callbacks of a PBX whose engine has not said for so long that it watches are whoever's."""
MOST_OPEN: Final = 2_000
"""Callbacks looked at in one round: those whose hours are open, then the others, the oldest turn first."""

_ATTEMPTS: Final = f"({', '.join(repr(one.value) for one in sorted(ATTEMPTS))})"

_OPEN: Final = text(
    f"""
    SELECT cb.call_id, cb.position, ruled.client, cb.number, cb.node, cb.asked_at, calls.did,
           coalesce(waited.entered_at, cb.asked_at) AS turn_at,
           coalesce(tried.attempts, 0) AS attempts, last.outcome AS last, last.ended_at AS last_at,
           gone.lost
    FROM unnest(CAST(:names AS text[]), CAST(:clients AS text[]), CAST(:nodes AS text[]), CAST(:are_open AS boolean[]))
        AS ruled(name, client, node, is_open)
    JOIN callbacks AS cb ON cb.client = ruled.name AND cb.node = ruled.node
    JOIN calls USING (call_id)
    LEFT JOIN LATERAL (
        SELECT min(visit.entered_at) AS entered_at FROM queue_visits AS visit
        WHERE visit.call_id = cb.call_id AND visit.entered_at <= cb.asked_at
            AND visit.queue = (
                SELECT queue FROM queue_visits AS latest
                WHERE latest.call_id = cb.call_id AND latest.answered_at IS NULL AND latest.entered_at <= cb.asked_at
                ORDER BY latest.position DESC LIMIT 1
            )
            AND visit.position > (
                SELECT coalesce(max(position), 0) FROM queue_visits AS served
                WHERE served.call_id = cb.call_id AND served.queue = visit.queue
                    AND served.answered_at IS NOT NULL AND served.entered_at <= cb.asked_at
            )
    ) AS waited ON true
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE outcome IN {_ATTEMPTS}) AS attempts,
               count(*) FILTER (WHERE outcome IS NULL) AS live
        FROM outgoing_calls AS placed WHERE placed.call_id = cb.call_id AND placed.position = cb.position
    ) AS tried ON true
    LEFT JOIN LATERAL (
        SELECT outcome, ended_at FROM outgoing_calls AS placed
        WHERE placed.call_id = cb.call_id AND placed.position = cb.position AND outcome IS NOT NULL
        ORDER BY ended_at DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS lost FROM outgoing_calls AS placed
        WHERE placed.call_id = cb.call_id AND placed.position = cb.position AND placed.outcome = 'lost'
            AND NOT EXISTS (
                SELECT FROM outgoing_calls AS later
                WHERE later.call_id = cb.call_id AND later.position = cb.position AND later.outcome <> 'lost'
                    AND later.placed_at > placed.placed_at
            )
    ) AS gone ON true
    WHERE cb.state = 'open' AND cb.asked_at >= :since AND tried.live = 0 AND NOT EXISTS (
        SELECT FROM beats WHERE beats.pbx <> :pbx AND beats.pbx = calls.pbx
            AND beats.written_at > now() - interval '{WATCHED_SECONDS:g} seconds'
    )
    ORDER BY ruled.is_open DESC, turn_at, cb.call_id, cb.position
    LIMIT :most
    """  # noqa: S608  # words of ours
)

# The very call in which they asked counts too: they may have gone on waiting, and been answered after all. Of a call's
# answers `bridged_at` is the first, so that those of the very call are looked for in its queues too.
_RANG_AGAIN: Final = """
    UPDATE callbacks AS cb SET state = 'done', settled_by = 'rang_again', settled_at = again.at
    FROM (
        SELECT DISTINCT ON (call_id, position) call_id, position, at
        FROM (
            SELECT asked.call_id, asked.position, calls.bridged_at AS at
            FROM callbacks AS asked {theirs}
            JOIN calls ON calls.client = {name} AND calls.ringing_at > asked.asked_at - interval '1 day'
                AND calls.caller_number = asked.number AND calls.bridged_at > asked.asked_at
            WHERE asked.state = 'open' AND {which}
            UNION ALL
            SELECT asked.call_id, asked.position, visit.answered_at
            FROM callbacks AS asked
            JOIN calls ON calls.call_id = asked.call_id AND calls.caller_number = asked.number
            JOIN queue_visits AS visit ON visit.call_id = asked.call_id AND visit.answered_at > asked.asked_at
            WHERE asked.state = 'open' AND {which}
        ) AS answers
        ORDER BY call_id, position, at
    ) AS again
    WHERE cb.call_id = again.call_id AND cb.position = again.position AND cb.state = 'open'
"""
_THESE_ANSWERED: Final = text(
    """
    UPDATE callbacks AS cb SET state = 'done', settled_by = 'rang_again', settled_at = again.at
    FROM (
        SELECT client, number, max(at) AS at
        FROM unnest(CAST(:clients AS text[]), CAST(:numbers AS text[]), CAST(:ats AS timestamptz[]))
            AS one(client, number, at)
        GROUP BY client, number
    ) AS again
    WHERE cb.client = again.client AND cb.number = again.number AND cb.state = 'open' AND cb.asked_at < again.at
    """
)
_ALL: Final = "asked.asked_at >= :since"
_ONE: Final = "asked.call_id = :call_id AND asked.position = :position"


class CallbackRows:
    """The tables. Every method raises StoreError while PostgreSQL does not do it."""

    def __init__(self, database: Database, pbx: str = DEFAULT_PBX, formerly: Sequence[str] = (), *, epoch: int) -> None:
        """`pbx` is where calls are placed: callbacks that came in at another one are left to the engine there. The
        engine before called it `formerly`, if otherwise. `epoch` is that of this engine's life, and of no other."""
        self._database = database
        self._pbx = pbx
        self._names = [pbx, *formerly]
        self._epoch = epoch

    async def take_over(self) -> list[PlacedCall]:
        """Calls under way, ours from now on."""
        placed, wished = outgoing_calls.c, callbacks.c
        is_ours = and_(placed.outcome.is_(None), placed.purpose == Purpose.CALLBACK.value, placed.pbx.in_(self._names))
        of_wish = and_(wished.call_id == placed.call_id, wished.position == placed.position)
        query = (
            select(
                *(placed.outgoing_id, placed.call_id, placed.position, placed.client, placed.number, placed.queue),
                *(placed.turn_at, placed.shown, func.coalesce(calls.c.did, "").label("did"), wished.node),
                *((wished.state == "open").label("is_open"), _attempts_before()),
            )
            .join_from(outgoing_calls, callbacks, of_wish)
            .join(calls, calls.c.call_id == placed.call_id, isouter=True)
            .where(is_ours)
        )
        async with self._database.connection() as connection:
            mine = update(outgoing_calls).where(is_ours)
            await connection.execute(mine.values(epoch=self._epoch, pbx=self._pbx))
            names = await Names.read(connection)
            return [_placed_call(row, names) for row in await _rows(connection, query)]

    async def settled_elsewhere(self, outgoing_ids: Collection[str]) -> set[str]:
        """Of these calls of ours, those whose callback is not open any more."""
        placed, wished = outgoing_calls.c, callbacks.c
        query = (
            select(placed.outgoing_id)
            .join_from(
                outgoing_calls,
                callbacks,
                and_(wished.call_id == placed.call_id, wished.position == placed.position),
            )
            .where(placed.outgoing_id.in_(list(outgoing_ids)), wished.state != "open")
        )
        async with self._database.connection() as connection:
            return set((await connection.execute(query)).scalars())

    async def open(self, since: datetime, ruled: Collection[Ruled]) -> list[OpenCallback]:
        """Those asked for since then at these nodes, of open hours first, by turn. Callbacks that only stand in a list
        are not read."""
        if not ruled:
            return []
        async with self._database.connection() as connection:
            names = await Names.read(connection)
            asked = [(name, *one) for one in ruled for name in names.all_of(one.client)]
            arrays = zip(("names", "clients", "nodes", "are_open"), map(list, zip(*asked, strict=True)), strict=True)
            values = {"since": since, "pbx": self._pbx, "most": MOST_OPEN, **dict(arrays)}
            rows = await _rows(connection, _OPEN, values)
        return [_open_callback(row) for row in rows]

    async def claim(self, callback: OpenCallback, order: Order, at: datetime) -> bool:
        """The call is under way from now on, unless the callback is settled, or another call is under way for it."""
        wished = callbacks.c
        still_open = (
            select(wished.call_id)
            .where(tuple_(wished.call_id, wished.position) == callback.wish, wished.state == "open")
            .with_for_update()
        )
        call_id, position = callback.wish
        row = {
            "outgoing_id": order.outgoing_id,
            "purpose": order.purpose.value,
            "call_id": call_id,
            "position": position,
            "client": callback.client,
            "number": order.number,
            "shown": order.shown,
            "queue": order.queue,
            "turn_at": callback.turn_at,
            "epoch": self._epoch,
            "pbx": self._pbx,
            "placed_at": at,
        }
        try:
            async with self._database.connection() as connection:
                await _settle_answered(connection, _ONE, {"call_id": call_id, "position": position})
                if (await connection.execute(still_open)).first() is None:
                    return False
                await connection.execute(insert(outgoing_calls).values(**row))
        except IntegrityError:
            return False
        return True

    async def note(self, outgoing_id: str, progress: Progress) -> None:
        """How far a call of ours is."""
        change = update(outgoing_calls).where(self._is_ours(outgoing_id))
        async with self._database.connection() as connection:
            await connection.execute(change.values(rung_at=progress.rung_at, answered_at=progress.answered_at))

    async def conclude(
        self, outgoing_id: str, progress: Progress, outcome: Outcome, at: datetime, settlement: Settlement | None
    ) -> None:
        """What became of a call of ours, and, with a settlement, of its callback; all of it or nothing."""
        change = (
            update(outgoing_calls)
            .where(self._is_ours(outgoing_id))
            .values(
                rung_at=progress.rung_at,
                answered_at=progress.answered_at,
                ended_at=progress.ended_at or at,
                agent=progress.agent,
                outcome=outcome.value,
                hangup_cause=progress.hangup_cause,
            )
            .returning(outgoing_calls)
        )
        async with self._database.connection() as connection:
            row = (await connection.execute(change)).mappings().first()
            if row is None:
                return
            if leg := far_leg(row, progress, at, self._epoch):
                await connection.execute(insert(legs).values(leg))
            if settlement is None:
                return
            if settlement.is_reached:
                answered_at = progress.answered_at or at
                theirs = (await Names.read(connection)).all_of(row["client"])
                same_caller = and_(callbacks.c.client.in_(theirs), callbacks.c.number == row["number"])
                before = and_(same_caller, callbacks.c.asked_at < answered_at)
                await _settle(connection, or_(_these([_wish(row)]), before), settlement, answered_at)
            else:
                await _settle(connection, _these([_wish(row)]), settlement, at)

    async def settle(self, wishes: Iterable[Wish], settlement: Settlement, at: datetime) -> None:
        """Callbacks that need no call any more."""
        async with self._database.connection() as connection:
            await _settle(connection, _these(wishes), settlement, at)

    async def settle_answered(self, answered: Sequence[Answered]) -> None:
        """These callers rang, and were answered."""
        async with self._database.connection() as connection:
            names = await Names.read(connection)
            rows = [(name, number, at) for client, number, at in answered for name in names.all_of(client)]
            clients, numbers, ats = map(list, zip(*rows, strict=True))
            await connection.execute(_THESE_ANSWERED, {"clients": clients, "numbers": numbers, "ats": ats})

    async def settle_recorded(self, since: datetime) -> None:
        """By what is in the record: answered calls that nobody told us of."""
        async with self._database.connection() as connection:
            await _settle_answered(connection, _ALL, {"since": since})

    def _is_ours(self, outgoing_id: str) -> ColumnElement[bool]:
        placed = outgoing_calls.c
        return and_(placed.outgoing_id == outgoing_id, placed.outcome.is_(None), placed.epoch == self._epoch)


async def _rows(connection: AsyncConnection, query: Any, values: Mapping[str, Any] | None = None) -> list[RowMapping]:
    return list((await connection.execute(query, values or {})).mappings().all())


async def _settle_answered(connection: AsyncConnection, which: str, values: Mapping[str, Any]) -> None:
    names = await Names.read(connection)
    theirs, name = names.joined("asked.client")
    query = text(_RANG_AGAIN.format(which=which, theirs=theirs, name=name))
    await connection.execute(query, {**values, **names.values})


async def _settle(
    connection: AsyncConnection, whose: ColumnElement[bool], settlement: Settlement, at: datetime
) -> None:
    state = "done" if settlement.is_reached else "given_up"
    change = update(callbacks).where(whose, callbacks.c.state == "open")
    await connection.execute(change.values(state=state, settled_by=settlement.value, settled_at=at))


def _these(wishes: Iterable[Wish]) -> ColumnElement[bool]:
    return tuple_(callbacks.c.call_id, callbacks.c.position).in_(list(wishes))


def _attempts_before() -> Any:
    earlier = outgoing_calls.alias("earlier")
    same = and_(
        earlier.c.call_id == outgoing_calls.c.call_id,
        earlier.c.position == outgoing_calls.c.position,
        earlier.c.outcome.in_([one.value for one in ATTEMPTS]),
    )
    return select(func.count()).select_from(earlier).where(same).scalar_subquery().label("attempts")


def _wish(row: RowMapping) -> Wish:
    return row["call_id"], row["position"]


def _without_key(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("call_id", "position")}


def _placed_call(row: RowMapping, names: Names) -> PlacedCall:
    return PlacedCall(wish=_wish(row), **_without_key(row) | {"client": names.now(row["client"])})


def _open_callback(row: RowMapping) -> OpenCallback:
    values = _without_key(row)
    last = values.pop("last")
    return OpenCallback(wish=_wish(row), last=Outcome(last) if last else None, **values)
