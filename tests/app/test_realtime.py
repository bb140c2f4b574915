"""Real-time priority, in processes of their own: what is asked for, and what becomes of a thread that runs away."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.patience import COMMAND_SECONDS

BEGIN = """
import asyncio, os, sys, threading, time
import uvloop
from callrouter.app import realtime as precedence
from callrouter.logs import configure_logs

configure_logs(log_format="console", level="info")

def policy():
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority
"""


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


def test_the_loop_goes_first_and_what_it_starts_does_not() -> None:
    """One above Asterisk; threads and programs are ordinary ones."""
    said = _run("""
async def main():
    assert precedence.take_precedence()
    assert policy() == (os.SCHED_RR, precedence.PRIORITY), policy()
    assert await asyncio.to_thread(policy) == (os.SCHED_OTHER, 0)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import os; raise SystemExit(os.sched_getscheduler(0))"
    )
    assert await child.wait() == os.SCHED_OTHER
    print("done")
uvloop.run(main())
""")

    assert said.endswith("done\n")


def test_a_thread_that_does_not_rest_is_an_ordinary_one_for_a_while() -> None:
    """The kernel counts (RLIMIT_RTTIME), Python hears of it in the middle of the work, and the log says so."""
    said = _run("""
precedence.RUNAWAY_SECONDS, precedence.PATIENT_SECONDS = 0.2, 0.5
async def main():
    assert precedence.take_precedence()
    began = time.monotonic()
    while policy()[0] == os.SCHED_RR:
        assert time.monotonic() - began < 10
    await asyncio.sleep(0.1)
    assert policy() == (os.SCHED_OTHER, 0)
    await asyncio.sleep(0.7)
    assert policy() == (os.SCHED_RR, precedence.PRIORITY)
    print("done")
uvloop.run(main())
""")

    assert "the event loop did not rest" in said
    assert said.endswith("done\n")


def test_a_start_may_take_longer_until_it_is_over() -> None:
    """Of all threads: those that load hurry too, and the limit is the process's."""
    said = _run("""
precedence.RUNAWAY_SECONDS, precedence.PATIENT_SECONDS = 0.2, 5.0
def work(seconds):
    deadline = time.monotonic() + seconds
    while policy()[0] == os.SCHED_RR and time.monotonic() < deadline:
        pass
async def main():
    assert precedence.take_precedence(30.0)
    work(0.5)
    assert policy() == (os.SCHED_RR, precedence.PRIORITY)
    await asyncio.sleep(0.01)
    precedence.has_started()
    work(10)
    assert policy() == (os.SCHED_OTHER, 0)
    print("done")
uvloop.run(main())
""")

    assert said.endswith("done\n")


def test_where_it_is_not_allowed_the_log_says_how_to_allow_it() -> None:
    """An ordinary user without RLIMIT_RTPRIO: everything works, only later."""
    assert os.getuid() == 0
    said = _run("""
async def main():
    import resource
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    os.setgid(65534); os.setuid(65534)
    assert not precedence.take_precedence()
    assert policy() == (os.SCHED_OTHER, 0)
    print("done")
uvloop.run(main())
""")

    assert "no real-time priority" in said
    assert "LimitRTPRIO=11" in said
    assert said.endswith("done\n")
