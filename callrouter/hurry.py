"""Work that callers wait for goes before other programs: the start of an engine, and the plans that it needs then.

Nearly all of a start is the loading of code, a second of a processor's time. On a machine that is busy, as it is when
an engine has just died, an ordinary process was seen to take seven. So it has real-time priority meanwhile: below
Asterisk's, which serves calls, and above all else. `app.realtime` is what the loop has from then on.

This stands by itself, so that it can be asked for before anything else is imported.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, ParamSpec, TypeVar

PRIORITY: Final = 1
"""Of SCHED_RR: the lowest there is; Asterisk's is 10 (`main/asterisk.c`, ast_set_priority)."""
LONGEST_SECONDS: Final = 5.0
"""What does not sleep for longer is no start any more, and becomes ordinary work."""
SETTING: Final = "CALLROUTER_REALTIME"
P = ParamSpec("P")
T = TypeVar("T")
_OFF: Final = frozenset({"0", "off", "f", "false", "n", "no"})


def begin() -> None:
    """The process starts, and callers wait for it; what it starts itself is ordinary work.

    Not where the environment says `CALLROUTER_REALTIME=off`, nor where the system does not allow it.
    """
    if expect():
        _rise()


def expect() -> bool:
    """Somebody may `lend` this process priority, and nobody waits for it yet: not for ever; False: not at all."""
    if os.environ.get(SETTING, "").strip().lower() in _OFF:
        return False
    signal.signal(signal.SIGXCPU, _is_too_long)
    hard = resource.getrlimit(resource.RLIMIT_RTTIME)[1]
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (round(LONGEST_SECONDS * 1e6), hard))
    except (OSError, ValueError):  # without a limit there is no priority either
        return False
    return True


def lend(pid: int) -> None:
    """The same for a process that this one has started: it need not wait for its turn to ask for it."""
    if os.environ.get(SETTING, "").strip().lower() not in _OFF:
        with suppress(OSError):  # not allowed, or it has ended
            os.sched_setscheduler(pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))


def end() -> None:
    """It has started: an ordinary thread again."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    time.sleep(0.0001)  # the kernel counts what a thread works without sleep, whatever it was meanwhile


@contextmanager
def hurried(wanted: bool) -> Iterator[None]:
    """A piece of work, in a thread of its own, that callers wait for."""
    if not (wanted and _rise()):
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def hurriedly(wanted: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for a function. Who holds the interpreter must not wait for other programs while the loop wants it."""
    with hurried(wanted):
        return work(*args, **kwargs)


def _rise() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def _is_too_long(number: int, frame: FrameType | None) -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
