"""A caller's channel in AsyncAGI: what is true of it and cannot be read off one event."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Final

from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.translate import ROUTINE_LEASE_SECONDS, Kind, Order

LEASE_GUARD_SECONDS: Final = 0.25
"""What is written so shortly before the end of a lease may come too late. A result is there 3 s before."""


@dataclass(frozen=True, slots=True)
class Left:
    """Why, and since when, control is lost, unless the timer is overtaken by a hang-up."""

    timer: asyncio.TimerHandle
    reason: str
    at: datetime


@dataclass(slots=True, eq=False)
class Line:
    """A caller's channel, as long as it lives."""

    call_id: str
    uniqueid: str
    channel: ChannelActions
    entries: int = 1
    """AsyncAGI starts less ends."""
    hanging_up: bool = False
    lost: bool = False
    left: Left | None = None
    """AsyncAGI has ended; it will show whether the channel has, too."""
    step: int = 0
    kind: Kind | None = None
    """What the last command of the present batch is."""
    keys_wanted: int = 0
    """Keys after which the running command ends by itself; 0: none ends it."""
    nudge: asyncio.TimerHandle | None = None
    music: asyncio.TimerHandle | None = None
    """Starts hold music, should the answer that is waited for take long."""
    music_plays: bool = False
    injected: int = 0
    recording: str = ""
    recording_at: datetime | None = None
    written_at: float = 0.0
    """When the measured command was written (perf_counter)."""
    lease_ends_at: float = inf
    """When Asterisk takes the channel back, should nothing be written before (perf_counter)."""
    taken: bool = False
    """The channel shows that an engine has the call."""
    unsent: Order | None = None
    """What was decided and is still to be done: when the link is back, or the measured command has its result."""
    outstanding: list[bytes] = field(default_factory=list)
    """Commands since there was none whose result had not come."""
    awaited: int = 0
    """How many of them have no result yet."""

    def lease(self, seconds: float, now: float) -> None:
        """Note the lease that is written now (perf_counter); in a routine none runs."""
        self.lease_ends_at = now + seconds - LEASE_GUARD_SECONDS if seconds < ROUTINE_LEASE_SECONDS else inf

    def stop_nudging(self) -> None:
        """The command that did not see its key has ended."""
        if self.nudge is not None:
            self.nudge.cancel()
            self.nudge = None

    def stop_music_timer(self) -> None:
        """The answer that was waited for is there."""
        if self.music is not None:
            self.music.cancel()
            self.music = None

    def stop_timers(self) -> None:
        """Nothing is commanded any more, or all is known."""
        self.stop_nudging()
        self.stop_music_timer()
        if self.left is not None:
            self.left.timer.cancel()
            self.left = None
