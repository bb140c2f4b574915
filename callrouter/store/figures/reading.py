"""What is read of days: kept rows where they are right, the calls themselves where they are not, in one snapshot.

Not right is a day of which a mark says that a call came since (`figure_marks`), all days of a client that are kept in
another zone than is asked for, or not at all, and a day of which a part only is in the period, unless all of its
journeys are in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import Disposition
from callrouter.core.service_level import Promise
from callrouter.periods import Period
from callrouter.store.figures.days import Days
from callrouter.store.figures.making import OF_JOURNEYS, Kind, Pieces
from callrouter.store.figures.zones import Zones
from callrouter.store.promises import promise_of_row

ALL: Final = "true"
THESE: Final = "{client} = ANY(CAST(:these AS text[]))"
ALL_BUT: Final = "{client} <> ALL(CAST(:these AS text[]))"


class Grouping(StrEnum):
    """By what figures are asked for."""

    CLIENT = "client"
    DID = "did"
    """The number that was dialled."""
    VERSION = "version"
    """Of the client's plan."""
    QUEUE = "queue"
    DAY = "day"
    """Of the client's zone, as are all that follow."""
    WEEKDAY = "weekday"
    """1 is Monday (ISO 8601)."""
    MONTH = "month"
    """By its first day."""
    HOUR = "hour"
    """That clocks show, 0 to 23, in which the journey rang; of a visit, in which it entered the queue."""


@dataclass(frozen=True, slots=True)
class Part:
    """Clients whose days are cut alike, and the instants at which the period begins and ends for them."""

    zone: ZoneInfo
    from_at: datetime
    to_at: datetime
    whose: str
    """A condition on the client of a row, where these are `:these`."""
    clients: Sequence[str]
    """As calls name them."""

    @property
    def is_empty(self) -> bool:
        """Whether the period ends before it begins."""
        return self.from_at >= self.to_at

    def has(self, client: str) -> bool:
        """Whether a client is of it, by the name that a call has."""
        return self.whose == ALL or (client in self.clients) == (self.whose == THESE)

    def where(self, client: str) -> str:
        """The condition, on a column."""
        return self.whose.format(client=client)

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        return {} if self.whose == ALL else {"these": list(self.clients)}


def parts_of(
    zones: Zones, period: Period, now: datetime, clients: Sequence[str] | None, zone: ZoneInfo | None = None
) -> list[Part]:
    """One for each zone; that of the operator has the calls of nobody too.

    Args:
        zones: of all clients.
        period: what is asked for.
        now: the present instant.
        clients: who is asked for, as they are called now; None: all.
        zone: in which all days are cut; None: each client's own.
    """
    operators = zone or zones.operators
    if clients is None and zone is not None:
        return [Part(zone, *period.within(zone, now), ALL, ())]
    wanted = _names(zones, clients)
    by_zone: dict[str, list[str]] = {}
    for name, own in wanted.items():
        by_zone.setdefault(zone.key if zone else own, []).append(name)
    if clients is not None:
        return [_part(key, period, now, THESE, names) for key, names in by_zone.items()]
    elsewhere = {key: names for key, names in by_zone.items() if key != operators.key}
    others = [name for names in elsewhere.values() for name in names]
    parts = [_part(key, period, now, THESE, names) for key, names in elsewhere.items()]
    return [*parts, _part(operators.key, period, now, ALL_BUT if others else ALL, others)]


def _part(key: str, period: Period, now: datetime, whose: str, clients: Sequence[str]) -> Part:
    zone = ZoneInfo(key)
    return Part(zone, *period.within(zone, now), whose, clients)


def _names(zones: Zones, clients: Sequence[str] | None) -> dict[str, str]:
    """The name of each client's zone, by every name under which its calls may stand."""
    owners = zones.in_service if clients is None else clients
    own = {name: zones.in_service.get(name, zones.operators.key) for name in owners}
    return own | {former: own[name] for former, name in zones.present.items() if name in own}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Journeys of one client and version, as far as they are alike in what is asked for."""

    client: str
    """As its calls name it."""
    keys: tuple[Any, ...]
    """The values of the groupings that SQL knows, in their order."""
    promise_id: int | None
    promise: Promise | None
    """None: none is known for the version."""
    first_at: datetime
    received: int
    offered: int
    by_disposition: Sequence[int]
    """In the order of the enumeration."""
    talk_seconds: float
    waits: bytes
    lost: bytes
    reached_after: bytes
    changing_day: date | None = None
    """With hours: which day it is of, where the clocks change on it."""
    talks: bytes = b""
    quarters: bytes = b""
    kinds: bytes = b""


PROMISE_COLUMNS: Final = (
    *("promise_id", "within_seconds", "target", "short_abandon_seconds", "formula", "clock", "timezone"),
)
_COUNTED: Final = ("received", "offered", *(one.value for one in Disposition))
_LONGEST_DAY: Final = timedelta(hours=36)
_EACH: Final = ("waits", "lost", "reached_after")
_KEYS: Final[Mapping[Grouping, str]] = {
    Grouping.DID: "did",
    Grouping.VERSION: "plan_version",
    Grouping.QUEUE: "queue",
    Grouping.DAY: "day",
    Grouping.WEEKDAY: "extract(isodow FROM day)::int",
    Grouping.MONTH: "date_trunc('month', day)::date",
}
_NEEDED: Final[Mapping[Grouping, Sequence[str]]] = {
    Grouping.DID: ("did",),
    Grouping.QUEUE: ("queue",),
    Grouping.HOUR: ("talks", "quarters", "kinds"),
}


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


async def read_tallies(
    connection: AsyncConnection, zones: Zones, marks: Marks, part: Part, by: Sequence[Grouping] = ()
) -> list[Tally]:
    """Journeys of a part, in a transaction that sees one instant; those of no client and version are left out.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if part.is_empty:
        return []
    days = Days(part.zone, part.from_at, part.to_at)
    columns = ("plan_version", "first_at", *_COUNTED, "talk_seconds", *_EACH)
    columns += tuple(name for one in by for name in _NEEDED.get(one, ()))
    source, values = await _source(connection, zones, marks, part, days, OF_JOURNEYS, columns)
    keys = [_KEYS[one] for one in by if one in _KEYS]
    keys += ["CASE WHEN day = ANY(CAST(:changing AS date[])) THEN day END"] * (Grouping.HOUR in by)
    summed = [
        "min(first_at)",
        *(f"sum({name})::int" for name in _COUNTED),
        *(
            "sum(talk_seconds)",
            "string_agg(waits, ''::bytea)",
            "string_agg(lost, ''::bytea)",
            "string_agg(reached_after, ''::bytea)",
        ),
        *(f"string_agg({name}, ''::bytea)" for name in _NEEDED[Grouping.HOUR] if Grouping.HOUR in by),
    ]
    named = [f"{key} AS key_{number}" for number, key in enumerate(keys)]
    query = f"""
        WITH counted AS MATERIALIZED (
            SELECT {", ".join(["client", "plan_version", *named, *summed])}
            FROM ({source}) AS rows GROUP BY {", ".join(str(place + 1) for place in range(2 + len(keys)))}
        )
        SELECT {", ".join(f"promises.{name}" for name in PROMISE_COLUMNS)}, counted.*
        FROM counted LEFT JOIN plans ON plans.client = counted.client AND plans.version = counted.plan_version
            LEFT JOIN promises ON promises.promise_id = plans.promise_id
    """  # noqa: S608 - made of our own words
    if Grouping.HOUR in by:
        values["changing"] = list(days.changing)
    rows = (await connection.execute(text(query), values)).all()
    promises: dict[int, Promise] = {}
    return [_tally(row, len(keys), promises, with_hours=Grouping.HOUR in by) for row in rows]


def _tally(row: Row[Any], keys: int, promises: dict[int, Promise], *, with_hours: bool) -> Tally:
    promised, values = row[: len(PROMISE_COLUMNS)], row[len(PROMISE_COLUMNS) :]
    known, summed = values[2 : 2 + keys], values[2 + keys :]
    first_at, received, offered, *rest = summed
    by_disposition, others = rest[: len(Disposition)], rest[len(Disposition) :]
    talk_seconds, waits, lost, reached_after, *more = others
    talks, quarters, kinds = more or (b"", b"", b"")
    promise_id: int | None = promised[0]
    if promise_id is not None and promise_id not in promises:
        promises[promise_id] = promise_of_row(dict(zip(PROMISE_COLUMNS, promised, strict=True)))
    return Tally(
        client=values[0],
        keys=tuple(known[:-1] if with_hours else known),
        promise_id=promise_id,
        promise=None if promise_id is None else promises[promise_id],
        first_at=first_at,
        received=received,
        offered=offered,
        by_disposition=by_disposition,
        talk_seconds=talk_seconds,
        waits=waits,
        lost=lost,
        reached_after=reached_after,
        changing_day=known[-1] if with_hours else None,
        talks=talks,
        quarters=quarters,
        kinds=kinds,
    )


async def _source(  # noqa: PLR0913, RUF100
    connection: AsyncConnection,
    zones: Zones,
    marks: Marks,
    part: Part,
    days: Days,
    kind: Kind,
    columns: Sequence[str],
) -> tuple[str, dict[str, Any]]:
    """A query for rows of days, all of which are right, and its parameters."""
    unkept = {
        client
        for client in {*marks, *zones.kept}
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
        stale |= {pair for pair in await _cut(connection, part, days, kind) if pair[0] not in unkept}
    pieces = Pieces()
    for client, day in sorted(stale):
        pieces.add(client, days.piece(day))
    for client in sorted(unkept):
        for day in days:
            pieces.add(client, days.piece(day))
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
        where.append("client <> ALL(CAST(:unkept AS text[]))")
        values["unkept"] = list(unkept)
    if stale:
        where.append(
            f"NOT EXISTS (SELECT FROM unnest(CAST(:stale_clients AS text[]), CAST(:stale_days AS date[])) AS"
            f" stale(client, day) WHERE stale.client = {kind.table}.client AND stale.day = {kind.table}.day)"
        )
        values |= {"stale_clients": [client for client, _ in stale], "stale_days": [day for _, day in stale]}
    source = f"SELECT {names} FROM {kind.table} WHERE {' AND '.join(where)}"  # noqa: S608
    if len(pieces):
        source += f" UNION ALL {kind.select(columns)}"
        values |= pieces.values | zones.names
    return source, values


async def _cut(connection: AsyncConnection, part: Part, days: Days, kind: Kind) -> Iterator[tuple[str, date]]:
    """Clients and days of which a part only is in the period, and some journeys are not."""
    query = f"""
        SELECT DISTINCT client, day FROM {kind.table}
        WHERE day = ANY(CAST(:cut AS date[])) AND (first_at < :from_at OR last_at >= :to_at) AND {part.where("client")}
    """  # noqa: S608
    values = {"cut": list(days.cut), "from_at": part.from_at, "to_at": part.to_at, **part.values}
    return ((client, day) for client, day in await connection.execute(text(query), values))
