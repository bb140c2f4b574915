"""What a row of a report is computed from, and how several rows become one: a total, or "and n others".

Counts add up, means are weighed, the longest wait is the longest of all. What does not follow from the parts is None:
a percentile of several rows, and a service level over formulas, thresholds or limits that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from callrouter.core.call import Disposition
from callrouter.core.service_level import (
    Formula,
    ServiceCounts,
    ServiceLevelTarget,
    abandon_rate,
    pickup_rate,
    service_level,
)
from callrouter.store.figures.model import NO_WAITS, Figures, PromiseStats, Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The figures of some journeys, and those of the journeys under each promise."""

    figures: Figures
    promises: Sequence[PromiseStats]
    beside: Mapping[str, float | None] = field(default_factory=dict)
    """What is told beside the calls (`columns.BESIDE`): sums, but for percentiles, whose names end so."""

    @property
    def measured(self) -> ServiceLevelTarget | None:
        """How the service level is measured, where all that was promised is measured the same way."""
        targets = [part.target for part in self.promises]
        return targets[0] if targets and len({_measure(one) for one in targets}) == 1 else None

    @property
    def service_level(self) -> float | None:
        """By the formula that all its promises name; None where they differ: no total stands for that."""
        measured = self.measured
        return None if measured is None else service_level(self.figures.counts, measured.formula)

    @property
    def target(self) -> float | None:
        """The share that was promised, where one was."""
        targets = {part.promise.target if part.promise else None for part in self.promises}
        return targets.pop() if len(targets) == 1 else None

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None where there is none, or nothing to measure."""
        level, target = self.service_level, self.target
        return None if level is None or target is None else level >= target


def _measure(target: ServiceLevelTarget) -> tuple[object, ...]:
    return (target.formula, target.within_seconds, target.short_abandon_seconds, target.clock)


def alone(part: PromiseStats) -> Line:
    """A promise's part of a row, as a line of its own."""
    return Line(figures=part.figures, promises=[part])


def only_beside(beside: Mapping[str, float | None]) -> Line:
    """Of what is told beside calls, without any call."""
    return Line(figures=_summed([]), promises=(), beside=beside)


def ends(by_disposition: Mapping[Disposition, int]) -> Line:
    """Of journeys of which it is known how they ended, and nothing else."""
    figures = replace(_summed([]), received=sum(by_disposition.values()), by_disposition=by_disposition)
    return Line(figures=figures, promises=())


def together(lines: Sequence[Line]) -> Line:
    """Several lines as one; a single one stays as it is."""
    if len(lines) == 1:
        return lines[0]
    return Line(
        figures=_summed([line.figures for line in lines]),
        promises=[part for line in lines for part in line.promises],
        beside=_beside([line.beside for line in lines]),
    )


def _beside(parts: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: None if is_percentile(name) else sum(part.get(name) or 0 for part in parts) for name in names}


def is_percentile(name: str) -> bool:
    """Whether a figure that stands beside the calls is no sum."""
    return name.endswith(PERCENTILES)


PERCENTILES: Final = ("_p50_seconds", "_p90_seconds", "_p95_seconds", "_max_seconds")


def _summed(parts: Sequence[Figures]) -> Figures:
    counts = ServiceCounts(
        answered=sum(one.counts.answered for one in parts),
        abandoned=sum(one.counts.abandoned for one in parts),
        answered_within=sum(one.counts.answered_within for one in parts),
        abandoned_within=sum(one.counts.abandoned_within for one in parts),
        short_abandoned=sum(one.counts.short_abandoned for one in parts),
        overflowed=sum(one.counts.overflowed for one in parts),
    )
    return Figures(
        received=sum(one.received for one in parts),
        by_disposition={one: sum(part.by_disposition[one] for part in parts) for one in Disposition},
        counts=counts,
        service_levels={formula: service_level(counts, formula) for formula in Formula},
        pickup_rate=pickup_rate(counts),
        abandon_rate=abandon_rate(counts),
        waiting=_joined((one.waiting, one.counts.answered) for one in parts),
        abandoned_waiting=_joined((one.abandoned_waiting, one.counts.abandoned) for one in parts),
        aht_seconds=_mean((one.aht_seconds, one.counts.answered) for one in parts),
        called_back=sum(one.called_back for one in parts),
        called_back_after=_joined((one.called_back_after, one.called_back) for one in parts),
    )


def _joined(parts: Iterable[tuple[Waits, int]]) -> Waits:
    """Waiting times with how many journeys they are of."""
    found = [(waits, journeys) for waits, journeys in parts if waits.max_seconds is not None]
    if len(found) < 2:
        return found[0][0] if found else NO_WAITS
    return Waits(
        mean_seconds=_mean((waits.mean_seconds, journeys) for waits, journeys in found),
        p50_seconds=None,
        p90_seconds=None,
        p95_seconds=None,
        max_seconds=max(waits.max_seconds or 0.0 for waits, _ in found),
    )


def _mean(parts: Iterable[tuple[float | None, int]]) -> float | None:
    found = [(seconds, journeys) for seconds, journeys in parts if seconds is not None and journeys]
    journeys = sum(number for _, number in found)
    return sum(seconds * number for seconds, number in found) / journeys if journeys else None


NOTHING: Final = Line(figures=_summed([]), promises=())
"""Of no journey: nothing is promised for it."""
