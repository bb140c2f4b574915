"""Sees to it that what may take long takes no more than a part of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

PART: Final = 1 / 10


class Sparing:
    """One thing that is done again and again."""

    def __init__(self, *, seconds: Callable[[], float] = monotonic) -> None:
        """`seconds` is a clock that nobody sets."""
        self._seconds = seconds
        self._not_before = float("-inf")

    @property
    def wait_seconds(self) -> float:
        """How long it should not be done; 0: it may be now."""
        return max(0.0, self._not_before - self._seconds())

    @contextmanager
    def done(self) -> Iterator[None]:
        """It is done in the block."""
        began = self._seconds()
        try:
            yield
        finally:
            ended = self._seconds()
            self._not_before = ended + (ended - began) * (1 / PART - 1)
