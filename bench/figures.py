"""Percentiles, and values written for people."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, nan


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed; nan when there is none."""
    if not values:
        return nan
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds, with two figures that count."""
    value = seconds * 1000
    if value != value:
        return "–"
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def p50_p99(values: Sequence[float]) -> str:
    """`0.14 / 0.51`, in milliseconds."""
    return f"{milliseconds(percentile(values, 50))} / {milliseconds(percentile(values, 99))}"
