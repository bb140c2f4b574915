"""A process of ours ends when it is asked to, when its parent is gone, and at the latest when a stop takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.patience import COMMAND_SECONDS

HANGS = """
import asyncio, time
from callrouter.app.lifetime import Lifetime, run

async def main():
    lifetime = Lifetime(stop_seconds=1)
    lifetime.catch_signals()
    print("ready", flush=True)
    await lifetime.stopping.wait()
    time.sleep(600)

run(main())
"""

CHILD = """
import os, sys, time
from callrouter.app.lifetime import end_with
end_with(int(sys.argv[1]))
print(os.getpid(), flush=True)
time.sleep(600)
"""

PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=subprocess.PIPE)
print(child.stdout.readline().decode(), flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_stop_that_hangs_is_ended() -> None:
    """Even when the loop itself is stuck."""
    with subprocess.Popen([sys.executable, "-c", HANGS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()

        assert process.wait(30) == -signal.SIGALRM


def test_a_part_ends_with_whoever_started_it() -> None:
    """Killed with -9, `callrouter up` leaves nobody logged in to Asterisk."""
    command = [sys.executable, "-c", PARENT, CHILD]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)
    child = int(done.stdout.split()[0])

    deadline = time.monotonic() + 30
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Whoever adopted it may not have buried it yet.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
