"""Our own PostgreSQL, in a data folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from callrouter.errors import StoreError
from callrouter.store.database import Database


async def _answers_within(database: Database, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(StoreError):
                    await database.ping()
                    return True
                await asyncio.sleep(0.1)
    return False


async def test_a_server_that_died_is_started_again(tmp_path: Path) -> None:
    """By whoever uses it next: it is the child of nobody who would."""
    database = await Database.open(None, tmp_path)
    try:
        (pid, *_) = (tmp_path / "postgres" / "postmaster.pid").read_text().splitlines()
        os.kill(int(pid), signal.SIGKILL)
        with pytest.raises(StoreError):
            await database.ping()

        assert await _answers_within(database, 20.0)
        assert database.away_because is None
    finally:
        await database.close()
