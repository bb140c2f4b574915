"""What was told last is known until it cannot be asked, or is old."""

from __future__ import annotations

import asyncio

from callrouter.errors import DatabaseUnreachable
from callrouter.runtime.watch import Watch


async def test_what_cannot_be_asked_is_not_known() -> None:
    """And is known again once it can."""
    answers = iter((7, None, 8))

    async def ask() -> int:
        answer = next(answers)
        if answer is None:
            raise DatabaseUnreachable("PostgreSQL does not answer")
        return answer

    watch = Watch(ask, "things are")
    assert watch.seen is None
    for expected in (7, None, 8):
        await watch.look()
        assert watch.seen == expected


async def test_what_is_old_is_not_known() -> None:
    async def ask() -> int:
        return 7

    watch = Watch(ask, "things are", stale_seconds=0.0)
    await watch.look()
    assert watch.seen is None


async def test_nothing_is_asked_at_once() -> None:
    """Calls are taken over then."""
    asked = asyncio.Event()

    async def ask() -> int:
        asked.set()
        return 7

    slow, quick = Watch(ask, "things are", every_seconds=60.0), Watch(ask, "things are", every_seconds=0.01)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(slow.run())
        await asyncio.sleep(0.05)
        assert not asked.is_set()
        task.cancel()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(quick.run())
        await asked.wait()
        task.cancel()
    assert quick.seen == 7
