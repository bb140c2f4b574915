"""A background task has a name and somebody who notices its death."""

from __future__ import annotations

import asyncio

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
