"""What the engine that leads says every second: that it lives, to a standby; and what it asks, whether it is alone.

Its beat is a global variable of Asterisk's, which changes each time: a standby reads it, and takes an engine whose beat
stands still for stopped (`watching`). A variable costs no write to a disk, and a PBX that starts anew has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from callrouter.asterisk import codec
from callrouter.asterisk.batch import Batch
from callrouter.asterisk.leading.claim import sessions_of
from callrouter.asterisk.leading.place import Seen, counted
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.session import AmiSession
from callrouter.logs import Outage
from callrouter.runtime.fence import FENCE_SECONDS, Fence, boot_seconds

log = structlog.get_logger(__name__)

BEAT_SECONDS: Final = 1.0
BEAT: Final = "CR_BEAT"
"""Asterisk's global variable: changes while the engine that leads lives."""
STANDBY: Final = "CR_STANDBY"
"""The same, of an engine that waits for the place."""
STANDBY_SECONDS: Final = 3.0
"""A standby whose variable stood still for so long is none."""


class Heartbeat:
    """Of one engine; `claimed` is told each session of it that has the place."""

    def __init__(self, address: AmiAddress, fence: Fence, now: Callable[[], float] = boot_seconds) -> None:
        self._address = address
        self._fence = fence
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._standby, self._standby_at = "", 0.0
        self._beat_at: float | None = None
        self._held_up = False
        self._rivals = Outage(
            log,
            "another session is logged in as the engine's AMI user: it may do nothing, but it keeps a standby out",
            "the engine's AMI user is logged in once",
            level="warning",
        )

    @property
    def has_standby(self) -> bool:
        """Whether another engine waits for the place, as far as it says so."""
        return self._standby_at > 0 and self._now() - self._standby_at < STANDBY_SECONDS

    @property
    def was_held_up(self) -> bool:
        """Whether this process was stopped for so long that another may lead, and nothing has shown since that none
        does.

        A PBX that does not answer holds nobody up: the beats go on.
        """
        return self._held_up or (self._beat_at is not None and self._now() - self._beat_at > FENCE_SECONDS)

    def claimed(self, session: AmiSession) -> None:
        """Beat by this session until it is over."""
        self._held_up = self.was_held_up
        if session.lost.done():
            self._beat_at = None
            return
        self._beat_at = now = self._now()
        batch = Batch(session)
        batch.post("Setvar", {"Variable": BEAT, "Value": f"{now:.3f}"})
        count = batch.request("Getvar", sessions_of(self._address))
        standby = batch.request("Getvar", {"Variable": STANDBY})
        count.add_done_callback(partial(self._count_told, now))
        standby.add_done_callback(self._standby_told)
        batch.write()
        self._loop.call_later(BEAT_SECONDS, self.claimed, session)

    def _count_told(self, asked_at: float, told: asyncio.Future[codec.AmiMessage]) -> None:
        sessions = _value(told)
        if not sessions.isdecimal():
            return
        self._fence.proved(asked_at)
        self._held_up = self._held_up and not self._fence.holds  # the answer may be as old as the stop
        if counted(int(sessions)) is Seen.ALONE:
            self._rivals.ended()
        else:
            self._rivals.failed(f"{sessions} sessions")

    def _standby_told(self, told: asyncio.Future[codec.AmiMessage]) -> None:
        """What was there before the first look may be of one that is dead."""
        value, before = _value(told), self._standby
        self._standby = value
        if value and before and value != before:
            self._standby_at = self._now()


def _value(told: asyncio.Future[codec.AmiMessage]) -> str:
    """What a variable holds; empty when the session ended, or Asterisk did not say."""
    return "" if told.cancelled() or told.exception() is not None else told.result()["Value"]
