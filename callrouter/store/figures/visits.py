"""Figures of queues: of visits to them, not of journeys. A journey that passes three queues has three visits.

entered = answered + abandoned + overflowed (time-out, full, nobody logged in) + exited (chose another way) + failed +
those whose end nobody saw. A visit counts on the day on which its journey rang, and by the promise of the version that
the journey walked; its waiting time is its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from callrouter.core.call import QueueOutcome
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping, Part, bounds_of, parts_of
from callrouter.store.figures.days import clock_hours
from callrouter.store.figures.encoding import EACH_VISIT, bytes_of, seconds_of, split, visits_counted
from callrouter.store.figures.making import OF_VISITS
from callrouter.store.figures.measuring import waits_of
from callrouter.store.figures.model import DEFAULT_TARGET, Waits
from callrouter.store.figures.rows import ONE_INSTANT, read_marks, read_summed
from callrouter.store.figures.summed import Summed
from callrouter.store.figures.zones import Zones, read_zones
from callrouter.store.gaps import Gap, gaps_within

_SUMMED: Final = ("entered", *(f"was_{outcome.value}" for outcome in QueueOutcome), "offers")
_JOINED: Final = ("waits", "lost")
_OF_HOURS: Final = ("quarters", "kinds", "rings")
_NONE: Final = [0] * len(QueueOutcome)
_NOBODY: Final = seconds_of(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """The figures of some visits. Shares are 0 to 1, or None without any visit to share."""

    entered: int
    by_outcome: Mapping[QueueOutcome, int]
    """Every outcome, in the order of the enumeration; those whose end nobody saw have none."""
    offers: int
    """Rings of agents."""
    answered_within: int
    """Within T, each by the promise of its journey."""
    waiting: Waits
    """Of answered visits."""
    abandoned_waiting: Waits

    @property
    def overflowed(self) -> int:
        """The queue gave up."""
        return sum(count for outcome, count in self.by_outcome.items() if outcome.overflowed)

    @property
    def unseen(self) -> int:
        """Those whose end nobody saw."""
        return self.entered - sum(self.by_outcome.values())

    @property
    def answered_share(self) -> float | None:
        """Answered over entered."""
        return self.by_outcome[QueueOutcome.ANSWERED] / self.entered if self.entered else None

    @property
    def answered_within_share(self) -> float | None:
        """Answered within T over entered: the formula `strict`, of visits."""
        return self.answered_within / self.entered if self.entered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGroup:
    """The figures of visits that are alike in what was asked for."""

    keys: tuple[Any, ...]
    """The values of the groupings, in their order."""
    within_seconds: Sequence[float]
    """The thresholds by which they were judged, each once."""
    figures: QueueFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """The figures of visits in a period."""

    from_at: datetime
    """When it begins for the first client: included."""
    to_at: datetime
    """When it ends for the last one: not included."""
    groups: list[QueueGroup]
    """Those that have visits, in the order of their keys."""
    total: QueueGroup
    """All of them together, of the same instant."""
    gaps: list[Gap]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visits:
    """Some that are judged by one threshold."""

    within_seconds: float
    entered: int
    by_outcome: Sequence[int]
    offers: int
    waits: bytes
    lost: bytes


async def read_queues(
    database: Database,
    period: Period,
    *,
    by: Sequence[Grouping],
    now: datetime,
    clients: Sequence[str] | None = None,
    zone: ZoneInfo | None = None,
) -> Queues:
    """The figures of visits to queues, by whatever is asked for: the queue, the client, the day ... but no number.

    The arguments are those of `store.stats.read_figures`.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins in every client's zone, or visits are asked for by the number that
            was dialled.
    """
    if Grouping.DID in by:
        raise ValueError("visits to queues are not kept by the number that was dialled: ask for journeys by it")
    joined = (*_JOINED, *(_OF_HOURS if Grouping.HOUR in by else ()))
    keyed: dict[tuple[Any, ...], list[_Visits]] = {}
    async with database.connection() as connection:
        await connection.execute(ONE_INSTANT)
        zones = await read_zones(connection, clients)
        parts = parts_of(zones, period, now, clients, zone)
        marks = await read_marks(connection, parts)
        for part in parts:
            rows = await read_summed(connection, zones, marks, part, by, OF_VISITS, _SUMMED, joined)
            for keys, visits in _keyed(rows, zones, part, by):
                keyed.setdefault(keys, []).append(visits)
        from_at, to_at = bounds_of(parts, zone or zones.operators)
        gaps = await gaps_within(connection, from_at, to_at)
    groups = [_group(keys, visits) for keys, visits in sorted(keyed.items())]
    total = _group((), [one for visits in keyed.values() for one in visits])
    return Queues(from_at=from_at, to_at=to_at, groups=groups, total=total, gaps=gaps)


def _keyed(
    rows: Iterable[Summed], zones: Zones, part: Part, by: Sequence[Grouping]
) -> Iterator[tuple[tuple[Any, ...], _Visits]]:
    known = [one for one in by if one not in (Grouping.CLIENT, Grouping.HOUR)]
    for row in rows:
        values: dict[Grouping, Any] = dict(zip(known, row.keys, strict=True))
        values[Grouping.CLIENT] = zones.present.get(row.client, row.client)
        within_seconds = (row.promise or DEFAULT_TARGET).within_seconds
        if Grouping.HOUR not in by:
            entered, *by_outcome, offers = row.sums
            waits, lost = row.joined
            visits = _Visits(
                within_seconds=within_seconds,
                entered=entered,
                by_outcome=by_outcome,
                offers=offers,
                waits=waits,
                lost=lost,
            )
            yield tuple(values[one] for one in by), visits
            continue
        for hour, visits in _by_hour(row, within_seconds, part.zone):
            values[Grouping.HOUR] = hour
            yield tuple(values[one] for one in by), visits


def _by_hour(row: Summed, within_seconds: float, zone: ZoneInfo) -> Iterator[tuple[int, _Visits]]:
    waits, lost, quarters, kinds, rings = row.joined
    hours = np.array(clock_hours(row.changing_day, zone), dtype=np.int16)[bytes_of(quarters)]
    kept = {"kinds": kinds, "waits": waits, "lost": lost, "rings": rings}
    for hour, its in split(EACH_VISIT, kept, hours):
        entered, *by_outcome, offers = visits_counted(its)
        yield (
            hour,
            _Visits(
                within_seconds=within_seconds,
                entered=entered,
                by_outcome=by_outcome,
                offers=offers,
                waits=its["waits"],
                lost=its["lost"],
            ),
        )


def _group(keys: tuple[Any, ...], visits: Sequence[_Visits]) -> QueueGroup:
    waits = [seconds_of(one.waits) for one in visits]
    within = sum(int((seconds <= one.within_seconds).sum()) for one, seconds in zip(visits, waits, strict=True))
    counts = [sum(column) for column in zip(_NONE, *(one.by_outcome for one in visits), strict=True)]
    figures = QueueFigures(
        entered=sum(one.entered for one in visits),
        by_outcome=dict(zip(QueueOutcome, counts, strict=True)),
        offers=sum(one.offers for one in visits),
        answered_within=within,
        waiting=waits_of(np.sort(np.concatenate([_NOBODY, *waits]))),
        abandoned_waiting=waits_of(np.sort(np.concatenate([_NOBODY, *(seconds_of(one.lost) for one in visits)]))),
    )
    return QueueGroup(keys=keys, within_seconds=sorted({one.within_seconds for one in visits}), figures=figures)
