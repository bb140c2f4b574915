"""The clock by which something is due: the one that people see, but for a step whose waits were not moved yet.

A clock may be set in the midst of a round. What waits is written down by the clock of before, and is looked for by it
until it has been moved; else all that was to wait for less than the step would be due in that round.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from callrouter.runtime.ports import Clock


class DueClock:
    """Of one worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.set_by = timedelta()
        """By so much the clock was set, and what waits was not moved."""

    def was_set(self, by: timedelta) -> None:
        """The clock was set by so much."""
        self.set_by += by

    def moved(self, by: timedelta) -> None:
        """What waits was moved by so much."""
        self.set_by -= by

    def now(self) -> datetime:
        """By the clock of before, as long as there is one."""
        shown = self._clock.now()  # which may say that it was set
        return shown - self.set_by

    def shown(self) -> datetime:
        """What the clock shows."""
        return self._clock.now()
