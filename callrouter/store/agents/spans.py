"""Times as pairs of instants, many at once: cut at the ends of days, and laid over each other. Pure.

Instants are integers, microseconds after 2000-01-01 UTC, as PostgreSQL sends them: sums of them are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
LASTS: Final = np.iinfo(np.int64).max
"""The end of what has none yet: PostgreSQL's infinity."""
SECOND: Final = 1_000_000
_MICROSECOND: Final = timedelta(microseconds=1)


def instant(at: datetime) -> int:
    """As an integer."""
    return (at - EPOCH) // _MICROSECOND


def instants(sent: bytes | None) -> Integers:
    """Those that PostgreSQL has sent one behind the other (`timestamptz_send`); None: none."""
    return np.frombuffer(sent or b"", dtype=">i8").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Spans:
    """Times, each with the code of what it belongs to; none ends before it begins."""

    starts: Integers
    ends: Integers
    codes: Integers

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int, int]]) -> Self:
        """Of beginning, end and code each."""
        columns = np.array(list(spans), dtype=np.int64).reshape(-1, 3)
        return cls.until(columns[:, 0], columns[:, 1], columns[:, 2], now=LASTS)

    @classmethod
    def until(cls, starts: Integers, ends: Integers, codes: Integers, *, now: int) -> Self:
        """What lasts ends now."""
        return cls(starts, np.maximum(np.where(ends == LASTS, now, ends), starts), codes)

    def __len__(self) -> int:
        return len(self.starts)

    def where(self, chosen: Any) -> Spans:
        """Some of them."""
        return Spans(self.starts[chosen], self.ends[chosen], self.codes[chosen])

    def with_more(self, others: Spans) -> Spans:
        """These, and others behind them."""
        columns = ((self.starts, others.starts), (self.ends, others.ends), (self.codes, others.codes))
        return Spans(*(np.concatenate(pair) for pair in columns))


NO_SPANS: Final = Spans.of(())


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is left of times that were cut: of which, in which part of the period, and how long in microseconds."""

    of: Integers
    parts: Integers
    lengths: Integers


def cut(spans: Spans, bounds: Integers) -> Pieces:
    """Times cut where the parts of a period begin and end (`bounds`, one more than parts); what is outside falls away.

    Most lie in one part: only the others are looked at again.
    """
    first = np.searchsorted(bounds, spans.starts, side="right") - 1
    last = np.searchsorted(bounds, spans.ends, side="left") - 1
    inside = (first >= 0) & (last < len(bounds) - 1) & (first >= last)
    of, parts = np.flatnonzero(inside), first[inside]
    lengths = spans.ends[inside] - spans.starts[inside]
    within = parts < len(bounds) - 1
    found = [(of[within], parts[within], lengths[within])]
    for one in np.flatnonzero(~inside):
        its = np.arange(max(first[one], 0), min(last[one], len(bounds) - 2) + 1)
        long = np.minimum(spans.ends[one], bounds[its + 1]) - np.maximum(spans.starts[one], bounds[its])
        found.append((np.full(len(its), one), its, long))
    return Pieces(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def part_of(at: Integers, bounds: Integers) -> Integers:
    """In which part of a period instants lie; -1, or the number of parts: in none."""
    return np.searchsorted(bounds, at, side="right") - 1


def near(at: Integers, spans: Spans) -> NDArray[np.bool_]:
    """Which of these instants lie in one of the spans, or two seconds beside it, as two clocks may have it."""
    if not len(spans):
        return np.zeros(len(at), dtype=np.bool_)
    order = np.argsort(spans.starts)
    latest = np.maximum.accumulate(spans.ends[order])
    before = np.searchsorted(spans.starts[order], at + 2 * SECOND, side="right")
    found: NDArray[np.bool_] = (before > 0) & (latest[before - 1] + 2 * SECOND >= at)
    return found


class Timeline:
    """A period in steps: from one instant at which anything changes to the next one."""

    def __init__(self, bounds: Integers, spans: Sequence[Spans]) -> None:
        """The steps of a period's parts, by all that begins or ends in it."""
        changes = [bounds, *(one.starts for one in spans), *(one.ends for one in spans)]
        self._at = np.unique(np.concatenate(changes).clip(bounds[0], bounds[-1]))
        self._lengths = np.diff(self._at)
        self._parts = part_of(self._at[:-1], bounds)
        self._of_parts = len(bounds) - 1

    def covered(self, spans: Spans) -> NDArray[np.bool_]:
        """At which steps any of these lasts."""
        began = np.bincount(self._steps(spans.starts), minlength=len(self._at))
        over = np.bincount(self._steps(spans.ends), minlength=len(self._at))
        covered: NDArray[np.bool_] = np.cumsum(began - over)[:-1] > 0
        return covered

    def latest(self, spans: Spans) -> Integers:
        """At each step, the code of those that last that began last; -1: none lasts."""
        codes = np.full(len(self._lengths), -1, dtype=np.int64)
        order = np.lexsort((spans.ends, spans.starts))
        began, over = self._steps(spans.starts), self._steps(spans.ends)
        for one in order:
            codes[began[one] : over[one]] = spans.codes[one]
        return codes

    def seconds(self, steps: NDArray[np.bool_]) -> Numbers:
        """How long these steps are in each part of the period."""
        lengths = np.where(steps, self._lengths, 0)
        sums = np.add.reduceat(lengths, np.searchsorted(self._parts, np.arange(self._of_parts)))
        return sums / SECOND

    def _steps(self, at: Integers) -> Integers:
        return np.searchsorted(self._at, at.clip(self._at[0], self._at[-1]))
