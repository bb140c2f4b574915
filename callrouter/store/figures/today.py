"""Each client's figures of today so far, for Prometheus: what `read_stats` says of the same calls, counted in the
database.

The engine asks, beside live calls: so no times are fetched and sorted, but numbers, a row for each client and promise;
and nothing is imported that would be large. Today is each client's own, on its own clocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.service_level import Formula, ServiceCounts, service_level
from callrouter.periods import Moment, Period
from callrouter.runtime.watch import Watch
from callrouter.store.database import Database
from callrouter.store.figures.asking import Part, parts_of
from callrouter.store.figures.model import DEFAULT_TARGET
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.gaps import gaps_within

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 15.0
STALE_SECONDS: Final = 6 * LOOK_SECONDS
"""What was seen so long ago is not today's any more: whoever asks is told nothing."""
SLICE: Final = 50
"""Clients reckoned without a pause: some 0.2 ms, after which the loop may serve its callers."""
TODAY: Final = Period(Moment(0), None)

_REACHED: Final = "calls.disposition IN ('answered', 'redirected') AND calls.waiting_seconds IS NOT NULL"
_ABANDONED: Final = "calls.disposition = 'abandoned' AND calls.waiting_seconds IS NOT NULL"
_COUNTED: Final = f"""
    SELECT calls.client, plans.promise_id, min(promises.formula) AS formula,
        count(*)::int AS received,
        count(calls.entered_service_at)::int AS offered,
        (count(*) FILTER (WHERE {_REACHED}))::int AS answered,
        (count(*) FILTER (WHERE {_ABANDONED}))::int AS abandoned,
        (count(*) FILTER (WHERE {_REACHED} AND calls.waiting_seconds <= {{within}}))::int AS answered_within,
        (count(*) FILTER (WHERE {_ABANDONED} AND calls.waiting_seconds <= {{within}}))::int AS abandoned_within,
        (count(*) FILTER (WHERE {_ABANDONED} AND calls.waiting_seconds < {{short}}))::int AS short_abandoned
    FROM calls
        LEFT JOIN plans ON plans.client = calls.client AND plans.version = calls.plan_version
        LEFT JOIN promises ON promises.promise_id = plans.promise_id
    WHERE calls.ringing_at >= :from_at AND calls.ringing_at < :to_at AND {{whose}}
    GROUP BY calls.client, plans.promise_id
"""  # noqa: S608 - made of our own words


_ONE_INSTANT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientToday:
    """A client's day so far."""

    received: int
    counts: ServiceCounts
    """Journeys that reached human service, each by its own promise."""
    promises: Mapping[int | None, tuple[Formula, ServiceCounts]]
    """The same, by promise."""

    @property
    def offered(self) -> int:
        """Journeys that reached human service."""
        return self.counts.offered

    @property
    def answered(self) -> int:
        """Those that were bridged to a human."""
        return self.counts.answered

    @property
    def abandoned(self) -> int:
        """Those whose caller gave up."""
        return self.counts.abandoned

    @property
    def service_level(self) -> float | None:
        """Of the one promise; None when there are several: no total stands for different promises."""
        if len(self.promises) != 1:
            return None
        ((formula, counts),) = self.promises.values()
        return service_level(counts, formula)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Everybody's."""

    clients: Mapping[str, ClientToday]
    """Those that had calls, by the names they have now."""
    gap_seconds: float
    """For how long nobody watched, of the operator's day."""


async def read_today(database: Database, now: datetime) -> Today:
    """Count now.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    found: dict[str, list[Any]] = {}
    async with database.connection() as connection:
        await connection.execute(_ONE_INSTANT)
        zones = await read_zones(connection)
        for part in parts_of(zones, TODAY, now, None):
            for row in await _count(connection, part):
                found.setdefault(zones.present.get(row.client, row.client), []).append(row)
        gap_seconds = await _gap_seconds(connection, zones, now)
    clients: dict[str, ClientToday] = {}
    for number, (client, rows) in enumerate(found.items(), start=1):
        clients[client] = _today(rows)
        if number % SLICE == 0:
            await asyncio.sleep(0)
    return Today(clients=clients, gap_seconds=gap_seconds)


async def _count(connection: AsyncConnection, part: Part) -> list[Any]:
    if part.is_empty:
        return []
    query = _COUNTED.format(
        within=f"coalesce(promises.within_seconds, {DEFAULT_TARGET.within_seconds:g})",
        short=f"coalesce(promises.short_abandon_seconds, {DEFAULT_TARGET.short_abandon_seconds:g})",
        whose=part.where("calls.client"),
    )
    values = {"from_at": part.from_at, "to_at": part.to_at, **part.values}
    return list((await connection.execute(text(query), values)).all())


async def _gap_seconds(connection: AsyncConnection, zones: Zones, now: datetime) -> float:
    midnight = Moment(0).within(zones.operators, now).astimezone(UTC)
    gaps = await gaps_within(connection, midnight, now)
    spans = sorted((max(gap.from_at, midnight), min(gap.until_at or now, now)) for gap in gaps)
    seconds, seen_until = 0.0, midnight
    for from_at, until_at in spans:  # those of two PBXs may overlap
        seconds += max(0.0, (until_at - max(from_at, seen_until)).total_seconds())
        seen_until = max(seen_until, until_at)
    return seconds


def _today(rows: list[Any]) -> ClientToday:
    by_promise: dict[int | None, tuple[Formula, ServiceCounts]] = {}
    for row in rows:
        formula = Formula(row.formula) if row.formula else DEFAULT_TARGET.formula
        counted = _counts(row)
        if row.promise_id in by_promise:  # under two names of the client
            counted = _together([by_promise[row.promise_id][1], counted])
        by_promise[row.promise_id] = formula, counted
    return ClientToday(
        received=sum(row.received for row in rows),
        counts=_together([counts for _, counts in by_promise.values()]),
        promises=by_promise,
    )


def _counts(row: Any) -> ServiceCounts:
    return ServiceCounts(
        answered=row.answered,
        abandoned=row.abandoned,
        answered_within=row.answered_within,
        abandoned_within=row.abandoned_within,
        short_abandoned=row.short_abandoned,
        overflowed=row.offered - row.answered - row.abandoned,
    )


def _together(counts: list[ServiceCounts]) -> ServiceCounts:
    return ServiceCounts(
        answered=sum(one.answered for one in counts),
        abandoned=sum(one.abandoned for one in counts),
        answered_within=sum(one.answered_within for one in counts),
        abandoned_within=sum(one.abandoned_within for one in counts),
        short_abandoned=sum(one.short_abandoned for one in counts),
        overflowed=sum(one.overflowed for one in counts),
    )


class TodayWatch(Watch[Today]):
    """Looks from time to time."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """`now` is the clock calls are stamped by."""
        super().__init__(lambda: read_today(database, now()), "today's figures are", stale_seconds=STALE_SECONDS)
