"""`callrouter up` keeps its parts alive: what could live once is started again, and never takes the other with it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import pytest

from callrouter.app import up
from callrouter.app.up import _Part, _watch

LIVES = "import time; time.sleep(60)"
DIES = "raise SystemExit(3)"
IS_KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


class Programs:
    """What each start of a part runs, one after the other; the last for ever."""

    def __init__(self, **programs: list[str]) -> None:
        self._programs = programs
        self.starts: list[str] = []

    async def start(self, name: str, _secrets_of_parts: Mapping[str, str]) -> _Part:
        """As `up._start`."""
        self.starts.append(name)
        left = self._programs[name]
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", left.pop(0) if len(left) > 1 else left[0])
        return _Part(name, process, asyncio.get_running_loop().time())


RESTART_SECONDS = up.RESTART_SECONDS
"""As it is; tests have another."""


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lives for half a second has lived."""
    monkeypatch.setattr(up, "STEADY_SECONDS", 0.5)
    monkeypatch.setattr(up, "RESTART_SECONDS", (0.01, 0.05))


async def watched(programs: Programs, monkeypatch: pytest.MonkeyPatch, seconds: float) -> tuple[str | None, bool]:
    """The part that could not live within this time, and whether the engine of the start still does."""
    monkeypatch.setattr(up, "_start", programs.start)
    parts = {name: await programs.start(name, {}) for name in ("engine", "web")}
    engine, stop = parts["engine"].process, asyncio.get_running_loop().create_task(asyncio.sleep(seconds, True))
    failed = await _watch(parts, {}, stop)
    alive = engine.returncode is None
    stop.cancel()
    for part in parts.values():
        if part.process.returncode is None:
            part.process.kill()
        await part.process.wait()
    return failed, alive


async def test_web_that_cannot_start_again_leaves_the_engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It died, and PostgreSQL is away: calls go on, and web is started until it comes up."""
    programs = Programs(engine=[LIVES], web=["import time; time.sleep(1)", DIES, DIES, LIVES])

    assert await watched(programs, monkeypatch, 4) == (None, True)
    assert programs.starts == ["engine", "web", "web", "web", "web"]


async def test_a_part_that_never_lived_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has said why; nobody waits for it. However long it takes to die, on a busy machine."""
    monkeypatch.setattr(up, "STEADY_SECONDS", 60.0)
    failed, _ = await watched(Programs(engine=[LIVES], web=[DIES]), monkeypatch, 10)

    assert failed == "web"


async def test_an_engine_that_was_killed_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However young it is, and however often: nothing is wrong with its settings. Each time a little later."""
    programs = Programs(engine=[IS_KILLED, IS_KILLED, IS_KILLED, LIVES], web=[LIVES])

    failed, _ = await watched(programs, monkeypatch, 4)

    assert failed is None
    assert programs.starts == ["engine", "web", "engine", "engine", "engine"]


def test_callers_wait_for_an_engine_that_was_killed() -> None:
    """The first pause is short; the longest is bounded."""
    shortest, longest = RESTART_SECONDS

    assert shortest <= 0.1
    assert longest <= 15.0
