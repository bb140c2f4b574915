"""Silence, from what a telephone heard."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.notes import Stretch


def longest_silence(
    heard: Sequence[Stretch], quiet: Sequence[tuple[float, float]], since: float, until: float
) -> float:
    """Seconds of the longest stretch without a sound between two instants; what is `quiet` counts as sound."""
    covered = sorted([*((one.since, one.until) for one in heard), *quiet])
    longest, at = 0.0, since
    for begin, end in covered:
        if begin >= until:
            break
        longest = max(longest, begin - at)
        at = max(at, end)
    return max(longest, until - at)
