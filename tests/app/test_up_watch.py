"""`callrouter up` keeps its parts alive: what could live once is started again, and never takes the other with it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping

import pytest

from callrouter.app import up
from callrouter.app.leading.place import LOST_STATUS
from callrouter.app.up import _Part, _watch, begin_part

SAYS = "import os, sys, time; os.write(int(sys.argv[1].partition('=')[2]), b's'); "
LIVES = SAYS + "time.sleep(60)"
LIVED = SAYS + "raise SystemExit(1)"
DIES = "raise SystemExit(3)"
GIVES_UP_ITS_PLACE = f"raise SystemExit({LOST_STATUS})"
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
        process = await begin_part(["-c", left.pop(0) if len(left) > 1 else left[0]], os.environ)
        return _Part(name, process, asyncio.get_running_loop().time())


RESTART_SECONDS = up.RESTART_SECONDS
"""As it is; tests have another."""


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
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
    programs = Programs(engine=[LIVES], web=[LIVED, DIES, DIES, LIVES])

    assert await watched(programs, monkeypatch, 4) == (None, True)
    assert programs.starts == ["engine", "web", "web", "web", "web"]


@pytest.mark.parametrize("stopped_seconds", [0.0, 12.0])
async def test_a_part_that_never_started_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, stopped_seconds: float
) -> None:
    """It has said why; nobody waits for it. However long it takes to die, on a machine that does not let it run."""
    monkeypatch.setattr(up, "STEADY_SECONDS", 0.5)
    programs = Programs(engine=[LIVES], web=["import time; time.sleep(1); " + DIES])
    begun = programs.start

    async def slowly(name: str, secrets_of_parts: Mapping[str, str]) -> _Part:
        part = await begun(name, secrets_of_parts)
        if name == "web" and stopped_seconds:
            part.process.send_signal(signal.SIGSTOP)
            loop = asyncio.get_running_loop()
            loop.call_later(stopped_seconds, part.process.send_signal, signal.SIGCONT)
        return part

    monkeypatch.setattr(programs, "start", slowly)
    failed, _ = await watched(programs, monkeypatch, 60)

    assert failed == "web"
    assert programs.starts == ["engine", "web"]


async def test_a_part_that_started_is_started_again_however_soon_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(engine=[LIVED, LIVED, DIES, LIVES], web=[LIVES])

    failed, _ = await watched(programs, monkeypatch, 6)

    assert failed is None
    assert programs.starts == ["engine", "web", "engine", "engine", "engine"]


async def test_an_engine_that_gave_its_place_away_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it had said that it has started: it is the other one's standby then. So is one that ended in order."""
    programs = Programs(engine=[GIVES_UP_ITS_PLACE, "", GIVES_UP_ITS_PLACE, LIVES], web=[LIVES])

    failed, _ = await watched(programs, monkeypatch, 6)

    assert failed is None
    assert programs.starts == ["engine", "web", "engine", "engine", "engine"]


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
