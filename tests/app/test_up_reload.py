"""SIGHUP reloads, and ends neither `callrouter up` nor a part that is still starting."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time

from callrouter.app.up import _catches, _Part, _reload

STARTS_SLOWLY = """
import asyncio, sys, time

async def main():
    reloaded = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(1, reloaded.set)
    await asyncio.wait_for(reloaded.wait(), 20)

print("begins", flush=True)
time.sleep(0.5)
asyncio.run(main())
"""

STARTS_FOR_EVER = """
import asyncio, sys, time
from callrouter.app.lifetime import run

async def main():
    print("begins", flush=True)
    time.sleep(600)

run(main())
"""


async def test_a_part_that_is_starting_is_told_when_it_listens() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", STARTS_SLOWLY, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    assert not _catches(process.pid, signal.SIGHUP)

    async with asyncio.timeout(30):
        await _reload(_Part("slow", process, 0.0))
        assert await process.wait() == 0


async def test_a_part_that_ended_is_not_waited_for() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()

    async with asyncio.timeout(5):
        await _reload(_Part("gone", process, 0.0))


def test_a_start_survives_a_reload() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS_FOR_EVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)

        assert process.poll() is None
        process.kill()
