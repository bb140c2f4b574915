"""The engine says for how long days wait that are to be made again, and the worker makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from sqlalchemy import text

from callrouter.core.call import Call
from callrouter.store.database import Database
from callrouter.store.figures.keeping import DayKeeper
from callrouter.store.figures.rebuilding import read_backlog
from callrouter.store.figures.watch import MarksWatch
from tests.patience import START_SECONDS
from tests.store.figures.test_rebuilding import some_call, write

HOUR_SECONDS = 3600.0


async def test_the_oldest_mark_is_told(database: Database, make_call: Callable[..., Call]) -> None:
    """None: nothing waits."""
    watch = MarksWatch(database)
    await watch.look()
    assert watch.seen == 0.0

    await write(database, [some_call(make_call, Random(1), 1)])
    async with database.connection() as connection:
        await connection.execute(text("UPDATE figure_marks SET noted_at = noted_at - interval '1 hour'"))
    await watch.look()
    assert watch.seen is not None
    assert HOUR_SECONDS <= watch.seen < 2 * HOUR_SECONDS


async def test_the_worker_that_works_makes_days(database: Database, make_call: Callable[..., Call]) -> None:
    """Another one does not."""
    works = False
    await write(database, [some_call(make_call, Random(1), number) for number in range(30)])
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(DayKeeper(database, lambda: works, every_seconds=0.02).run())
        await asyncio.sleep(0.2)
        assert (await read_backlog(database)).marks > 0
        works = True
        async with asyncio.timeout(START_SECONDS):
            while (await read_backlog(database)).marks:
                await asyncio.sleep(0.05)
        keeper.cancel()
