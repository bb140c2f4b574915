"""Opening a database: our own, somebody else's, and none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from callrouter.errors import DatabaseRefused, DatabaseUnreachable, StoreError
from callrouter.store import database as database_module
from callrouter.store import schema
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


async def test_somebody_elses_is_used_by_url(own_server: Any, tmp_path: Path) -> None:
    """A server that is named is connected to; nothing is upgraded unasked."""
    database = await Database.open(await own_server.new_database(), tmp_path)
    assert await database.current() is None

    await database.upgrade()

    await database.check_schema()
    assert not (tmp_path / "postgres").exists()
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


async def _execute(database: Database, *statements: str) -> None:
    async with database.connection() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_server_that_may_only_be_read(database: Database) -> None:
    """A standby: writing is refused, with the way out."""
    with pytest.raises(DatabaseRefused, match=r"cannot execute INSERT in a read-only .*name the primary"):
        await _execute(database, "SET TRANSACTION READ ONLY", "INSERT INTO gaps (from_at, reason) VALUES (now(), 'x')")


async def test_a_question_that_takes_too_long(database: Database) -> None:
    """Cut off by the server, and said in a sentence."""
    with pytest.raises(DatabaseRefused, match=r"statement timeout\. It took too long"):
        await _execute(database, "SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)")


@pytest.mark.parametrize(
    "code", ["53100", "53200", "55P03", "57014", "58030", "40P01", "42501", "42P01", "XX001", "F0000"]
)
async def test_whatever_is_not_about_the_rows_is_a_refusal(database: Database, code: str) -> None:
    """Full disk, no memory, locks, input and output, dead-locks, rights, missing tables, broken files."""
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'for the test' USING ERRCODE = '{code}'; END $$"

    with pytest.raises(DatabaseRefused, match="for the test") as caught:
        await _execute(database, raised)

    assert isinstance(caught.value, StoreError)
    await database.ping()


@pytest.mark.parametrize("statement", ["SELEC 1", "INSERT INTO gaps (from_at) VALUES (NULL)", "SELECT 1/0"])
async def test_our_own_mistakes_stay_what_they_are(database: Database, statement: str) -> None:
    """No operator can mend them: they come with their traceback."""
    with pytest.raises(DBAPIError):
        await _execute(database, statement)


async def test_a_migration_is_not_cut_off(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes: here, to wait for another process that migrates."""
    monkeypatch.setattr(database_module, "STATEMENT_SECONDS", 0.1)
    url = await server.new_database()
    other = await asyncpg.connect(url)
    await other.execute(f"SELECT pg_advisory_lock({schema._LOCK})")
    slow = await Database.open(url, Path("unused"))

    upgrading = asyncio.create_task(slow.upgrade())  # noqa: TID251
    await asyncio.sleep(0.4)
    await other.close()
    await upgrading

    await slow.check_schema()
    with pytest.raises(DatabaseRefused, match="statement timeout"):
        await _execute(slow, "SELECT pg_sleep(5)")  # the next user of that connection is cut off as before
    await slow.close()


async def test_a_migration_does_not_wait_for_a_lock_for_long(
    server: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who use the table would wait behind it."""
    monkeypatch.setattr(schema, "LOCK_SECONDS", 0.1)
    async with database.connection() as connection:
        await connection.run_sync(schema.downgrade, "0002")
    other = await asyncpg.connect(database.url.render_as_string(hide_password=False))
    async with other.transaction():
        await other.execute("LOCK TABLE plans IN ACCESS SHARE MODE")
        with pytest.raises(DatabaseRefused, match=r"lock timeout.*quieter time"):
            await database.upgrade()
    await other.close()

    await database.upgrade()
    await database.check_schema()
