"""How often: token buckets by key, in bounded memory.

The `limits` library (5.8) was looked at first: its memory storage starts a thread (or, for asyncio, a task with a
thread for each key) to forget keys after every hit, and keeps a key for every address that ever came. This runs on the
loop that serves calls, and in front of whoever wants to fill memory.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_KEYS: Final = 10_000


class Throttle:
    """Lets a key through `burst` times at once, and then at a steady rate."""

    def __init__(
        self,
        *,
        burst: int,
        per_second: float,
        most_keys: int = MOST_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of keys beyond `most_keys` those are forgotten that came least recently."""
        self._burst = float(burst)
        self._per_second = per_second
        self._most_keys = most_keys
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """By key: when its bucket is full again."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str) -> float:
        """Let it through (0), or say after how many seconds it may come again."""
        wait = self.wait(key)
        if wait:
            return wait
        now = self._clock()
        self._full_at[key] = max(now, self._full_at.get(key, now)) + 1 / self._per_second
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most_keys:
            self._full_at.popitem(last=False)
        return 0.0

    def wait(self, key: str) -> float:
        """For how many seconds it is not let through; takes nothing."""
        missing = (self._full_at.get(key, 0.0) - self._clock()) * self._per_second
        return max(0.0, (missing + 1 - self._burst) / self._per_second)
