"""Whether figures rest on what happened: rows of calls are compared with their traces, and kept days with those rows.

A trace has all that was seen of a call; what its row says of waiting, talk and agent, and the rows of its visits, are
made of it once more. Kept days are made once more of the rows, in one snapshot; marked days are about to be made again,
and are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import RowMapping, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.figures.days import Days, days_of_quarter, piece_of
from callrouter.store.figures.making import KINDS, OF_JOURNEYS, Pieces
from callrouter.store.figures.rows import ONE_INSTANT
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.tables import calls, figure_marks, queue_visits
from callrouter.store.trace import BLANK_TRACE, call_from_fields
from callrouter.store.writing.rows import Rows

PAGE: Final = 1_000
"""Calls that are read at a time."""
DAYS_AT_ONCE: Final = 500
_MICROSECONDS: Final = 6
_SPAN: Final = text(
    """
    SELECT least(min(first_at), (SELECT min(ringing_at) FROM calls WHERE client = :client)),
        greatest(max(last_at), (SELECT max(ringing_at) FROM calls WHERE client = :client)) + interval '1 microsecond'
    FROM figure_days WHERE client = :client
    """
)
"""Of what is kept, and of the calls."""
_ROW: Final = {column.name: place for place, column in enumerate(calls.columns)}
_VISIT: Final = {column.name: place for place, column in enumerate(queue_visits.columns)}
_COMPARED: Final = ("waiting_seconds", "talk_seconds", "agent")
_COMPARED_VISITS: Final = ("queue", "offers", "agent", "outcome", "waiting_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Some of what was compared."""

    many: int
    """Calls, or days of clients."""
    wrong: Sequence[str] = field(default=())
    """What differs, a sentence each."""


async def compare_traces(
    database: Database, from_at: datetime, to_at: datetime, clients: Sequence[str] | None = None
) -> AsyncIterator[Looked]:
    """Calls that rang in a period, with their traces; a page at a time.

    Args:
        database: open.
        from_at: when it begins.
        to_at: when it ends; it is not in it.
        clients: whose, as calls name them; None: everybody's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    place = (calls.c.ringing_at, calls.c.call_id)
    query = select(calls).where(calls.c.ringing_at >= from_at, calls.c.ringing_at < to_at).order_by(*place).limit(PAGE)
    if clients is not None:
        query = query.where(calls.c.client.in_(clients))
    after: tuple[datetime, str] | None = None
    while True:
        page = query if after is None else query.where(tuple_(*place) > after)
        async with database.connection() as connection:
            await connection.execute(ONE_INSTANT)
            rows = (await connection.execute(page)).mappings().all()
            visits = await _visits_of(connection, [row["call_id"] for row in rows])
        if not rows:
            return
        wrong = [
            said
            for row in rows
            if row["trace"] != BLANK_TRACE and (said := _compare(row, visits.get(row["call_id"], [])))
        ]
        yield Looked(many=len(rows), wrong=wrong)
        after = (rows[-1]["ringing_at"], rows[-1]["call_id"])


async def _visits_of(connection: AsyncConnection, call_ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    query = select(queue_visits).where(queue_visits.c.call_id.in_(call_ids)).order_by(queue_visits.c.position)
    found: dict[str, list[RowMapping]] = {}
    for row in (await connection.execute(query)).mappings():
        found.setdefault(row["call_id"], []).append(row)
    return found


def _compare(row: RowMapping, visits: Sequence[RowMapping]) -> str:
    """What differs, as a sentence; empty: nothing."""
    call_id = row["call_id"]
    made = Rows()
    try:
        own = made.take(call_from_fields(row))
    except (ValueError, KeyError, TypeError) as error:
        return f"{call_id}: its trace cannot be read ({error})"
    said = [_differ(name, row[name], own[_ROW[name]]) for name in _COMPARED]
    if len(visits) != len(made.queue_visits):
        said.append(f"it has {len(visits)} visits to queues, and {len(made.queue_visits)} by its trace")
    else:
        said += [
            _differ(f"{name} of visit {visit['position']}", visit[name], again[_VISIT[name]])
            for visit, again in zip(visits, made.queue_visits, strict=True)
            for name in _COMPARED_VISITS
        ]
    differences = [one for one in said if one]
    return f"{call_id} of {row['client']}: {'; '.join(differences)}" if differences else ""


def _differ(name: str, stands: Any, by_trace: Any) -> str:
    same = stands == by_trace or (isinstance(stands, float) and round(stands - by_trace, _MICROSECONDS) == 0)
    return "" if same else f"{name} is {stands}, and {by_trace} by its trace"


async def compare_days(
    database: Database, from_at: datetime, to_at: datetime, clients: Sequence[str] | None = None
) -> AsyncIterator[Looked]:
    """Kept days, each as a whole, with the calls; some at a time.

    Args:
        database: open.
        from_at: in the first of them.
        to_at: after the last.
        clients: whose, as calls name them; None: everybody's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        zones = await read_zones(connection)
    for client in sorted(zones.kept if clients is None else set(clients) & set(zones.kept)):
        if not zones.is_kept(client):
            continue  # they are about to be cut anew
        async with database.connection() as connection:
            first_at, last_at = (await connection.execute(_SPAN, {"client": client})).one()
        if first_at is None:
            continue
        days = Days(zones.of(client), max(from_at, first_at), min(to_at, last_at))
        listed = list(days)
        for start in range(0, len(listed), DAYS_AT_ONCE):
            async with database.connection() as connection:
                await connection.execute(ONE_INSTANT)
                zones = await read_zones(connection)  # of this instant: calls may be deleted meanwhile
                pieces = Pieces(kept_from=zones.kept_from)
                for day in listed[start : start + DAYS_AT_ONCE]:
                    pieces.add(client, piece_of(day, days.zone))
                yield Looked(many=len(pieces), wrong=await _compare_pieces(connection, zones, client, pieces))


async def _compare_pieces(connection: AsyncConnection, zones: Zones, client: str, pieces: Pieces) -> list[str]:
    marked = select(figure_marks.c.quarter_at).where(figure_marks.c.client == client).distinct()
    quarters = (await connection.execute(marked)).scalars()
    about = {day for quarter_at in quarters for day in days_of_quarter(quarter_at, zones.of(client))}
    from_the_first = datetime(1970, 1, 1, tzinfo=UTC)
    wrong = []
    for kind in KINDS:
        values = pieces.values | (zones.names if kind is OF_JOURNEYS else {})
        values["border_at"] = zones.kept_from.get(client, from_the_first)
        columns = ", ".join(kind.columns)
        query = f"""
            WITH made AS MATERIALIZED ({kind.select()}), kept AS MATERIALIZED (
                SELECT client, day, {columns} FROM {kind.table}
                WHERE (client, day) IN (SELECT * FROM unnest(CAST(:clients AS text[]), CAST(:days AS date[])))
                    AND first_at >= :border_at
            )
            SELECT DISTINCT day FROM (
                (SELECT * FROM made EXCEPT ALL SELECT * FROM kept)
                UNION ALL (SELECT * FROM kept EXCEPT ALL SELECT * FROM made)
            ) AS different ORDER BY day
        """  # noqa: S608
        days = (await connection.execute(text(query), values)).scalars()
        wrong += [f"{day} of {client}: {kind.table} is not what the calls say" for day in days if day not in about]
    return wrong
