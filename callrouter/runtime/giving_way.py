"""How a thread that works for long lets the loop serve its calls meanwhile.

Loading plans is Python at work for a second when 300 files were pulled, and for two at a start. Calls get the
interpreter meanwhile when they have asked for it for the length of a switch interval, at each of their turns and, on a
machine that is busy, much later than that: with the usual 5 ms they were seen to stand still for 240 ms.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SWITCH_SECONDS: Final = 0.0005
"""How long calls wait for the interpreter while plans are loaded."""


class _Workers:
    """How many threads give way; the first of them says so to the interpreter, and the last takes it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._usual = 0.0

    def one_more(self) -> None:
        with self._lock:
            if self._count == 0:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(SWITCH_SECONDS)
            self._count += 1

    def one_less(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                sys.setswitchinterval(self._usual)


_workers = _Workers()


@contextmanager
def giving_way() -> Iterator[None]:
    """While plans are made in a thread."""
    _workers.one_more()
    try:
        yield
    finally:
        _workers.one_less()
