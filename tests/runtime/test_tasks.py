"""A background task has a name and somebody who notices its death."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from callrouter.runtime import tasks as runtime_tasks
from callrouter.runtime.tasks import Tasks


async def test_a_death_is_noticed() -> None:
    """The owner is told which task died of what."""
    deaths: list[tuple[str, str]] = []
    tasks = Tasks(lambda name, error: deaths.append((name, str(error))))

    async def fail() -> None:
        raise ValueError("for the test")

    tasks.start(fail(), "failing")
    await asyncio.sleep(0.01)
    await tasks.stop()

    assert deaths == [("failing", "for the test")]


async def test_stopping_cancels_what_runs() -> None:
    """And waits until it has cleaned up."""
    cleaned: list[str] = []
    tasks = Tasks()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append("up")

    task = tasks.start(wait(), "waiting")
    await asyncio.sleep(0)
    await tasks.stop()

    assert cleaned == ["up"]
    assert task.get_name() == "waiting"


async def test_what_calls_can_do_without_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a pause that grows; its owner is not told of a death."""
    deaths: list[str] = []
    begun: list[float] = []
    monkeypatch.setattr(runtime_tasks, "RESTART_SECONDS", (0.05, 0.1))
    tasks = Tasks(lambda name, _: deaths.append(name))

    async def fail() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 4:
            raise ValueError("for the test")

    await asyncio.wait_for(tasks.keep(fail, "failing"), 5)

    pauses = [after - before for before, after in itertools.pairwise(begun)]
    assert [pause >= least for pause, least in zip(pauses, (0.05, 0.1, 0.1), strict=True)] == [True] * 3
    assert deaths == []


async def test_stopping_ends_what_waits_to_begin_again() -> None:
    """Also in the middle of its pause."""
    tasks = Tasks()

    async def fail() -> None:
        raise ValueError("for the test")

    kept = tasks.keep(fail, "failing")
    await asyncio.sleep(0.01)
    await tasks.stop()

    assert kept.cancelled()
