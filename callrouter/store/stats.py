"""The service figures of a period, computed from journeys and nothing else: by client, and by promise.

A journey belongs to the period in which it rang, and is judged by what the version of the plan that it walked
promised (`promises`): whatever is promised later changes no figure. Its waiting time is what it spent in queues and
dials, from entry into service; answered within T means T or less, a short abandon is one below the client's limit.
`answered` counts journeys bridged to a human (answered and redirected). Handle time is talk time here: hold and
wrap-up are not recorded yet. A rate without anything to divide by is None, never 0.

A journey that was recorded under a former name of a client (`plans`) is the client's.

A journey whose version is not kept, or is kept without a promise, is judged by `DEFAULT_TARGET`, and listed apart: a
caller of an unknown number, a version whose row is still to be written, or whose document did not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import Disposition
from callrouter.core.service_level import (
    Formula,
    Promise,
    ServiceCounts,
    ServiceLevelTarget,
    WaitingClock,
    abandon_rate,
    mean_seconds,
    pickup_rate,
    service_level,
)
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.gaps import Gap, gaps_between
from callrouter.store.outgoing.called_back import delays, percentile
from callrouter.store.plans import present_names
from callrouter.store.promises import operators_zone, promise_in_service, promise_of_row, zones_in_service

DEFAULT_TARGET = ServiceLevelTarget()

_MEASURED_FROM = {WaitingClock.ENTERED_SERVICE: "entry into service"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Waiting times of some journeys, in seconds; None without any."""

    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None


NO_WAITS = Waits(mean_seconds=None, p50_seconds=None, p90_seconds=None, p95_seconds=None, max_seconds=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some journeys. Shares are 0 to 1, or None without any call to share."""

    received: int
    by_disposition: Mapping[Disposition, int]
    """Every disposition, in the order of the enumeration; their sum is `received`."""
    counts: ServiceCounts
    """The journeys that reached a human-service node, each by its own promise."""
    service_levels: Mapping[Formula, float | None]
    """By every formula, each journey by its own T and limit."""
    pickup_rate: float | None
    """Answered over offered, short abandons left out."""
    abandon_rate: float | None
    """Abandoned over offered, short abandons left out of both."""
    waiting: Waits
    """Of answered journeys; its mean is the ASA."""
    abandoned_waiting: Waits
    """Of abandoned journeys: what the figures of those who were answered do not show."""
    aht_seconds: float | None
    """Mean talk time of answered journeys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseStats:
    """The figures of those of a client's journeys that are judged by one promise."""

    promise: Promise | None
    """None: no promise is known for the version they walked, and `DEFAULT_TARGET` stands in."""
    figures: Figures

    @property
    def target(self) -> ServiceLevelTarget:
        """T, limit and formula that the figures were made with."""
        return self.promise or DEFAULT_TARGET

    @property
    def service_level(self) -> float | None:
        """By the promise's own formula."""
        return self.figures.service_levels[self.target.formula]

    @property
    def basis(self) -> str:
        """What the service level was made with, to be shown beside it."""
        target = self.target
        return (
            f"{target.formula}: T = {target.within_seconds:g} s, "
            f"short abandon below {target.short_abandon_seconds:g} s, waiting from {_MEASURED_FROM[target.clock]}"
            + ("" if self.promise else "; the default, because no promise is known for the plan these calls walked")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStats:
    """One client's figures: of all its journeys, and of those under each promise."""

    client: str
    from_at: datetime
    """The period as it is in the client's time zone: included."""
    to_at: datetime
    """Not included."""
    figures: Figures
    promises: Sequence[PromiseStats]
    """One, unless what is promised changed in the period; in the order in which they were first made."""
    called_back: int = 0
    """Journeys that asked for a callback or were abandoned, and whose caller was reached later; they stay what they
    were."""
    called_back_after: Waits = NO_WAITS
    """From the wish, or from giving up, until they were reached."""

    @property
    def target(self) -> ServiceLevelTarget | None:
        """Of the one promise; None when there are several: each has its own."""
        return self.promises[0].target if len(self.promises) == 1 else None

    @property
    def service_level(self) -> float | None:
        """Of the one promise; None when there are several: no total stands for different promises."""
        return self.promises[0].service_level if len(self.promises) == 1 else None

    @property
    def basis(self) -> str:
        """What the service level was made with, to be shown beside it."""
        if len(self.promises) == 1:
            return self.promises[0].basis
        return f"{len(self.promises)} promises in this period: each has a service level of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The figures of a period, which begins and ends for each client as its own clocks say."""

    from_at: datetime
    """When it begins for the first client, in the operator's zone: included."""
    to_at: datetime
    """When it ends for the last one: not included."""
    clients: list[ClientStats]
    gaps: list[Gap]
    """Times in the period in which calls may be missing."""


async def read_stats(database: Database, period: Period, *, now: datetime, client: str | None = None) -> Stats:
    """The figures of every client that had calls in the period, by name; or of one client, calls or not.

    A client's days are those of the time zone that its plan in service names. A client without one (calls to numbers
    of nobody) has the operator's: the zone that most clients have, else UTC.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, in every client's zone.
    """
    async with database.connection() as connection:
        # Calls come meanwhile: parts and totals must be those of one instant.
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        present = await present_names(connection)
        zones = await zones_in_service(connection, client) or await zones_in_service(connection)
        zones = {name: zone for name, zone in zones.items() if name == client or name not in present}
        operators = operators_zone(zones)
        if client is not None:
            zone = ZoneInfo(zones[client]) if client in zones else operators
            renamed = {name: now_called for name, now_called in present.items() if now_called == client}
            parts = [_Part(*period.within(zone, now), _THESE, [client, *renamed], renamed)]
        else:
            parts = _parts(zones, present, period, now, operators)
        if all(part.from_at >= part.to_at for part in parts):
            raise ValueError("the period ends before it begins")
        found = [one for part in parts for one in await _stats_of(connection, part)]
        if client is not None and not found:
            found = [_without_calls(client, parts[0], await promise_in_service(connection, client))]
    from_at = min(part.from_at for part in parts).astimezone(operators)
    to_at = max(part.to_at for part in parts).astimezone(operators)
    gaps = await gaps_between(database, from_at, to_at)
    return Stats(from_at=from_at, to_at=to_at, clients=sorted(found, key=lambda one: one.client), gaps=gaps)


@dataclass(frozen=True, slots=True)
class _Part:
    """Clients whose period begins and ends at the same instants."""

    from_at: datetime
    to_at: datetime
    whose: str
    """A condition on `calls`, where these clients are `:clients`."""
    clients: Sequence[str]
    present: Mapping[str, str]
    """By former name: the client's present one."""

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the queries."""
        values: dict[str, Any] = {"from_at": self.from_at, "to_at": self.to_at}
        if self.whose != _ALL:
            values["clients"] = self.clients
        if self.present:
            values |= {"former": list(self.present), "present": list(self.present.values())}
        return values


def _parts(
    zones: Mapping[str, str], present: Mapping[str, str], period: Period, now: datetime, operators: ZoneInfo
) -> list[_Part]:
    """One, unless days begin at different instants for the clients; the operator's has the calls of nobody too."""
    bounds = {zone: period.within(ZoneInfo(zone), now) for zone in {operators.key, *zones.values()}}
    names = dict(zones) | {former: zones[client] for former, client in present.items() if client in zones}
    elsewhere: dict[tuple[datetime, datetime], list[str]] = {}
    for name, zone in names.items():
        if bounds[zone] != bounds[operators.key]:
            elsewhere.setdefault(bounds[zone], []).append(name)
    parts = [_Part(*begins_and_ends, _THESE, theirs, present) for begins_and_ends, theirs in elsewhere.items()]
    others = [name for theirs in elsewhere.values() for name in theirs]
    return [*parts, _Part(*bounds[operators.key], _ALL_BUT if others else _ALL, others, present)]


_ALL = "true"
_THESE = "calls.client = ANY(CAST(:clients AS text[]))"
_ALL_BUT = "calls.client <> ALL(CAST(:clients AS text[]))"


async def _stats_of(connection: AsyncConnection, part: _Part) -> list[ClientStats]:
    query = _by_promise(part.whose, renamed=bool(part.present))
    rows = (await connection.execute(text(query), part.values)).mappings().all()
    parts = {name: list(found) for name, found in groupby(rows, key=_client_of)}
    several = [name for name, found in parts.items() if len(found) > 1]
    percentiles = await _percentiles_of_all(connection, part, several) if several else {}
    reached = await delays(connection, part.whose, part.values, part.present)
    return [
        _client_stats(name, part, rows, percentiles.get(name, {}), sorted(reached.get(name, ())))
        for name, rows in parts.items()
    ]


def _client_of(row: RowMapping) -> str:
    return str(row["client"])


async def _percentiles_of_all(
    connection: AsyncConnection, part: _Part, clients: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """By client: median, p90 and p95 of each of `_WAITS` over all promises; they are no sums of the parts'."""
    names = [*clients, *(former for former, client in part.present.items() if client in clients)]
    query = _waiting(renamed=bool(part.present))
    rows = await connection.execute(text(query), {**part.values, "clients": names})
    return {row["client"]: dict(row) for row in rows.mappings()}


def _client_stats(
    client: str, part: _Part, rows: Sequence[RowMapping], percentiles: Mapping[str, Any], reached: list[float]
) -> ClientStats:
    """`percentiles` are those of all rows, needed when there are several; `reached` is sorted."""
    promises = [
        PromiseStats(promise=None if row["promise_id"] is None else promise_of_row(row), figures=_figures(row))
        for row in rows
    ]
    figures = promises[0].figures if len(rows) == 1 else _figures({**_total(rows), **percentiles})
    return ClientStats(
        client=client,
        from_at=part.from_at,
        to_at=part.to_at,
        figures=figures,
        promises=promises,
        called_back=len(reached),
        called_back_after=_delays(reached),
    )


def _delays(seconds: list[float]) -> Waits:
    if not seconds:
        return NO_WAITS
    p50, p90, p95 = (percentile(seconds, share) for share in (0.5, 0.9, 0.95))
    mean = sum(seconds) / len(seconds)
    return Waits(mean_seconds=mean, p50_seconds=p50, p90_seconds=p90, p95_seconds=p95, max_seconds=seconds[-1])


def _without_calls(client: str, part: _Part, promise: Promise | None) -> ClientStats:
    figures = _figures(_total([]))
    promises = [PromiseStats(promise=promise, figures=figures)]
    return ClientStats(client=client, from_at=part.from_at, to_at=part.to_at, figures=figures, promises=promises)


def _total(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """What adds up, and the longest waits."""
    total: dict[str, Any] = {name: sum(row[name] or 0 for row in rows) for name in _ADD_UP}
    for name in (f"{name}_max" for name in _WAITS):
        total[name] = max((row[name] for row in rows if row[name] is not None), default=None)
    return total


def _figures(row: Mapping[Any, Any]) -> Figures:
    answered, abandoned = row["reached"], row["abandoned"]
    counts = ServiceCounts(
        answered=answered,
        abandoned=abandoned,
        answered_within=row["reached_within"],
        abandoned_within=row["abandoned_within"],
        short_abandoned=row["short_abandoned"],
        overflowed=row["offered"] - answered - abandoned,
    )
    return Figures(
        received=row["received"],
        by_disposition={disposition: row[disposition.value] for disposition in Disposition},
        counts=counts,
        service_levels={formula: service_level(counts, formula) for formula in Formula},
        pickup_rate=pickup_rate(counts),
        abandon_rate=abandon_rate(counts),
        waiting=_waits(row, "waiting", answered),
        abandoned_waiting=_waits(row, "abandoned_waiting", abandoned),
        aht_seconds=mean_seconds(row["talk_total"] or 0.0, answered),
    )


def _waits(row: Mapping[Any, Any], name: str, journeys: int) -> Waits:
    p50, p90, p95 = row.get(name) or (None, None, None)
    return Waits(
        mean_seconds=mean_seconds(row[f"{name}_total"] or 0.0, journeys),
        p50_seconds=p50,
        p90_seconds=p90,
        p95_seconds=p95,
        max_seconds=row[f"{name}_max"],
    )


_WAITS = {"waiting": "reached", "abandoned_waiting": "abandoned"}
"""By the name of their columns: whose waiting times are given."""

_ADD_UP = (
    *("received", "offered", "reached", "reached_within", "abandoned_within", "short_abandoned"),
    *(f"{name}_total" for name in _WAITS),
    "talk_total",
    *(disposition.value for disposition in Disposition),
)
"""Columns whose values are sums over journeys."""

_BY_DISPOSITION = ", ".join(f"count(*) FILTER (WHERE disposition = '{d.value}') AS {d.value}" for d in Disposition)

_KINDS = "disposition IN ('answered', 'redirected') AS reached, disposition = 'abandoned' AS abandoned"

_PERCENTILES = "percentile_cont(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY waiting_seconds)"


def _waiting_columns() -> str:
    """Percentiles, sum and longest of the waiting times of each kind of journeys."""
    return ", ".join(
        f"{made} FILTER (WHERE {whose}) AS {column}"
        for name, whose in _WAITS.items()
        for made, column in (
            (_PERCENTILES, name),
            ("sum(waiting_seconds)", f"{name}_total"),
            ("max(waiting_seconds)", f"{name}_max"),
        )
    )


_RENAMED = (
    "LEFT JOIN unnest(CAST(:former AS text[]), CAST(:present AS text[])) AS renamed(former, present)"
    " ON renamed.former = calls.client"
)


def _present_name(renamed: bool) -> tuple[str, str]:
    """The client of a call as it is called now, and the join that knows it: none where nobody was renamed."""
    return ("coalesce(renamed.present, calls.client)", _RENAMED) if renamed else ("calls.client", "")


def _by_promise(whose: str, *, renamed: bool) -> str:
    """The query for the calls that pass a condition on their client; a client's promises in order of first use.

    Statements apart instead of one with a condition that may be empty: PostgreSQL would plan it once for all.
    """
    name, join = _present_name(renamed)
    return f"""
WITH promised AS (
    SELECT client, version, promise_id, within_seconds, short_abandon_seconds
    FROM plans JOIN promises USING (promise_id) WHERE {whose.replace("calls.", "plans.")}
), journeys AS (
    SELECT {name} AS client, promise_id, ringing_at, disposition, waiting_seconds, talk_seconds,
        entered_service_at IS NOT NULL AS entered,
        {_KINDS},
        waiting_seconds <= coalesce(within_seconds, {DEFAULT_TARGET.within_seconds}) AS in_time,
        waiting_seconds < coalesce(short_abandon_seconds, {DEFAULT_TARGET.short_abandon_seconds}) AS was_short
    FROM calls LEFT JOIN promised ON promised.client = calls.client AND promised.version = calls.plan_version
    {join}
    WHERE ringing_at >= :from_at AND ringing_at < :to_at AND {whose}
), figures AS (
    SELECT client, promise_id, min(ringing_at) AS first_at, count(*) AS received, {_BY_DISPOSITION},
        count(*) FILTER (WHERE entered) AS offered,
        count(*) FILTER (WHERE reached) AS reached,
        count(*) FILTER (WHERE reached AND in_time) AS reached_within,
        count(*) FILTER (WHERE abandoned AND in_time) AS abandoned_within,
        count(*) FILTER (WHERE abandoned AND was_short) AS short_abandoned,
        {_waiting_columns()},
        sum(talk_seconds) FILTER (WHERE reached) AS talk_total
    FROM journeys GROUP BY client, promise_id
)
SELECT * FROM figures LEFT JOIN promises USING (promise_id) ORDER BY client, first_at
"""  # noqa: S608 - made of our own words and numbers


def _waiting(*, renamed: bool) -> str:
    """The query for percentiles over all promises of some clients."""
    name, join = _present_name(renamed)
    return f"""
SELECT client, {", ".join(f"{_PERCENTILES} FILTER (WHERE {whose}) AS {name}" for name, whose in _WAITS.items())}
FROM (
    SELECT {name} AS client, waiting_seconds, {_KINDS} FROM calls {join}
    WHERE ringing_at >= :from_at AND ringing_at < :to_at AND calls.client = ANY(CAST(:clients AS text[]))
) AS journeys
GROUP BY client
"""  # noqa: S608 - made of our own words
