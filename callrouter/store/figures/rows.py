"""Rows of days and months that are right: kept ones, and the calls where those are not, in one snapshot.

Not right is a day of which a mark says that a call came since (`figure_marks`), all days of a client that are kept in
another zone than is asked for, or not at all, and a day of which a part only is in the period, unless all of its
journeys are in it.

Days whose calls may be gone (`kept_from`) are always read as they are kept: nothing else is known of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.figures.asking import THESE, Grouping, Part
from callrouter.store.figures.days import Days
from callrouter.store.figures.making import DOUBLES, Kind, Pieces
from callrouter.store.figures.months import months_of, read_parts
from callrouter.store.figures.summed import APART, OF_DAYS, PROMISE, Promises, Summed
from callrouter.store.figures.zones import Zones

_MONTH_OF_STALE: Final = "date_trunc('month', stale.day)::date"
_LONGEST_DAY: Final = timedelta(hours=36)
_KEYS: Final[Mapping[Grouping, str]] = {
    Grouping.DID: "did",
    Grouping.VERSION: "plan_version",
    Grouping.QUEUE: "queue",
    Grouping.DAY: "day",
    Grouping.WEEKDAY: "extract(isodow FROM day)::int",
    Grouping.MONTH: "date_trunc('month', day)::date",
}

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
    unkept = {
        client
        for client in marks.keys() | zones.kept.keys()
        if part.has(client) and zones.kept.get(client) != zones.basis(client, part.zone.key)
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
        for client, day, first_at in cut:
            zones.must_be_whole(client, day, first_at)
        stale |= {(client, day) for client, day, _ in cut}
    found = await read_parts(connection, zones, part, days, kind, by, joined, unkept=unkept, stale=stale)
    columns = [
        "plan_version",
        "first_at",
        *summed,
        *joined,
        *(APART[one] for one in by if one in APART),
    ]
    stale |= found.cut
    pieces = await _pieces(connection, zones, days, sorted(unkept), sorted(stale), by_day=not OF_DAYS.isdisjoint(by))
    months = months_of(days, by).whole
    source, values = _united(zones, part, days, months, kind, columns, sorted(unkept), sorted(stale), pieces)
    with_hours = Grouping.HOUR in by
    keys = [_KEYS[one] for one in by if one in _KEYS]
    if with_hours:
        values["changing"] = list(days.changing)
    keys.append("CASE WHEN day = ANY(CAST(:changing AS date[])) THEN day END" if with_hours else "NULL::date")
    sums = [
        "min(first_at)",
        *(f"sum({name})" if name in DOUBLES else f"sum({name})::int" for name in summed),
        *(f"string_agg({name}, ''::bytea)" for name in joined),
    ]
    made = _by_client if Grouping.CLIENT in by else _by_promise
    rows = (await connection.execute(text(made(source, keys, sums)), values)).all()
    promises = Promises()
    return [*found.rows, *(_summed(row, len(keys), len(summed), promises) for row in rows)]


def _by_client(source: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """The promise is looked for once for each client and version: there are fewer than days."""
    named = [f"{key} AS key_{number}" for number, key in enumerate(keys)]
    return f"""
        WITH counted AS MATERIALIZED (
            SELECT {", ".join(("client", "plan_version", *named, *sums))}
            FROM ({source}) AS rows GROUP BY {_places(2 + len(keys))}
        )
        SELECT {", ".join(f"promises.{name}" for name in PROMISE)}, counted.*
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
        SELECT {", ".join(f"promises.{name}" for name in PROMISE)}, '', counted.*
        FROM counted LEFT JOIN promises ON promises.promise_id = counted.promise_id
    """  # noqa: S608 - made of our own words


def _places(many: int) -> str:
    return ", ".join(str(place + 1) for place in range(many))


def _summed(row: Row[Any], keys: int, summed: int, promises: Promises) -> Summed:
    promise_id, promise = promises.of(row[: len(PROMISE)])
    client, _, *values = row[len(PROMISE) :]
    return Summed(
        client=client,
        keys=tuple(values[: keys - 1]),
        changing_day=values[keys - 1],
        promise_id=promise_id,
        promise=promise,
        first_at=values[keys],
        sums=values[keys + 1 : keys + 1 + summed],
        joined=values[keys + 1 + summed :],
    )


async def _pieces(  # noqa: PLR0913, RUF100
    connection: AsyncConnection,
    zones: Zones,
    days: Days,
    unkept: Sequence[str],
    stale: Sequence[tuple[str, date]],
    *,
    by_day: bool,
) -> Pieces:
    """What is to be counted from the calls. If it is not asked `by_day`, the day and the quarters of an hour of some
    rows are not theirs.
    """
    pieces = Pieces(kept_from=zones.kept_from)
    for client, day in stale:
        pieces.add(client, days.piece(day))
    for client, its in (await _spans(connection, days, unkept) if by_day else dict.fromkeys(unkept, days)).items():
        for piece in map(its.piece, its) if by_day else (its.whole,):
            pieces.add(client, piece)
    return pieces


def _united(  # noqa: PLR0913, RUF100
    zones: Zones,
    part: Part,
    days: Days,
    months: Sequence[date],
    kind: Kind,
    columns: Sequence[str],
    unkept: Sequence[str],
    stale: Sequence[tuple[str, date]],
    pieces: Pieces,
) -> tuple[str, dict[str, Any]]:
    """A query for rows of days, all of which are right, with those of whole months, and its parameters."""
    values: dict[str, Any] = {"first": days.first, "last": days.last, **part.values}
    whose = part.where("client")
    if unkept:
        whose += f" AND (client <> ALL(CAST(:unkept AS text[])){_or_frozen(zones, unkept)})"
        values["unkept"] = list(unkept)
    of_days, of_months = "day >= CAST(:first AS date) AND day <= CAST(:last AS date)", "TRUE"
    if stale:
        frozen = _or_frozen(zones, {client for client, _ in stale})
        of_days += f" AND ({_but(kind.table, 'day')}{frozen})"
        of_months += f" AND ({_but(kind.months, 'month', _MONTH_OF_STALE)}{frozen})"
        values |= {"stale_clients": [client for client, _ in stale], "stale_days": [day for _, day in stale]}
    values |= _borders(zones, {*unkept, *(client for client, _ in stale)})
    names = ", ".join(columns)
    source = f"SELECT client, day, {names} FROM {kind.table} WHERE {whose} AND {of_days}"  # noqa: S608
    if months:
        values["months"] = list(months)
        source += f"""
            UNION ALL SELECT client, month AS day, {names} FROM {kind.months}
            WHERE {whose} AND month = ANY(CAST(:months AS date[])) AND {of_months}
        """  # noqa: S608
    if len(pieces):
        source += f" UNION ALL {kind.select(columns)}"
        values |= pieces.values | zones.names
    return source, values


def _but(table: str, column: str, stale: str = "stale.day") -> str:
    """The condition that a row is not of a stale day, or of its month."""
    return (
        "NOT EXISTS (SELECT FROM unnest(CAST(:stale_clients AS text[]), CAST(:stale_days AS date[])) AS"
        f" stale(client, day) WHERE stale.client = {table}.client AND {stale} = {table}.{column})"
    )


def _or_frozen(zones: Zones, clients: Collection[str]) -> str:
    """That the calls of a row may be gone, if some of these have such rows: it is right whatever else is so."""
    if zones.kept_from.keys().isdisjoint(clients):
        return ""
    return (
        " OR EXISTS (SELECT FROM unnest(CAST(:frozen AS text[]), CAST(:borders AS timestamptz[])) AS"
        " frozen(name, from_at) WHERE frozen.name = client AND first_at < frozen.from_at)"
    )


def _borders(zones: Zones, clients: Collection[str]) -> dict[str, Any]:
    """Its parameters."""
    borders = {client: zones.kept_from[client] for client in clients if client in zones.kept_from}
    return {"frozen": list(borders), "borders": list(borders.values())} if borders else {}


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


async def _cut(connection: AsyncConnection, part: Part, days: Days, kind: Kind) -> list[tuple[str, date, datetime]]:
    """Clients and days of which a part only is in the period, and some journeys are not; when the first rang."""
    query = f"""
        SELECT client, day, min(first_at) FROM {kind.table}
        WHERE day = ANY(CAST(:cut AS date[])) AND (first_at < :from_at OR last_at >= :to_at) AND {part.where("client")}
        GROUP BY client, day
    """  # noqa: S608
    values = {"cut": list(days.cut), "from_at": part.from_at, "to_at": part.to_at, **part.values}
    return [(client, day, first_at) for client, day, first_at in await connection.execute(text(query), values)]
