"""How long a caller in a line may have to wait."""

from __future__ import annotations

import math


def expected_seconds(place: int, agents: int, handling_seconds: float) -> float | None:
    """How long the caller at a place, from 1, waits on average for one of so many agents, all of whom are busy, each
    of them for `handling_seconds` with a caller on average. None where it is not known: nobody is there, or nobody
    knows how long they are busy.

    The queue-length estimator, (callers before + 1) / (agents x service rate): W. Whitt, "Predicting Queueing Delays",
    Management Science 45(6), 1999, 870-888; R. Ibrahim and W. Whitt, "Real-Time Delay Estimation Based on Delay
    History", Manufacturing & Service Operations Management 11(3), 2009, 397-415. It supposes that the agents serve
    this line alone and that nobody is let in before: where that is not so, it is too short.
    """
    if agents < 1 or handling_seconds <= 0:
        return None
    return place * handling_seconds / agents


def whole_minutes(seconds: float) -> int:
    """Rounded up, at least 1."""
    return max(1, math.ceil(seconds / 60))
