"""When Asterisk saw what it tells: the time stamp of its events, by this machine's clock.

`timestampevents` (manager.conf) writes the PBX's clock into each event. What the two clocks are apart is known from
pings, whose answers always carry it: the error is at most half of a ping's way there and back, and of the last few
the quickest counts. So an event that a stalled link or a held-up process reads late is dated to when it happened,
whatever the PBX's clock says. An event without a stamp, or read at once, happened now.

Both clocks may be set meanwhile. Ours is one that nobody sets (`time.monotonic`). That the PBX's was set shows in a
ping that does not fit those before; and AMI answers in order, so an event that seems older than a ping that was
answered since is not late: its clock was set back.
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
SET_SECONDS: Final = 1.0
"""A clock that is this much from where it must be was set."""
_STAMP: Final = b"\r\nTimestamp: "


class EventTime:
    """Of one PBX. `now` counts seconds, and nobody sets it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pings: deque[tuple[float, float]] = deque(maxlen=PINGS)
        """How long each took there and back, and what the PBX's clock is behind ours."""
        self._behind: float | None = None
        self._asked_at = 0.0
        """When the last ping that was answered left."""

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
            self._asked_at = sent_at
            if seconds is None:
                return
            behind = sent_at + took / 2 - seconds
            if self._behind is not None and abs(behind - self._behind) > took / 2 + SET_SECONDS:
                self.connected()  # what was known of the PBX's clock is known no more: it was set
            if took <= SLOWEST_PING_SECONDS:
                self._pings.append((took, behind))
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
        now = self._now()
        late = 0.0 if seconds is None else now - self._behind - seconds
        if late > now - self._asked_at + SET_SECONDS:
            self.connected()
            return 0.0
        return late if late >= LATE_SECONDS else 0.0


def stamp_of(pong: codec.AmiMessage) -> str:
    """The time stamp of a ping's answer."""
    return pong["Timestamp"]


def _seconds(stamp: str | bytes) -> float | None:
    try:
        return float(stamp)
    except ValueError:
        return None
