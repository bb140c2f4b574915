"""The engine that waits until the first one dies: it does nothing before it is told, and goes on with today's code."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from callrouter.app import up
from callrouter.app.leading import spare as module
from callrouter.app.leading.spare import NAME, Code, Spare
from callrouter.app.up import _Part, _watch
from tests.patience import COMMAND_SECONDS

ROOT = Path(__file__).parents[2]
WRONG = {"CALLROUTER_AMI_PORT": "abc"}
"""What an engine that reads its settings ends by, with a sentence."""


@contextmanager
def waiting(
    cwd: Path, environment: Mapping[str, str] | None = None, *, code: Path = ROOT
) -> Iterator[subprocess.Popen[str]]:
    """A real one that has come to wait."""
    process = subprocess.Popen(
        [sys.executable, "-m", "callrouter", "engine", f"--spare={time.time()}"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(code), **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + COMMAND_SECONDS
        while psutil.Process(process.pid).name() != NAME:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_does_nothing_before_it_is_told(tmp_path: Path) -> None:
    """Neither settings nor ports nor files; then it is the engine, and says what is wrong with its settings."""
    with waiting(tmp_path, WRONG) as process:
        itself = psutil.Process(process.pid)
        assert not itself.net_connections()
        assert not itself.open_files()
        assert not list(tmp_path.iterdir())

        _, said = process.communicate("go\n", timeout=COMMAND_SECONDS)

    assert process.returncode == 2
    assert said.startswith("callrouter: CALLROUTER_AMI_PORT (environment) is 'abc': ")


def test_it_ends_with_whoever_would_tell_it(tmp_path: Path) -> None:
    with waiting(tmp_path, WRONG) as process:
        _, said = process.communicate("", timeout=COMMAND_SECONDS)

    assert (process.returncode, said) == (0, "")


def test_it_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    with waiting(tmp_path) as process:
        process.send_signal(signal.SIGHUP)  # it has nothing to reload
        process.terminate()

        assert process.wait(COMMAND_SECONDS) == -signal.SIGTERM


def test_it_goes_on_with_a_release_that_was_installed_since(tmp_path: Path) -> None:
    """Not with the code that it had loaded."""
    shutil.copytree(ROOT / "callrouter", tmp_path / "callrouter")
    with waiting(tmp_path, WRONG, code=tmp_path) as process:
        changed = tmp_path / "callrouter" / "errors.py"
        changed.write_text(changed.read_text(encoding="utf-8") + "\nraise SystemExit('this is the new release')\n")

        _, said = process.communicate("go\n", timeout=COMMAND_SECONDS)

    assert said == "this is the new release\n"


def test_it_loads_itself_anew_when_a_release_was_installed(tmp_path: Path) -> None:
    """Before it is told: the same process, which waits again."""
    shutil.copytree(ROOT / "callrouter", tmp_path / "callrouter")
    loading = tmp_path / "callrouter" / "app" / "leading" / "spare.py"
    loading.write_text(loading.read_text(encoding="utf-8").replace("LOOK_SECONDS: Final = 20.0", "LOOK_SECONDS = 0.2"))
    with waiting(tmp_path, WRONG, code=tmp_path) as process:
        began = psutil.Process(process.pid).cmdline()
        changed = tmp_path / "callrouter" / "settings" / "__init__.py"
        changed.write_text(changed.read_text(encoding="utf-8") + "\nimport os; os.write(2, b'new\\n')\n")
        assert process.stderr is not None
        assert process.stderr.readline() == "new\n"
        assert psutil.Process(process.pid).cmdline() != began

        _, said = process.communicate("go\n", timeout=COMMAND_SECONDS)

    assert process.returncode == 2
    assert said.startswith("callrouter: CALLROUTER_AMI_PORT (environment) is 'abc': ")


@pytest.mark.parametrize("change", ["written", "replaced", "removed"])
def test_it_is_seen_that_a_file_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Also where the other one is older, as in an archive."""
    file = tmp_path / "code.py"
    file.write_text("one")
    monkeypatch.setattr(module, "_loaded", lambda: {str(file)})
    code = Code(time.time() + 1)
    assert not code.is_other

    if change == "written":
        file.write_text("another")
    elif change == "replaced":
        other = tmp_path / "other.py"
        other.write_text("two")
        os.utime(other, ns=(0, file.stat().st_mtime_ns))
        other.replace(file)
    else:
        file.unlink()

    assert code.is_other


def test_a_file_that_was_written_while_it_was_loaded_may_be_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "code.py"
    since = time.time() - 1
    file.write_text("one")
    os.utime(file, (0, 0))
    monkeypatch.setattr(module, "_loaded", lambda: {str(file)})

    assert Code(since).is_other


# ------------------------------------------------------------------------------------------ as `callrouter up` has it

LIVES = "import time; time.sleep(60)"
WAITS = "import sys, time; assert sys.stdin.readline() == 'go\\n'; time.sleep(60)"
DIES = "raise SystemExit(3)"


class Spares:
    """Begins one program after the other, the last for ever."""

    def __init__(self, *programs: str) -> None:
        self._programs = list(programs)
        self.begun: list[asyncio.subprocess.Process] = []

    async def begin(self, since: float) -> asyncio.subprocess.Process:
        """As `up` has it begun."""
        assert abs(since - time.time()) < 1
        program = self._programs.pop(0) if len(self._programs) > 1 else self._programs[0]
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE)
        self.begun.append(process)
        return process

    async def until(self, count: int) -> None:
        """So many were begun."""
        async with asyncio.timeout(COMMAND_SECONDS):
            while len(self.begun) < count:
                await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_SECONDS", 0.1)
    monkeypatch.setattr(module, "AGAIN_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(up, "RESTART_SECONDS", (0.01, 0.05))


async def test_it_is_the_engine_when_the_engine_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And there is another one then: each time, and nothing is started in its place."""
    starts = list[str]()

    async def start(name: str, _secrets: object) -> _Part:
        starts.append(name)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", LIVES)
        return _Part(name, process, asyncio.get_running_loop().time())

    monkeypatch.setattr(up, "_start", start)
    spares = Spares(WAITS)
    spare = Spare(spares.begin)
    parts = {"engine": await start("engine", None)}
    stop = asyncio.get_running_loop().create_task(asyncio.sleep(COMMAND_SECONDS, True))
    watching = asyncio.get_running_loop().create_task(_watch(parts, {}, stop, spare))
    try:
        for number in (1, 2):
            await spares.until(number)
            parts["engine"].process.kill()
            async with asyncio.timeout(COMMAND_SECONDS):
                while parts["engine"].process is not spares.begun[number - 1]:
                    await asyncio.sleep(0.01)
            assert parts["engine"].process.returncode is None
        assert starts == ["engine"]
    finally:
        stop.cancel()
        await asyncio.wait([watching])
        await spare.stop()
        for process in [part.process for part in parts.values()] + spares.begun:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_one_that_ends_is_begun_again_and_costs_nothing_else() -> None:
    spares = Spares(DIES, DIES, WAITS)
    spare = Spare(spares.begin)
    spare.renew()

    await spares.until(3)
    await spare.stop()

    assert [process.returncode for process in spares.begun] == [3, 3, -signal.SIGKILL]
    assert spare.take() is None
