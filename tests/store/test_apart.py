"""Heavy work in processes of its own: done elsewhere, refused when too much waits, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from sqlalchemy import text

from callrouter.errors import Busy, StoreError
from callrouter.store import apart
from callrouter.store.apart import Apart, Here
from callrouter.store.database import Database

LOCK = 4711


async def where(database: Database, said: str) -> tuple[int, str]:
    """The process that works, and what PostgreSQL says."""
    async with database.connection() as connection:
        return os.getpid(), str((await connection.execute(text("SELECT :said"), {"said": said})).scalar_one())


async def wait_for_the_lock(database: Database) -> int:
    """Takes as long as the test wants."""
    async with database.connection() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        return os.getpid()


async def fail(_database: Database, kind: str) -> None:
    """As a report may."""
    raise ValueError(kind) if kind == "ours" else _Odd(kind, "two")


async def die(_database: Database) -> None:
    """As if the system had killed it, for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


class _Odd(Exception):
    """One that cannot be pickled: it takes two values, and keeps one."""

    def __init__(self, one: str, _two: str) -> None:
        super().__init__(one)


def _begun(asked: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(asked)


@pytest.fixture
async def workshop(database: Database) -> AsyncIterator[Apart]:
    """One process, and one job that may wait."""
    found = Apart(database, processes=1, waiting=1)
    yield found
    await found.close()


async def test_a_job_is_done_in_another_process(database: Database, workshop: Apart) -> None:
    """The same one each time, with the same database."""
    (one, said), (other, _) = await workshop.run(where, "hello"), await workshop.run(where, said="again")

    assert said == "hello"
    assert one == other != os.getpid()
    assert await Here(database).run(where, "here") == (os.getpid(), "here")


async def test_what_a_job_raises_is_raised(workshop: Apart) -> None:
    """Also what cannot be sent as it is; the process goes on."""
    with pytest.raises(ValueError, match="ours"):
        await workshop.run(fail, "ours")
    with pytest.raises(RuntimeError, match="_Odd: odd"):
        await workshop.run(fail, "odd")

    assert (await workshop.run(where, "still there"))[1] == "still there"


async def test_who_comes_when_too_many_wait_is_told_so(database: Database, workshop: Apart) -> None:
    """At once; those that wait are served."""
    async with database.connection() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        waiting = [_begun(workshop.run(wait_for_the_lock)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="ask again in some seconds"):
            await workshop.run(where, "too many")
        await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})

    assert len(await asyncio.gather(*waiting)) == 2
    assert (await workshop.run(where, "room again"))[1] == "room again"


async def test_a_process_that_dies_is_replaced(workshop: Apart) -> None:
    """Whoever asked is told; the next one gets an answer."""
    first, _ = await workshop.run(where, "before")
    with pytest.raises(StoreError, match="its process ended by itself"):
        await workshop.run(die)

    assert (await workshop.run(where, "after"))[0] != first


async def test_nobody_gets_the_answer_of_somebody_who_has_gone(database: Database, workshop: Apart) -> None:
    """Their job goes on to its end, and takes its place meanwhile."""
    async with database.connection() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        gone = _begun(workshop.run(wait_for_the_lock))
        await asyncio.sleep(0.1)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        mine = _begun(workshop.run(where, "mine"))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workshop.run(where, "too many")
        await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})

    assert (await mine)[1] == "mine"


async def test_processes_end_with_whoever_started_them(database: Database) -> None:
    """None goes on for nobody."""
    workshop = Apart(database, processes=1)
    (process, _) = await workshop.run(where, "hello")
    await workshop.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_whose_parent_was_killed_ends_by_itself() -> None:
    """Its input ends."""
    done = subprocess.run([sys.executable, "-c", apart._PROGRAM], stdin=subprocess.DEVNULL, check=False, timeout=60)

    assert done.returncode == 0


async def test_a_job_under_way_is_not_waited_for_at_the_end(database: Database) -> None:
    """A report of half a minute does not keep web from stopping."""
    workshop = Apart(database, processes=1)
    async with database.connection() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        asked = _begun(workshop.run(wait_for_the_lock))
        await asyncio.sleep(0.1)
        await workshop.close()

        with pytest.raises(asyncio.CancelledError):
            await asked
        await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
