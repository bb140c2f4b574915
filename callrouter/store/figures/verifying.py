"""Whether figures rest on what happened: rows of calls are compared with their traces, and kept days with those rows.

A trace has all that was seen of a call; what its row says of waiting, talk and agent, and the rows of its visits, are
made of it once more. Kept days are made once more of the rows, in one snapshot; marked days are about to be made again,
and are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import RowMapping, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.figures.days import Days, days_of_month, days_of_quarter, month_of, piece_of, spans_of
from callrouter.store.figures.folding import folded_of
from callrouter.store.figures.making import DOUBLES, KINDS, OF_JOURNEYS, Kind, Pieces
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
    FROM (
        SELECT first_at, last_at FROM figure_days WHERE client = :client
        UNION ALL SELECT first_at, last_at FROM figure_months WHERE client = :client
    ) AS kept
    """
)
"""Of what is kept, and of the calls."""
_ROW: Final = {column.name: place for place, column in enumerate(calls.columns)}
_VISIT: Final = {column.name: place for place, column in enumerate(queue_visits.columns)}
_MONTH_OF: Final = "date_trunc('month', day)::date"
_OF_A_MONTH: Final = frozenset({"first_at", "last_at"})
"""When the first and last journey of a month rang may stand there from before they were corrected."""
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
        for span in spans_of(list(days), DAYS_AT_ONCE, month_of):
            async with database.connection() as connection:
                await connection.execute(ONE_INSTANT)
                zones = await read_zones(connection)  # of this instant: calls may be deleted meanwhile
                if zones.is_kept(client):
                    yield Looked(many=len(span), wrong=await _compare_span(connection, zones, client, span))


async def _compare_span(connection: AsyncConnection, zones: Zones, client: str, span: Sequence[date]) -> list[str]:
    marked = select(figure_marks.c.quarter_at).where(figure_marks.c.client == client).distinct()
    quarters = (await connection.execute(marked)).scalars()
    about = {day for quarter_at in quarters for day in days_of_quarter(quarter_at, zones.of(client))}
    zone = zones.of(client)
    pieces = Pieces(kept_from=zones.kept_from)
    for day in span:
        pieces.add(client, piece_of(day, zone))
    folded = await folded_of(connection, pieces)
    _, of_days = pieces.apart(lambda client, day: (client, month_of(day)) in folded)
    of_months = Pieces()
    for _, month in sorted(folded):
        for day in days_of_month(month):
            of_months.add(client, piece_of(day, zone))
    wrong = []
    for kind in KINDS:
        names = zones.names if kind is OF_JOURNEYS else {}
        days = await _differing(connection, kind, of_days, names)
        wrong += [f"{day} of {client}: {kind.table} is not what the calls say" for day in days if day not in about]
        months = await _differing(connection, kind, of_months, names, in_months=True)
        being_made = {month_of(day) for day in about}
        wrong += [
            f"{month:%Y-%m} of {client}: {kind.months} is not what the calls say"
            for month in months
            if month not in being_made
        ]
    return wrong


async def _differing(
    connection: AsyncConnection, kind: Kind, pieces: Pieces, names: Mapping[str, Any], *, in_months: bool = False
) -> Sequence[date]:
    """Days, or months, of which what is kept is not what is made of the calls."""
    if not len(pieces):
        return []
    table, at, made = (
        (kind.months, "month", kind.fold(kind.select())) if in_months else (kind.table, "day", kind.select())
    )
    compared = [*(name for name in kind.columns if not in_months or name not in _OF_A_MONTH), *(["days"] * in_months)]
    columns = ", ".join(f"round({name}::numeric, {_MICROSECONDS})" if name in DOUBLES else name for name in compared)
    query = f"""
        WITH made AS MATERIALIZED (SELECT {at}, {columns} FROM ({made}) AS made), kept AS MATERIALIZED (
            SELECT {at}, {columns} FROM {table} AS kept
            WHERE {kind.unfrozen} AND (client, {at}) IN (
                SELECT DISTINCT client, {_MONTH_OF if in_months else "day"}
                FROM unnest(CAST(:clients AS text[]), CAST(:days AS date[])) AS asked(client, day)
            )
        )
        SELECT DISTINCT {at} FROM (
            (SELECT * FROM made EXCEPT ALL SELECT * FROM kept)
            UNION ALL (SELECT * FROM kept EXCEPT ALL SELECT * FROM made)
        ) AS different ORDER BY {at}
    """  # noqa: S608 - made of our own words
    return (await connection.execute(text(query), {**pieces.values, **names})).scalars().all()
