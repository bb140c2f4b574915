"""The time, once for the whole engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock, moved by a fixed shift when tomorrow's hours are being rehearsed today."""

    def __init__(self, shift_seconds: float = 0.0) -> None:
        self._shift = timedelta(seconds=shift_seconds)
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """An aware UTC datetime, never before an earlier one: no wait is negative when the clock is set back."""
        self._last = max(self._last, datetime.now(UTC) + self._shift)
        return self._last
