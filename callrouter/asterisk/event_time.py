"""When Asterisk saw what it tells: the time stamp of its events, by this machine's clock.

`timestampevents` (manager.conf) writes the PBX's clock into each event. What the two clocks are apart is known from
pings, whose answers always carry it: the error is at most half of a ping's way there and back, and of the last few
the quickest counts. So an event that a stalled link or a held-up process reads late is dated to when it happened,
whatever the PBX's clock says. An event without a stamp, or read at once, happened now.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from callrouter.asterisk import codec

LATE_SECONDS: Final = 0.002
"""An event that was read sooner was read at once: no clock need be compared."""
PINGS: Final = 8
SLOWEST_PING_SECONDS: Final = 0.5
"""A ping that took longer says too little about the clocks."""
_STAMP: Final = b"\r\nTimestamp: "


class EventTime:
    """Of one PBX. `now` is this machine's clock, in seconds since 1970."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._pings: deque[tuple[float, float]] = deque(maxlen=PINGS)
        """How long each took there and back, and what the PBX's clock is behind ours."""
        self._behind: float | None = None

    def connected(self) -> None:
        """It may be another PBX from now on, or its clock set."""
        self._pings.clear()
        self._behind = None

    def ping(self) -> Callable[[str], None]:
        """A ping leaves now; call what is returned with the time stamp of its answer."""
        sent_at = self._now()

        def answered(stamp: str) -> None:
            took = self._now() - sent_at
            seconds = _seconds(stamp)
            if seconds is not None and 0 <= took <= SLOWEST_PING_SECONDS:
                self._pings.append((took, sent_at + took / 2 - seconds))
                self._behind = min(self._pings)[1]

        return answered

    def late_seconds(self, block: bytes) -> float:
        """How long ago Asterisk wrote this event; 0 when that was just now, or cannot be known."""
        if self._behind is None:
            return 0.0
        # The first one: Asterisk writes its own before all that others have a say in (manager.c).
        start = block.find(_STAMP)
        if start < 0:
            return 0.0
        start += len(_STAMP)
        seconds = _seconds(block[start : block.find(b"\r\n", start)])
        late = 0.0 if seconds is None else self._now() - self._behind - seconds
        return late if late >= LATE_SECONDS else 0.0


def stamp_of(pong: codec.AmiMessage) -> str:
    """The time stamp of a ping's answer."""
    return pong["Timestamp"]


def _seconds(stamp: str | bytes) -> float | None:
    try:
        return float(stamp)
    except ValueError:
        return None
