"""Our own PostgreSQL, in a data folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from callrouter.errors import StoreError
from callrouter.store.database import Database


async def _comes_to(database: Database, *, answers: bool, seconds: float) -> bool:
    """Whether it answers, or does not, within that time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await _answers(database) is not answers:
                await asyncio.sleep(0.05)
            return True
    return False


async def _answers(database: Database) -> bool:
    try:
        await database.ping()
    except StoreError:
        return False
    return True


async def test_a_server_that_died_is_started_again(tmp_path: Path) -> None:
    """By whoever uses it next: it is the child of nobody who would."""
    database = await Database.open(None, tmp_path)
    try:
        (pid, *_) = (tmp_path / "postgres" / "postmaster.pid").read_text().splitlines()
        os.kill(int(pid), signal.SIGKILL)
        assert await _comes_to(database, answers=False, seconds=5.0)  # a server's children outlive it by an instant

        assert await _comes_to(database, answers=True, seconds=20.0)
        assert database.away_because is None
    finally:
        await database.close()
