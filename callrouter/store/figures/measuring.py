"""From journeys as they are kept to figures: counts, shares, and exact percentiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from callrouter.core.call import Disposition
from callrouter.core.service_level import (
    Promise,
    ServiceCounts,
    ServiceLevelTarget,
    abandon_rate,
    mean_seconds,
    pickup_rate,
    service_levels,
)
from callrouter.store.figures.days import clock_hours
from callrouter.store.figures.encoding import (
    EACH_JOURNEY,
    QUARTER_SECONDS,
    Seconds,
    bytes_of,
    journeys_counted,
    seconds_of,
    split,
)
from callrouter.store.figures.model import DEFAULT_TARGET, NO_WAITS, Figures, PromiseStats, Waits
from callrouter.store.figures.reading import Tally

_DISPOSITIONS: Final = tuple(Disposition)
_NONE: Final = [0] * len(Disposition)


def by_promise(tallies: Iterable[Tally]) -> tuple[Figures, list[PromiseStats]]:
    """The figures of journeys, all together and by promise: the promise that was made use of first comes first."""
    parts: dict[int | None, list[Tally]] = {}
    for one in sorted(tallies, key=_first_at):
        parts.setdefault(one.promise_id, []).append(one)
    measured = [_Measured(part, part[0].promise) for part in parts.values()]
    promises = [PromiseStats(promise=one.promise, figures=one.figures()) for one in measured]
    figures = promises[0].figures if len(promises) == 1 else _Together(measured).figures()
    return figures, promises


def none_at_all(promise: Promise | None) -> tuple[Figures, list[PromiseStats]]:
    """The figures of no journeys."""
    figures = _Measured([], promise).figures()
    return figures, [PromiseStats(promise=promise, figures=figures)]


def _first_at(tally: Tally) -> tuple[int, float]:
    """By the quarter of an hour: of months nothing else is kept. What no promise is known for comes last then."""
    number = inf if tally.promise_id is None else tally.promise_id
    return int(tally.first_at.timestamp()) // QUARTER_SECONDS, number


class _Counted:
    """Journeys that are counted: what adds up, and their sorted waiting times."""

    received: int
    offered: int
    by_disposition: Sequence[int]
    talk_seconds: float
    reached_after: Seconds
    waits: Seconds
    lost: Seconds
    answered_within: int
    abandoned_within: int
    short_abandoned: int

    def figures(self) -> Figures:
        """Theirs."""
        answered, abandoned = len(self.waits), len(self.lost)
        counts = ServiceCounts(
            answered=answered,
            abandoned=abandoned,
            answered_within=self.answered_within,
            abandoned_within=self.abandoned_within,
            short_abandoned=self.short_abandoned,
            overflowed=self.offered - answered - abandoned,
        )
        return Figures(
            received=self.received,
            by_disposition=dict(zip(_DISPOSITIONS, self.by_disposition, strict=True)),
            counts=counts,
            service_levels=service_levels(counts),
            pickup_rate=pickup_rate(counts),
            abandon_rate=abandon_rate(counts),
            waiting=waits_of(self.waits),
            abandoned_waiting=waits_of(self.lost),
            aht_seconds=mean_seconds(self.talk_seconds, answered),
            called_back=len(self.reached_after),
            called_back_after=waits_of(self.reached_after),
        )


class _Measured(_Counted):
    """Those under one promise."""

    def __init__(self, tallies: Sequence[Tally], promise: Promise | None) -> None:
        self.promise = promise
        target: ServiceLevelTarget = promise or DEFAULT_TARGET
        self.received = sum(one.received for one in tallies)
        self.offered = sum(one.offered for one in tallies)
        self.by_disposition = _summed([one.by_disposition for one in tallies])
        self.talk_seconds = sum(one.talk_seconds for one in tallies)
        self.reached_after = _sorted(b"".join(one.reached_after for one in tallies))
        self.waits = _sorted(b"".join(one.waits for one in tallies))
        self.lost = _sorted(b"".join(one.lost for one in tallies))
        self.answered_within = int(self.waits.searchsorted(target.within_seconds, "right"))
        self.abandoned_within = int(self.lost.searchsorted(target.within_seconds, "right"))
        self.short_abandoned = int(self.lost.searchsorted(target.short_abandon_seconds, "left"))


class _Together(_Counted):
    """Those under several, each judged by its own."""

    def __init__(self, parts: Sequence[_Measured]) -> None:
        self.received = sum(one.received for one in parts)
        self.offered = sum(one.offered for one in parts)
        self.by_disposition = _summed([one.by_disposition for one in parts])
        self.talk_seconds = sum(one.talk_seconds for one in parts)
        self.reached_after = np.sort(np.concatenate([one.reached_after for one in parts]))
        self.waits = np.sort(np.concatenate([one.waits for one in parts]))
        self.lost = np.sort(np.concatenate([one.lost for one in parts]))
        self.answered_within = sum(one.answered_within for one in parts)
        self.abandoned_within = sum(one.abandoned_within for one in parts)
        self.short_abandoned = sum(one.short_abandoned for one in parts)


def _summed(counts: Sequence[Sequence[int]]) -> Sequence[int]:
    return counts[0] if len(counts) == 1 else [sum(column) for column in zip(_NONE, *counts, strict=True)]


def _sorted(kept: bytes) -> Seconds:
    seconds = seconds_of(kept)
    seconds.sort()
    return seconds


def waits_of(seconds: Seconds) -> Waits:
    """Of sorted times."""
    if not len(seconds):
        return NO_WAITS
    return Waits(
        mean_seconds=float(np.add.reduce(seconds)) / len(seconds),
        p50_seconds=_percentile(seconds, 0.5),
        p90_seconds=_percentile(seconds, 0.9),
        p95_seconds=_percentile(seconds, 0.95),
        max_seconds=seconds.item(-1),
    )


def _percentile(seconds: Seconds, share: float) -> float:
    place = share * (len(seconds) - 1)
    low = int(place)
    first = seconds.item(low)
    return first if low == place else first + (seconds.item(low + 1) - first) * (place - low)


def percentile(values: Sequence[float], share: float) -> float:
    """By linear interpolation, as PostgreSQL's percentile_cont; `values` are sorted, and there is one at least."""
    return _percentile(np.asarray(values, dtype=np.float64), share)


def by_hour(tallies: Iterable[Tally], zone: ZoneInfo) -> Iterator[tuple[int, Tally]]:
    """Journeys apart by the hour that clocks showed when they rang; of their kept times, what is of them."""
    for one in tallies:
        hours = np.array(clock_hours(one.changing_day, zone), dtype=np.int16)[bytes_of(one.quarters)]
        kept = {
            "kinds": one.kinds,
            "waits": one.waits,
            "lost": one.lost,
            "talks": one.talks,
            "reached_after": one.reached_after,
        }
        for hour, its in split(EACH_JOURNEY, kept, hours):
            received, offered, *by_disposition, talk_seconds = journeys_counted(its)
            yield (
                hour,
                Tally(
                    client=one.client,
                    keys=one.keys,
                    promise_id=one.promise_id,
                    promise=one.promise,
                    first_at=one.first_at,
                    received=received,
                    offered=offered,
                    by_disposition=by_disposition,
                    talk_seconds=talk_seconds,
                    waits=its["waits"],
                    lost=its["lost"],
                    reached_after=its["reached_after"],
                ),
            )
