"""Real-time priority for the thread that answers Asterisk, where the system allows it.

Every command waits for two processes to be given a processor: Asterisk and this one. Beside a database that writes, a
report that counts or another program's load the kernel may let them wait for milliseconds, and callers hear that as
silence. Asterisk has a switch against it (`highpriority` of asterisk.conf: SCHED_RR, 10), and this is ours.

- Only the thread of the event loop: what it starts (threads that read dialplans, PostgreSQL, espeak-ng) is as patient
  as before (SCHED_RESET_ON_FORK, sched(7)).
- Above Asterisk, because its threads are many and some of them work for long; our turns take a tenth of a millisecond.
- Never for long: when the thread does not sleep for half a second, a fault of ours or a load beyond all measure, the
  kernel says so (RLIMIT_RTTIME, getrlimit(2)), and it is an ordinary thread for the next seconds.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from types import FrameType
from typing import Final

import structlog

log = structlog.get_logger(__name__)

PRIORITY: Final = 11
"""One above Asterisk's (`main/asterisk.c`, ast_set_priority)."""
RUNAWAY_SECONDS: Final = 0.5
PATIENT_SECONDS: Final = 10.0
"""How long the thread stays an ordinary one after it did not sleep."""


def take_precedence(runaway_seconds: float | None = None) -> bool:
    """Give the calling thread real-time priority, watched; it must be the one of the running loop.

    `runaway_seconds`: after so long without sleep it is an ordinary one; RUNAWAY_SECONDS by default. It is the limit of
    all threads: a start, in which others hurry too (`callrouter.hurry`), has a longer one, until `has_started`.

    Returns False, and says why in the log, where the system does not allow it: everything works without.
    """
    loop = asyncio.get_running_loop()

    def runs_away(number: int, frame: FrameType | None) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        loop.call_soon_threadsafe(calm_down)

    def calm_down() -> None:
        log.warning(
            "the event loop did not rest: no real-time priority for a while",
            seconds=RUNAWAY_SECONDS,
            again_in_seconds=PATIENT_SECONDS,
        )
        loop.call_later(PATIENT_SECONDS, _rise)

    # Before the priority: a thread that runs away unwatched would take the machine with it.
    before = signal.signal(signal.SIGXCPU, runs_away)
    hard = resource.getrlimit(resource.RLIMIT_RTTIME)[1]
    try:
        _limit(runaway_seconds or RUNAWAY_SECONDS, hard)
        _rise()
    except (OSError, ValueError) as error:
        signal.signal(signal.SIGXCPU, before)
        log.info(
            "no real-time priority: callers may wait for other programs of this machine. Allow it with "
            f"LimitRTPRIO={PRIORITY} (systemd), or set CALLROUTER_REALTIME=off",
            reason=str(error),
        )
        return False
    return True


def has_started() -> None:
    """From now on no thread works for long, but ordinary ones."""
    _limit(RUNAWAY_SECONDS, resource.getrlimit(resource.RLIMIT_RTTIME)[1])


def _limit(seconds: float, hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_RTTIME, (round(seconds * 1e6), hard))


def _rise() -> None:
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
