"""From the first signal to the last line: how a process of ours is run and ended."""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvloop

log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Lifetime:
    """Asked to stop by a signal, or by the death of something the process cannot do without."""

    def __init__(self, *, stop_seconds: float) -> None:
        """`stop_seconds`: how long a stop may take; a process that hangs is then ended by the kernel (SIGALRM)."""
        self._stop_seconds = stop_seconds
        self.stopping = asyncio.Event()
        self.fatal: BaseException | None = None

    def catch_signals(self) -> None:
        """SIGINT and SIGTERM stop."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)

    def catch_reload(self, on_reload: Callable[[], None]) -> None:
        """SIGHUP reloads; before, it does nothing (`run`)."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, on_reload)

    def release_signals(self) -> None:
        """SIGINT and SIGTERM end the process at once again, where nothing is to be left in order."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)

    def stop(self, why: str) -> None:
        """Begin to stop; a second request changes nothing."""
        if not self.stopping.is_set():
            log.info("stopping", why=why)
            # Even a thread that waits for ever (a server whose folder is gone) must not keep the AMI user logged in.
            signal.alarm(math.ceil(self._stop_seconds))
            self.stopping.set()

    def died(self, name: str, error: BaseException) -> None:
        """A task the process cannot do without has died: stop, and end with its error."""
        self.fatal = self.fatal or error
        self.stop(f"{name} died")


def end_with(parent_pid: int) -> None:
    """Ask to be stopped when the process that started us ends, however it ends (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        signal.raise_signal(signal.SIGTERM)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's main coroutine on uvloop."""
    # A reload that is asked for before there is anything to reload must not end the start.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    uvloop.run(main)
