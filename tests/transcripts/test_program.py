"""Programs that behave as badly as they come: each is bounded, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from callrouter.errors import TranscriptFailed
from callrouter.transcripts.program import MOST_BYTES, ProgramTranscriber
from tests.patience import START_SECONDS

PATH = Path("/nowhere/a file.wav")


def program(
    source: str, *arguments: str, seconds: float = 10 * START_SECONDS, **environment: str
) -> ProgramTranscriber:
    """Of Python's."""
    command = [sys.executable, "-c", f"import os, sys, time\n{source}", *arguments]
    return ProgramTranscriber(command, name="ours", seconds=seconds, environment={**os.environ, **environment})


async def refused(of: ProgramTranscriber) -> str:
    with pytest.raises(TranscriptFailed) as caught:
        await of.transcribe(PATH, "fr")
    return str(caught.value)


async def test_it_is_given_the_file_last_and_the_language_where_it_wants_it() -> None:
    said = await program("print(sys.argv[1:])", "--lang={language}", "{language}").transcribe(PATH, "fr")

    assert said == "['--lang=fr', 'fr', '/nowhere/a file.wav']"


async def test_it_goes_behind_everything_and_knows_no_secret_of_ours() -> None:
    source = "print(os.nice(0), [name for name in os.environ if 'CALLROUTER' in name], sys.stdin.read() == '')"

    assert (
        await program(source, CALLROUTER_SMTP_URL="smtp://x", CALLROUTER_SECRET_A="1").transcribe(PATH, "fr")
        == "19 [] True"
    )


async def test_what_it_writes_is_text() -> None:
    """Signs that rule a screen are none, nor are bytes of no charset."""
    source = "sys.stdout.buffer.write(b'  d\\xc3\\xa9j\\xc3\\xa0\\n\\x1b[31m\\xff\\x00ok \\n')"

    assert await program(source).transcribe(PATH, "fr") == "déjà\n [31m\ufffd ok"


async def test_why_it_failed_is_said() -> None:
    assert await refused(program("sys.stderr.write('x' * 99999 + '\\nno model\\n'); sys.exit(3)")) == (
        "ours ended with status 3: no model"
    )
    assert await refused(program("os.kill(os.getpid(), 9)")) == "ours ended with status -9"
    gone = await refused(ProgramTranscriber(["/nowhere/stt"], name="stt", seconds=60))
    assert gone.startswith("stt ended with status 127: nice: ")


async def test_one_that_writes_without_end_is_stopped() -> None:
    assert await refused(program("while True: print('word ' * 1000)")) == (
        f"ours writes more than {MOST_BYTES // 1024} KiB"
    )
    assert (
        await refused(program("while True: sys.stderr.write('x' * 9999)", seconds=1)) == "ours had not ended after 1 s"
    )


async def test_one_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    """Also children that would not end by themselves, and hold its output open."""
    pids = tmp_path / "pids"
    source = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.fork()
with open({str(pids)!r}, "a") as file:
    file.write(f"{{os.getpid()}}\\n")
time.sleep(3600)
"""
    waiting = asyncio.get_running_loop().create_task(refused(program(source, seconds=3600)))
    async with asyncio.timeout(START_SECONDS * 10):
        while not pids.exists() or len(pids.read_text().split()) < 3:
            await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await refused(program("time.sleep(3600)", seconds=1)) == "ours had not ended after 1 s"

    async with asyncio.timeout(START_SECONDS * 10):
        while any(_lives(int(pid)) for pid in pids.read_text().split()):
            await asyncio.sleep(0.02)


async def test_a_child_that_it_leaves_behind_does_not_outlive_it() -> None:
    """Nor is it waited for, though it holds the output."""
    source = "print('said', flush=True)\nif os.fork() == 0: time.sleep(3600)"

    assert await refused(program(source, seconds=2)) == "ours had not ended after 2 s"


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
