"""Rows of days that are right: kept ones, and the calls themselves where those are not, in one snapshot.

Not right is a day of which a mark says that a call came since (`figure_marks`), all days of a client that are kept in
another zone than is asked for, or not at all, and a day of which a part only is in the period, unless all of its
journeys are in it.

Days whose calls may be gone (`kept_from`) are always read as they are kept: nothing else is known of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.service_level import Promise
from callrouter.errors import DaysAlone
from callrouter.store.figures.asking import THESE, Grouping, Part
from callrouter.store.figures.days import Days
from callrouter.store.figures.making import Kind, Pieces
from callrouter.store.figures.zones import Zones
from callrouter.store.promises import promise_of_row

_PROMISE: Final = (
    *("promise_id", "within_seconds", "target", "short_abandon_seconds", "formula", "clock", "timezone"),
)
_OF_DAYS: Final = frozenset({Grouping.DAY, Grouping.WEEKDAY, Grouping.MONTH, Grouping.HOUR})
_LONGEST_DAY: Final = timedelta(hours=36)
_KEYS: Final[Mapping[Grouping, str]] = {
    Grouping.DID: "did",
    Grouping.VERSION: "plan_version",
    Grouping.QUEUE: "queue",
    Grouping.DAY: "day",
    Grouping.WEEKDAY: "extract(isodow FROM day)::int",
    Grouping.MONTH: "date_trunc('month', day)::date",
}
_DOUBLES: Final = frozenset({"talk_seconds"})
_APART: Final = {Grouping.DID: "did", Grouping.QUEUE: "queue"}

ONE_INSTANT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
"""Run first. Calls come meanwhile: parts and totals must be those of one instant."""
Marks = Mapping[str, Sequence[datetime]]
"""By client, as calls name it: the quarters of an hour that were marked."""


async def read_marks(connection: AsyncConnection, parts: Sequence[Part]) -> Marks:
    """Those of the period.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    begin_at = min(part.from_at for part in parts) - _LONGEST_DAY
    values: dict[str, Any] = {"begin_at": begin_at, "end_at": max(part.to_at for part in parts) + _LONGEST_DAY}
    query = "SELECT DISTINCT client, quarter_at FROM figure_marks WHERE quarter_at > :begin_at AND quarter_at < :end_at"
    if all(part.whose == THESE for part in parts):
        query += " AND client = ANY(CAST(:these AS text[]))"
        values["these"] = [client for part in parts for client in part.clients]
    marks: dict[str, list[datetime]] = {}
    for client, quarter_at in await connection.execute(text(query), values):
        marks.setdefault(client, []).append(quarter_at)
    return marks


class Summed(Struct, frozen=True, kw_only=True, gc=False):
    """Rows under one promise, summed up as far as they are alike in what is asked for."""

    client: str
    """As its calls name it; empty: it is not asked for."""
    keys: tuple[Any, ...]
    """The values of the groupings that stand in rows, in their order."""
    changing_day: date | None
    """With hours: which day it is of, where the clocks change on it."""
    promise_id: int | None
    promise: Promise | None
    """None: none is known for the version."""
    first_at: datetime
    """When the first journey rang."""
    sums: Sequence[Any]
    joined: Sequence[bytes]
    """Bytes of all of them, one after the other."""


async def read_summed(  # noqa: PLR0913, RUF100
    connection: AsyncConnection,
    zones: Zones,
    marks: Marks,
    part: Part,
    by: Sequence[Grouping],
    kind: Kind,
    summed: Sequence[str],
    joined: Sequence[str],
) -> list[Summed]:
    """Rows of a part, in a transaction that sees one instant, summed up by promise and by what is asked for; where it
    is asked by client, by version, too.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if part.is_empty:
        return []
    days = Days(part.zone, part.from_at, part.to_at)
    columns = [
        "plan_version",
        "first_at",
        *summed,
        *joined,
        *(_APART[one] for one in by if one in _APART),
    ]
    by_day = not _OF_DAYS.isdisjoint(by)
    source, values = await _right(connection, zones, marks, part, days, kind, columns, by_day=by_day)
    with_hours = Grouping.HOUR in by
    keys = [_KEYS[one] for one in by if one in _KEYS]
    if with_hours:
        values["changing"] = list(days.changing)
    keys.append("CASE WHEN day = ANY(CAST(:changing AS date[])) THEN day END" if with_hours else "NULL::date")
    sums = [
        "min(first_at)",
        *(f"sum({name})" if name in _DOUBLES else f"sum({name})::int" for name in summed),
        *(f"string_agg({name}, ''::bytea)" for name in joined),
    ]
    made = _by_client if Grouping.CLIENT in by else _by_promise
    rows = (await connection.execute(text(made(source, keys, sums)), values)).all()
    promises: dict[int, Promise] = {}
    return [_summed(row, len(keys), len(summed), promises) for row in rows]


def _by_client(source: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """The promise is looked for once for each client and version: there are fewer than days."""
    named = [f"{key} AS key_{number}" for number, key in enumerate(keys)]
    return f"""
        WITH counted AS MATERIALIZED (
            SELECT {", ".join(("client", "plan_version", *named, *sums))}
            FROM ({source}) AS rows GROUP BY {_places(2 + len(keys))}
        )
        SELECT {", ".join(f"promises.{name}" for name in _PROMISE)}, counted.*
        FROM counted LEFT JOIN plans ON plans.client = counted.client AND plans.version = counted.plan_version
            LEFT JOIN promises ON promises.promise_id = plans.promise_id
    """  # noqa: S608 - made of our own words


def _by_promise(source: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """All clients together: there are few promises, and a row for each client and day would be many."""
    named = [f"{key} AS key_{number}" for number, key in enumerate(keys)]
    return f"""
        WITH counted AS MATERIALIZED (
            SELECT plans.promise_id, {", ".join((*named, *sums))}
            FROM ({source}) AS rows
                LEFT JOIN plans ON plans.client = rows.client AND plans.version = rows.plan_version
            GROUP BY {_places(1 + len(keys))}
        )
        SELECT {", ".join(f"promises.{name}" for name in _PROMISE)}, '', counted.*
        FROM counted LEFT JOIN promises ON promises.promise_id = counted.promise_id
    """  # noqa: S608 - made of our own words


def _places(many: int) -> str:
    return ", ".join(str(place + 1) for place in range(many))


def _summed(row: Row[Any], keys: int, summed: int, promises: dict[int, Promise]) -> Summed:
    promised, (client, _, *values) = row[: len(_PROMISE)], row[len(_PROMISE) :]
    promise_id: int | None = promised[0]
    if promise_id is not None and promise_id not in promises:
        promises[promise_id] = promise_of_row(dict(zip(_PROMISE, promised, strict=True)))
    return Summed(
        client=client,
        keys=tuple(values[: keys - 1]),
        changing_day=values[keys - 1],
        promise_id=promise_id,
        promise=None if promise_id is None else promises[promise_id],
        first_at=values[keys],
        sums=values[keys + 1 : keys + 1 + summed],
        joined=values[keys + 1 + summed :],
    )


async def _right(  # noqa: PLR0913, RUF100
    connection: AsyncConnection,
    zones: Zones,
    marks: Marks,
    part: Part,
    days: Days,
    kind: Kind,
    columns: Sequence[str],
    *,
    by_day: bool,
) -> tuple[str, dict[str, Any]]:
    """A query for rows of days, all of which are right, and its parameters.

    If it is not asked `by_day`, the day and the quarters of an hour of some rows are not theirs.
    """
    unkept = {
        client
        for client in {*marks, *zones.kept}
        if zones.kept.get(client) != zones.basis(client, part.zone.key) and part.has(client)
    }
    stale = {
        (client, day)
        for client, quarters in marks.items()
        if client not in unkept and part.has(client)
        for quarter_at in quarters
        for day in days.of_quarter(quarter_at)
    }
    if days.cut:
        cut = [row for row in await _cut(connection, part, days, kind) if row[0] not in unkept]
        _must_be_whole(zones, cut)
        stale |= {(client, day) for client, day, _ in cut}
    pieces = Pieces(kept_from=zones.kept_from)
    for client, day in sorted(stale):
        pieces.add(client, days.piece(day))
    for client, its in (await _spans(connection, days, unkept) if by_day else dict.fromkeys(unkept, days)).items():
        for piece in map(its.piece, its) if by_day else (its.whole,):
            pieces.add(client, piece)
    return _united(zones, part, days, kind, columns, sorted(unkept), sorted(stale), pieces)


def _united(  # noqa: PLR0913, RUF100
    zones: Zones,
    part: Part,
    days: Days,
    kind: Kind,
    columns: Sequence[str],
    unkept: Sequence[str],
    stale: Sequence[tuple[str, date]],
    pieces: Pieces,
) -> tuple[str, dict[str, Any]]:
    names = ", ".join(("client", "day", *columns))
    where = ["day >= CAST(:first AS date) AND day <= CAST(:last AS date)", part.where("client")]
    values: dict[str, Any] = {"first": days.first, "last": days.last, **part.values}
    if unkept:
        where.append(f"(client <> ALL(CAST(:unkept AS text[])){_or_frozen(zones, unkept, values)})")
        values["unkept"] = list(unkept)
    if stale:
        where.append(
            f"(NOT EXISTS (SELECT FROM unnest(CAST(:stale_clients AS text[]), CAST(:stale_days AS date[])) AS"
            f" stale(client, day) WHERE stale.client = {kind.table}.client AND stale.day = {kind.table}.day)"
            f"{_or_frozen(zones, (client for client, _ in stale), values)})"
        )
        values |= {"stale_clients": [client for client, _ in stale], "stale_days": [day for _, day in stale]}
    source = f"SELECT {names} FROM {kind.table} WHERE {' AND '.join(where)}"  # noqa: S608
    if len(pieces):
        source += f" UNION ALL {kind.select(columns)}"
        values |= pieces.values | zones.names
    return source, values


def _or_frozen(zones: Zones, clients: Iterable[str], values: dict[str, Any]) -> str:
    """That the calls of a row may be gone, for clients that have such rows: then it is right whatever else is so."""
    borders = {client: zones.kept_from[client] for client in clients if client in zones.kept_from}
    if not borders:
        return ""
    values.setdefault("frozen", []).extend(borders)
    values.setdefault("borders", []).extend(borders.values())
    return (
        " OR EXISTS (SELECT FROM unnest(CAST(:frozen AS text[]), CAST(:borders AS timestamptz[])) AS"
        " frozen(name, from_at) WHERE frozen.name = client AND first_at < frozen.from_at)"
    )


async def _spans(connection: AsyncConnection, days: Days, clients: Collection[str]) -> dict[str, Days]:
    """By client, the days of the period from its first call on, to its last."""
    query = """
        SELECT known.client, span.* FROM unnest(CAST(:clients AS text[])) AS known(client) CROSS JOIN LATERAL (
            SELECT min(ringing_at) AS first_at, max(ringing_at) AS last_at FROM calls
            WHERE calls.client = known.client AND ringing_at >= :from_at AND ringing_at < :to_at
        ) AS span WHERE first_at IS NOT NULL
    """
    values = {"clients": sorted(clients), "from_at": days.from_at, "to_at": days.to_at}
    rows = await connection.execute(text(query), values)
    return {
        client: Days(days.zone, max(days.from_at, first_at), min(days.to_at, last_at + timedelta(microseconds=1)))
        for client, first_at, last_at in rows
    }


def _must_be_whole(zones: Zones, cut: Iterable[tuple[str, date, datetime]]) -> None:
    for client, day, first_at in cut:
        border_at = zones.kept_from.get(client)
        if border_at is not None and first_at < border_at:
            raise DaysAlone(
                f"calls of {client} before {border_at.astimezone(zones.of(client)):%Y-%m-%d} are deleted: of {day} the "
                f"whole day is known, and no part of it. Ask for whole days (time zone {zones.name_of(client)})"
            )


async def _cut(connection: AsyncConnection, part: Part, days: Days, kind: Kind) -> list[tuple[str, date, datetime]]:
    """Clients and days of which a part only is in the period, and some journeys are not; when the first rang."""
    query = f"""
        SELECT client, day, min(first_at) FROM {kind.table}
        WHERE day = ANY(CAST(:cut AS date[])) AND (first_at < :from_at OR last_at >= :to_at) AND {part.where("client")}
        GROUP BY client, day
    """  # noqa: S608
    values = {"cut": list(days.cut), "from_at": part.from_at, "to_at": part.to_at, **part.values}
    return [(client, day, first_at) for client, day, first_at in await connection.execute(text(query), values)]
