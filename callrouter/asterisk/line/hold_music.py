"""Hold music for a caller who waits while somebody else is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from callrouter.asterisk.line.translate import LEASE_MARGIN_SECONDS

MUSIC_AFTER_SECONDS: Final = 2.0
"""A short silence is nothing to a caller; a longer one sounds like a dead line."""


class HoldMusic:
    """Begins after a moment, unless it is stopped before; `play` has it play with that lease, and says whether it
    did."""

    __slots__ = ("_play", "_timer", "plays")

    def __init__(self, wait_seconds: float, play: Callable[[float], bool]) -> None:
        """`wait_seconds`: how long the answer may take; the last lease written counts, so it covers what is left."""
        self._play = play
        self.plays = False
        """It has to be stopped before anything else is heard."""
        lease = wait_seconds - MUSIC_AFTER_SECONDS + LEASE_MARGIN_SECONDS
        self._timer = asyncio.get_running_loop().call_later(MUSIC_AFTER_SECONDS, self._begin, lease)

    def stop(self) -> None:
        """It does not begin any more."""
        self._timer.cancel()

    def _begin(self, lease_seconds: float) -> None:
        self.plays = self._play(lease_seconds)
