"""The time, once for the whole engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

log = structlog.get_logger(__name__)

LARGEST_SLEW: Final = timedelta(seconds=5)
"""A clock that is this much behind was set, by somebody who knows better; less is the ordinary correction of drift."""


class SystemClock:
    """The machine's clock, moved by a fixed shift when tomorrow's hours are being rehearsed today."""

    def __init__(self, shift_seconds: float = 0.0) -> None:
        self._shift = timedelta(seconds=shift_seconds)
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """An aware UTC datetime, not before an earlier one: no wait is negative because drift was corrected.

        A clock that was set back by more than `LARGEST_SLEW` is followed: standing still until the time has caught up
        would date hours of calls to one instant.
        """
        at = datetime.now(UTC)
        if self._shift:
            at += self._shift
        if at < self._last:
            if self._last - at <= LARGEST_SLEW:
                return self._last
            log.warning("the system clock was set back", seconds=(self._last - at).total_seconds())
        self._last = at
        return at
