"""A start goes before other programs, and not before Asterisk; in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.patience import COMMAND_SECONDS

BEGIN = """
import os, sys, threading, time
from callrouter import hurry

def policy():
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority

def of_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(policy()))
    thread.start()
    thread.join()
    return found[0]

ORDINARY, HURRIED = (os.SCHED_OTHER, 0), (os.SCHED_RR, hurry.PRIORITY)
"""


def _run(program: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr


def test_a_start_hurries_until_it_is_over() -> None:
    """What it starts does not; nor does it go before Asterisk."""
    _run("""
hurry.begin()
assert policy() == HURRIED and hurry.PRIORITY < 10
assert of_a_thread() == ORDINARY
hurry.end()
assert policy() == ORDINARY
""")


def test_a_start_that_does_not_end_is_ordinary_work() -> None:
    """The kernel counts what it works without sleep."""
    _run("""
hurry.LONGEST_SECONDS = 0.2
hurry.begin()
deadline = time.monotonic() + 10
while policy() == HURRIED:
    assert time.monotonic() < deadline
""")


def test_where_it_is_not_wanted_nobody_hurries() -> None:
    _run("hurry.begin()\nassert policy() == ORDINARY", CALLROUTER_REALTIME="off")
    _run("with hurry.hurried(False):\n    assert policy() == ORDINARY")


def test_where_it_is_not_allowed_all_goes_on() -> None:
    """An ordinary user without RLIMIT_RTPRIO."""
    _run("""
import resource
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
os.setgid(65534); os.setuid(65534)
hurry.begin()
with hurry.hurried(True):
    assert policy() == ORDINARY
hurry.end()
""")


def test_a_piece_of_work_hurries_by_itself() -> None:
    _run("""
with hurry.hurried(True):
    assert policy() == HURRIED
assert policy() == ORDINARY
""")


def test_it_is_there_before_anything_else_is_imported() -> None:
    """Else it would come too late."""
    _run("assert not {'asyncio', 'structlog', 'pydantic', 'sqlalchemy'} & sys.modules.keys()")


def test_a_thread_hurries_for_one_function() -> None:
    """Its result, or its error, is passed on; the next work of the thread is ordinary again."""
    _run("""
assert hurry.hurriedly(True, lambda number: (number, policy()), 7) == (7, HURRIED)
try:
    hurry.hurriedly(True, int, "no number")
except ValueError:
    assert policy() == ORDINARY
else:
    raise AssertionError
""")
