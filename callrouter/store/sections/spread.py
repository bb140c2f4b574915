"""How delays are spread: exact, of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from callrouter.store.figures.measuring import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of so many delays, in seconds; None: of none."""

    count: int = 0
    mean_seconds: float | None = None
    p50_seconds: float | None = None
    p90_seconds: float | None = None
    p95_seconds: float | None = None
    max_seconds: float | None = None


def spread_of(delays: Iterable[float] | None) -> Spread:
    """Of these; nothing ends before it began, whatever two clocks say."""
    known = sorted(max(0.0, one) for one in delays or ())
    if not known:
        return Spread()
    p50, p90, p95 = (percentile(known, share) for share in (0.5, 0.9, 0.95))
    return Spread(
        count=len(known),
        mean_seconds=sum(known) / len(known),
        p50_seconds=p50,
        p90_seconds=p90,
        p95_seconds=p95,
        max_seconds=known[-1],
    )
