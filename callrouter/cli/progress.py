"""What a command says while it works for longer than a second: on standard error, and only to a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console

PATIENCE_SECONDS = 1.0


class Say(Protocol):
    """Says what is done now."""

    def __call__(self, text: str) -> None:
        """In a few words."""
        ...


@contextmanager
def working() -> Iterator[Say]:
    """What is said in it is seen from the second second on, and is gone when the work is done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: None
        return
    status = console.status("")
    # Not by the loop: it may be the loop that is at work.
    begins = threading.Timer(PATIENCE_SECONDS, status.start)
    begins.daemon = True
    begins.start()
    try:
        yield lambda text: status.update(text)
    finally:
        begins.cancel()
        status.stop()
