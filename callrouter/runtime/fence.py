"""Whether what this engine does outside Asterisk is still its to do.

On the PBX the fence is the session: another engine leads only after ours has ended, and what we send then reaches
nobody. A web service knows nothing of that. So who may have a successor asks here before it asks one: the place was
proved so short a time ago that nobody can have taken it since (`asterisk.leading`: a standby ends a session that has
been silent for longer), and the session by which it was proved has not ended: whose line is cut may have a successor
at once.

A process that was stopped, or a machine that slept, must not believe that no time has passed: the clock is one that
goes on (CLOCK_BOOTTIME, clock_gettime(2)).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

FENCE_SECONDS: Final = 2.5
"""How long a proof lasts, from when it was asked for."""


def boot_seconds() -> float:
    """A clock that nobody sets, and that goes on while the process is stopped or the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Fence:
    """Of one engine; one that can have no successor while it lives needs no proof."""

    def __init__(self, *, needs_proof: bool, now: Callable[[], float] = boot_seconds) -> None:
        self._now = now
        self._until_seconds = 0.0 if needs_proof else float("inf")
        self._fallen = False
        self._proved = asyncio.Event()

    @property
    def holds(self) -> bool:
        """Whether nobody else can lead at this instant."""
        return self._now() < self._until_seconds

    def proved(self, asked_at_seconds: float) -> None:
        """The place was proved, by a question that left at `asked_at_seconds` (of `boot_seconds`)."""
        if not self._fallen:
            self._until_seconds = max(self._until_seconds, asked_at_seconds + FENCE_SECONDS)
            self._proved.set()

    def lost(self) -> None:
        """The session by which the place was proved is over: it does not hold until another one proves it."""
        if self._until_seconds != float("inf"):
            self._until_seconds = float("-inf")

    def fall(self) -> None:
        """From now on it does not hold, whatever is proved: somebody else is about to lead."""
        self._until_seconds = float("-inf")
        self._fallen = True

    async def passed(self) -> None:
        """Wait until it holds: for ever, where the place is lost."""
        while not self.holds:
            self._proved.clear()
            await self._proved.wait()
