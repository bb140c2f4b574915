"""The time, once for the whole engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import structlog

log = structlog.get_logger(__name__)

LARGEST_SLEW: Final = timedelta(seconds=5)
"""A clock that is this much off was set, by somebody who knows better; less is the ordinary correction of drift."""

_SLEW_SECONDS: Final = LARGEST_SLEW.total_seconds()
_NOTHING: Final = timedelta()


class SystemClock:
    """The machine's clock, moved by a fixed shift when tomorrow's hours are being rehearsed today."""

    def __init__(self, shift_seconds: float = 0.0, *, steady: Callable[[], float] = monotonic) -> None:
        """`steady` counts seconds that nobody sets."""
        self._shift = timedelta(seconds=shift_seconds)
        self._last = datetime.min.replace(tzinfo=UTC)
        self._steady = steady
        self._then = steady()
        self._on_set: tuple[Callable[[timedelta], None], ...] = ()

    def tells(self, on_set: Callable[[timedelta], None]) -> None:
        """Subscribe, besides all others: who is told by how much the clock was set, before it tells a time by the new
        one. They ask it for no time then.
        """
        self._on_set = (*self._on_set, on_set)

    def now(self) -> datetime:
        """An aware UTC datetime, not before an earlier one: no wait is negative because drift was corrected.

        A clock that was set by more than `LARGEST_SLEW` is followed: standing still until the time has caught up would
        date hours of calls to one instant.
        """
        at = datetime.now(UTC)
        if self._shift:
            at += self._shift
        steady = self._steady()
        passed, self._then = steady - self._then, steady
        by_clock = at - self._last
        if passed <= _SLEW_SECONDS and _NOTHING <= by_clock <= LARGEST_SLEW:  # every call asks seven times: no more
            self._last = at
            return at
        set_by = by_clock - timedelta(seconds=passed)
        if abs(set_by) > LARGEST_SLEW and self._last.year > 1:
            log.warning("the system clock was set", seconds=set_by.total_seconds())
            for told in self._on_set:
                told(set_by)
        elif at < self._last:
            return self._last
        self._last = at
        return at
