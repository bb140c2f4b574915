"""The time, once for the whole engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock, moved by a fixed shift when tomorrow's hours are being rehearsed today."""

    def __init__(self, shift_seconds: float = 0.0) -> None:
        self._shift = timedelta(seconds=shift_seconds)

    def now(self) -> datetime:
        """An aware UTC datetime."""
        return datetime.now(UTC) + self._shift
