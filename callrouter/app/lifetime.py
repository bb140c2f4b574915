"""From the first signal to the last line: how a process of ours is run and ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvloop

log = structlog.get_logger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Lifetime:
    """Asked to stop by a signal, or by the death of something the process cannot do without."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.fatal: BaseException | None = None

    def catch_signals(self, on_reload: Callable[[], None] | None = None) -> None:
        """SIGINT and SIGTERM stop; SIGHUP reloads, where there is something to reload."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        if on_reload is not None:
            loop.add_signal_handler(signal.SIGHUP, on_reload)

    def stop(self, why: str) -> None:
        """Begin to stop; a second request changes nothing."""
        if not self.stopping.is_set():
            log.info("stopping", why=why)
            self.stopping.set()

    def died(self, name: str, error: BaseException) -> None:
        """A task the process cannot do without has died: stop, and end with its error."""
        self.fatal = self.fatal or error
        self.stop(f"{name} died")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's main coroutine on uvloop."""
    uvloop.run(main)
