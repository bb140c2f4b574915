"""Opening a database: our own, somebody else's, and none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callrouter.errors import DatabaseUnreachable, StoreError
from callrouter.store.database import Database


async def test_our_own_is_made_upgraded_and_found_again(data_dir: Path) -> None:
    """From an empty folder to this release's schema; a second opening sees the same data."""
    database = await Database.open(None, data_dir)
    await database.check_schema()
    async with database.connection() as connection:
        await connection.execute(text("INSERT INTO gaps (from_at, reason) VALUES (now(), 'kept')"))
    second = await Database.open(None, data_dir)
    await database.close()

    async with second.connection() as connection:
        assert (await connection.execute(text("SELECT reason FROM gaps"))).scalar_one() == "kept"
    await second.close()

    third = await Database.open(None, data_dir)
    await third.check_schema()
    await third.close()


async def test_two_processes_share_our_own_and_the_last_stops_it(data_dir: Path) -> None:
    """The engine and the web process; the one that leaves first takes nothing away."""
    database = await Database.open(None, data_dir)
    script = f"""
import asyncio, pathlib
from callrouter.store.database import Database
async def main():
    database = await Database.open(None, pathlib.Path({str(data_dir)!r}))
    await database.check_schema()
    await database.close()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await asyncio.wait_for(process.wait(), 60) == 0

    await database.ping()
    await database.close()
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


async def test_a_killed_process_does_not_keep_the_server_alive(data_dir: Path) -> None:
    """Its entry in the server's list of users is struck by whoever comes next."""
    first = await Database.open(None, data_dir)
    await first.close()
    (data_dir / "postgres" / ".handle_pids.json").write_text("[999999999]")

    second = await Database.open(None, data_dir)
    await second.close()

    assert not (data_dir / "postgres" / "postmaster.pid").exists()


async def test_somebody_elses_is_used_by_url(own_server: Any) -> None:
    """A server that is named is connected to; nothing is upgraded unasked."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    assert await database.current() is None

    await database.upgrade()

    await database.check_schema()
    assert not database.embedded
    await database.close()


async def test_nobody_answers(free_port: Callable[[], int]) -> None:
    """A sentence with the address, without the password."""
    with pytest.raises(DatabaseUnreachable, match=r"PostgreSQL at postgresql://anne:\*\*\*@127.0.0.1") as caught:
        await Database.open(f"postgresql://anne:secret@127.0.0.1:{free_port()}/calls", Path("unused"))

    assert "secret" not in str(caught.value)
    assert "CALLROUTER_DATABASE_URL" in str(caught.value)


async def test_a_database_that_does_not_exist(server: Any) -> None:
    """PostgreSQL's own words are kept."""
    url = server.url.replace("/postgres?", "/nowhere?")

    with pytest.raises(DatabaseUnreachable, match='database "nowhere" does not exist'):
        await Database.open(url, Path("unused"))


async def test_a_server_that_goes_away_is_unreachable_until_it_is_back(own_server: Any) -> None:
    """Reads in between fail with a sentence; the next one after it is back succeeds."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.ping()

    own_server.crash()
    with pytest.raises(DatabaseUnreachable):
        await database.ping()
    own_server.start()

    await database.ping()
    await database.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("calls", "is no URL"), ("mysql://host/calls", "names mysql"), ("postgresql://h:port/x", "is no URL")],
)
async def test_a_url_that_is_none(url: str, sentence: str) -> None:
    """Said before anything is tried."""
    with pytest.raises(StoreError, match=sentence):
        await Database.open(url, Path("unused"))


async def test_our_own_cannot_start(data_dir: Path) -> None:
    """The sentence names the folder and the log."""
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "PG_VERSION").write_text("18\n")

    with pytest.raises(DatabaseUnreachable, match=r"embedded PostgreSQL in .*postgres does not start .* log is"):
        await Database.open(None, data_dir)
