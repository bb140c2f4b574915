"""The control round trip, measured on live calls: one in 20 ms, and one of a call at most."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from callrouter.runtime.ports import Meter

MEASURED_STEP: Final = 2
"""From this one on: a call's first would time the set-up of the call as well."""
MEASURE_EVERY_SECONDS: Final = 0.02
"""A measured command costs Asterisk and us a tenth of a millisecond: where calls are many, a sample is enough."""


class RoundTrips:
    """Says when the next one is due, and passes on what was measured; one for all lines."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._due_at = 0.0

    def take(self, now: float) -> bool:
        """Whether one is due (`perf_counter`); the caller of this then measures it."""
        if now < self._due_at:
            return False
        self._due_at = now + MEASURE_EVERY_SECONDS
        return True

    def ended(self, written_at: float) -> None:
        """The result of a command written at that time (`perf_counter`) is there."""
        self._meter.observe_round_trip(perf_counter() - written_at)
