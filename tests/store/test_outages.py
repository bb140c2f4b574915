"""PostgreSQL dies in the middle of a commit, another server takes over, a disk is full: afterwards every row is there
once, in its highest revision.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from callrouter.core.call import Call, Revision, replace
from callrouter.core.facts import CallCorrected
from callrouter.store.database import Database
from callrouter.store.recorder import Recorder
from tests.postgres import Server
from tests.store.small_disk import enlarge
from tests.store.test_database_vanishes import line_to, over
from tests.store.test_recorder import count, drained, end, recording, spooled

MakeCall = Callable[..., Call]
FAILOVER_SECONDS = float(os.environ.get("FAILOVER_SECONDS", "3"))
"""Until the standby is made the primary; 60 in a good set-up of Patroni's."""
LARGEST, GUESS = Revision(1795427775000, 10), Revision(1795427775000, 0)
"""Above and below what calls have (`make_call`)."""
CAUSE = 17
"""Of a call's highest revision."""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """With callrouter's tables."""
    database = Database(make_url(url))
    await database.upgrade()
    try:
        yield database
    finally:
        await database.close()


def correct(recorder: Recorder, *calls: Call) -> None:
    """Tell more of calls, and after that less than was told before."""
    recorder.observe([CallCorrected(call=replace(call, revision=LARGEST, hangup_cause=CAUSE)) for call in calls])
    recorder.observe([CallCorrected(call=replace(call, revision=GUESS, hangup_cause=18)) for call in calls])


async def assert_each_once(database: Database, calls: int, corrected: int) -> None:
    """So many calls with all that belongs to them, and so many of them as they were corrected."""
    counts = [await count(database, table) for table in ("calls", "queue_visits", "messages", "recordings")]
    assert counts == [calls] * 4
    async with database.connection() as connection:
        highest = text("SELECT count(*) FROM calls WHERE hangup_cause = :cause")
        assert (await connection.execute(highest, {"cause": CAUSE})).scalar_one() == corrected


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
@pytest.mark.parametrize("says", [b"COPY 40\x00", b"COMMIT\x00"], ids=["before", "after"])
async def test_a_server_killed_in_mid_commit(
    own_server: Server, tmp_path: Path, make_call: MakeCall, says: bytes, known: bool
) -> None:
    """Just before a batch is committed, and just after, when its answer is on the way and never comes."""
    calls = [make_call(number) for number in range(1, 41)]
    killed: list[bytes] = []

    def through(said: bytes) -> bytes:
        if says in said and not killed:
            killed.append(said)
            own_server.crash()
        return b"" if killed else said

    async with opened(await own_server.new_database()) as database, line_to(database.url) as line:
        far = Database(make_url(over(line, database.url)))
        async with recording(far, tmp_path) as recorder:
            end(recorder, make_call(0), *(calls if known else ()))
            await drained(recorder)
            line.through = through
            end(recorder, *calls)
            async with asyncio.timeout(20):
                while not recorder.away_because:
                    await asyncio.sleep(0.02)
            line.heal()
            correct(recorder, *calls[:7])
            await asyncio.to_thread(own_server.start)
            await drained(recorder)

        assert killed
        await assert_each_once(database, 41, 7)
        await far.close()


async def test_another_server_takes_over(
    own_server: Server, data_dir: Path, tmp_path: Path, make_call: MakeCall
) -> None:
    """The primary dies under a stream of calls. Its standby is promoted later, and takes writes no sooner."""
    at_once, sent, corrected = 5, 0, 0
    async with opened(await own_server.new_database()) as database:
        with own_server.standby(data_dir / "standby") as standby:
            hosts = {"host": f"{own_server.socket_dir},{standby}", "port": "5432,5432"}
            far = Database(database.url.update_query_dict(hosts))
            async with recording(far, tmp_path) as recorder:
                killed_at = promoted_at = 0.0
                began_at = time.monotonic()
                while not promoted_at or time.monotonic() < promoted_at + 0.5:
                    calls = [make_call(number) for number in range(sent, sent + at_once)]
                    end(recorder, *calls)
                    correct(recorder, calls[0])
                    sent, corrected = sent + at_once, corrected + 1
                    await asyncio.sleep(0.1)
                    now = time.monotonic()
                    if not killed_at and now > began_at + 1.0:
                        await asyncio.to_thread(own_server.crash)
                        killed_at = now
                    elif killed_at and not promoted_at and now > killed_at + FAILOVER_SECONDS:
                        assert recorder.away_because
                        assert "takes no writes" in recorder.away_because
                        await asyncio.to_thread(own_server.promote, standby)
                        promoted_at = time.monotonic()
                await drained(recorder)
            await assert_each_once(far, sent, corrected)
            await far.close()


async def test_a_full_disk_while_postgresql_is_away(own_server: Server, tiny_disk: Path, make_call: MakeCall) -> None:
    """Calls stay in memory; with room again they go to the disk, and with PostgreSQL to the tables."""
    calls = [make_call(number) for number in range(400)]
    async with opened(await own_server.new_database()) as database:
        await asyncio.to_thread(own_server.crash)
        with capture_logs() as logs:
            async with recording(database, tiny_disk, spool_after_seconds=0) as recorder:
                refuses = partial(getattr, recorder, "disk_refuses")
                end(recorder, *calls[:20])
                async with asyncio.timeout(20):
                    while not spooled(tiny_disk):
                        await asyncio.sleep(0.05)
                    end(recorder, *calls[20:])
                    while not refuses():
                        await asyncio.sleep(0.05)
                on_disk = 400 - recorder.memory_calls
                lines = sum(path.read_bytes().count(b"\n") for path in spooled(tiny_disk))
                correct(recorder, *calls[:5])
                enlarge(tiny_disk)
                async with asyncio.timeout(20):
                    while recorder.memory_calls or refuses():
                        await asyncio.sleep(0.05)
                await asyncio.to_thread(own_server.start)
                await drained(recorder)

        assert 20 <= on_disk == lines < 400
        assert [one["log_level"] for one in logs if "spool cannot be written" in one["event"]] == ["critical"]
        await assert_each_once(database, 400, 5)


async def test_a_full_disk_of_postgresqls(
    own_server: Server, tiny_disk: Path, tmp_path: Path, make_call: MakeCall
) -> None:
    """It is an outage: what it does not take waits on our disk until it has room."""
    calls = [make_call(number) for number in range(600)]
    shutil.chown(tiny_disk, own_server.handle.system_user)
    async with opened(await own_server.new_database()) as database:
        async with database.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(text(f"CREATE TABLESPACE small LOCATION '{tiny_disk}'"))
        async with database.connection() as within:
            await within.execute(text("ALTER TABLE calls SET TABLESPACE small"))
        async with recording(database, tmp_path / "spool", spool_after_seconds=0.2) as recorder:
            end(recorder, *calls)
            async with asyncio.timeout(20):
                while not spooled(tmp_path / "spool"):
                    await asyncio.sleep(0.05)
            assert recorder.away_because
            assert "No space left on device" in recorder.away_because
            correct(recorder, *calls[:5])
            await asyncio.to_thread(enlarge, tiny_disk)
            await drained(recorder)

        await assert_each_once(database, 600, 5)


async def test_what_a_server_that_is_slow_at_each_row_does_not_take_comes_in_smaller_batches(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog is no reason for a statement that never ends in time."""
    monkeypatch.setattr("callrouter.store.database.ENGINE_STATEMENT_SECONDS", 1.5)
    async with database.connection() as connection:
        body = "BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END"
        await connection.execute(text(f"CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"))
    nowhere = Database(database.url.set(database="nowhere"))
    async with recording(nowhere, tmp_path, spool_after_seconds=0) as recorder:
        end(recorder, *(make_call(number) for number in range(1500)))
        async with asyncio.timeout(20):
            while recorder.memory_calls:
                await asyncio.sleep(0.05)
    await nowhere.close()
    async with database.connection() as connection:
        slow = "CREATE TRIGGER slow BEFORE INSERT ON calls FOR EACH ROW EXECUTE FUNCTION slow()"
        await connection.execute(text(slow))

    with capture_logs() as logs:
        async with recording(database, tmp_path) as recorder:
            async with asyncio.timeout(10):
                await recorder.adopted.wait()
            await drained(recorder, 120)

    assert any("did not answer in time" in one.get("reason", "") or "timeout" in one.get("reason", "") for one in logs)
    await assert_each_once(database, 1500, 0)
