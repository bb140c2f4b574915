"""PostgreSQL vanishes without a reset, grows slow, turns read-only, or another host takes over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from callrouter.core.call import Call, Revision, replace
from callrouter.errors import DatabaseRefused, DatabaseUnreachable, StoreError
from callrouter.store import connecting, pool
from callrouter.store import database as database_module
from callrouter.store.connecting import hosts_of
from callrouter.store.database import ENGINE_STATEMENT_SECONDS, Database
from callrouter.store.writing import writer
from tests.store.test_recorder import count, drained, end, recording, spooled
from tests.weak_line import WeakLine, weak_line

MakeCall = Callable[..., Call]
NOTICED_SECONDS = 10.0
"""Within which whoever uses a database that has vanished has an answer."""


@asynccontextmanager
async def line_to(url: URL | str) -> AsyncIterator[WeakLine]:
    """A line to a server that listens on a socket in a folder."""
    folder = make_url(url).query["host"]
    async with weak_line(lambda: asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")) as line:
        yield line


def over(line: WeakLine, url: URL) -> str:
    """The URL of the same database over a line."""
    parts = url.set(host="127.0.0.1", port=line.port).difference_update_query(["host"])
    return parts.render_as_string(hide_password=False)


@pytest.fixture
async def line(database: Database) -> AsyncIterator[WeakLine]:
    """A line to the tests' server."""
    async with line_to(database.url) as found:
        yield found


@pytest.fixture
async def far(database: Database, line: WeakLine) -> AsyncIterator[Database]:
    """The tests' database at the other end of the line, as the engine opens it."""
    found = await Database.open(over(line, database.url), Path("x"), statement_seconds=ENGINE_STATEMENT_SECONDS)
    yield found
    line.heal()
    await found.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """All limits a fourth of what they are."""
    for module, name in (
        (connecting, "CONNECT_SECONDS"),
        (connecting, "HOST_SECONDS"),
        (connecting, "PATIENCE_SECONDS"),
        (pool, "CONNECT_SECONDS"),
        (pool, "PING_SECONDS"),
        (writer, "SILENT_SECONDS"),
        (database_module, "ENGINE_STATEMENT_SECONDS"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name) / 4)


async def seconds_until_it_fails(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachable):
        await work()
    return time.monotonic() - began


async def test_whoever_asks_a_database_that_has_vanished_has_an_answer_soon(far: Database, line: WeakLine) -> None:
    """In the middle of a statement, with connections at hand, and when a new one is asked for."""

    async def in_the_middle() -> None:
        async with far.connection() as connection:
            await connection.execute(text("SELECT 1"))
            line.silence()
            await connection.execute(text("SELECT 2"))

    took = [await seconds_until_it_fails(in_the_middle), await seconds_until_it_fails(far.ping)]
    line.heal()
    await far.ping()

    assert max(took) <= NOTICED_SECONDS


@pytest.mark.usefixtures("hasty")
async def test_a_commit_whose_answer_never_comes_is_an_absence(far: Database, line: WeakLine) -> None:
    """And the next one who asks has a new connection."""

    async def never_told() -> None:
        async with far.connection() as connection:
            await connection.execute(text("CREATE TABLE never_told ()"))
            line.silence()

    await seconds_until_it_fails(never_told)
    line.heal()
    await far.ping()


async def ended_at_the_server(database: Database, line: WeakLine, connection: Any) -> None:
    """The server ends this connection: that is heard, and its end is still on the way."""
    pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    line.hold_ends()
    async with database.connection() as other:
        await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    await asyncio.sleep(0.1)


async def test_a_farewell_whose_end_is_still_on_the_way_is_an_absence(
    database: Database, far: Database, line: WeakLine
) -> None:
    """In the middle of a transaction; and a connection that waited for its next user is changed for another one."""

    async def in_the_middle() -> None:
        async with far.connection() as connection:
            await ended_at_the_server(database, line, connection)
            await connection.execute(text("SELECT 2"))

    await seconds_until_it_fails(in_the_middle)
    async with far.connection() as connection:
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with database.connection() as other:
        await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    await asyncio.sleep(0.1)

    await far.ping()


async def test_calls_wait_on_disk_while_the_database_is_silent(
    database: Database, far: Database, line: WeakLine, tmp_path: Path, make_call: MakeCall
) -> None:
    """It is noticed within seconds, though no connection breaks; afterwards every row is there once."""
    async with recording(far, tmp_path) as recorder:
        end(recorder, make_call(1))
        await drained(recorder)
        line.silence()
        silent_at = time.monotonic()
        end(recorder, *(make_call(number) for number in range(2, 302)))
        async with asyncio.timeout(2 * NOTICED_SECONDS):
            while not recorder.away_because:
                await asyncio.sleep(0.05)
        noticed = time.monotonic() - silent_at
        end(recorder, *(make_call(number) for number in range(302, 402)))
        async with asyncio.timeout(10):
            while not spooled(tmp_path):
                await asyncio.sleep(0.05)
        line.heal()
        healed_at = time.monotonic()
        await drained(recorder)
        back = time.monotonic() - healed_at

    assert noticed <= NOTICED_SECONDS
    # The last try may still wait for an answer to a connection that was asked for in the silence.
    assert back <= connecting.CONNECT_SECONDS + 1.0
    assert 401 == await count(database) == await count(database, "queue_visits")


@pytest.mark.usefixtures("hasty")
async def test_a_database_that_is_slow_at_each_statement_takes_all_calls(
    database: Database, far: Database, line: WeakLine, tmp_path: Path, make_call: MakeCall
) -> None:
    """Also those that are there already, for which a batch has some thirty statements; the loop is held up by none."""
    late: list[float] = []

    async def look() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.02)
            late.append(time.monotonic() - began - 0.02)

    async with recording(far, tmp_path) as recorder:
        end(recorder, make_call(1))
        await drained(recorder)
        watch = asyncio.get_running_loop().create_task(look())
        line.slow(0.25)  # with limits that are a fourth: two seconds a statement
        more = replace(make_call(1), revision=Revision(1795427775000, 10), hangup_cause=17)
        end(recorder, *(make_call(number) for number in range(2, 52)), more)
        await drained(recorder, 120)
        assert not recorder.away_because
        line.heal()
        watch.cancel()

    async with database.connection() as connection:
        cause = (
            await connection.execute(text("SELECT hangup_cause FROM calls WHERE call_id = 'call-000001'"))
        ).scalar()
    assert (await count(database), cause) == (51, 17)
    assert sorted(late)[len(late) * 99 // 100] < 0.1


async def test_a_pool_does_not_stay_with_a_server_that_turned_read_only(database: Database, far: Database) -> None:
    """As after a failover: sessions keep what they began with, and a sign of life says nothing of it."""
    name = database.url.database
    async with database.connection() as connection:
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    await far.engine.dispose()
    await far.ping()  # a session that begins as one that may only be read
    async with database.connection() as connection:
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = off"))

    async def write() -> None:
        async with far.connection() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS written ()"))

    with pytest.raises(DatabaseRefused, match="read-only"):
        await write()
    await write()


async def test_the_next_host_is_asked_when_the_first_has_vanished(
    database: Database,
) -> None:
    """Each by itself, and the one that served last first: the pool's connections and the recorder's alike."""
    async with line_to(database.url) as first, line_to(database.url) as second:
        first.silence()
        url = make_url(over(first, database.url)).set(host=None, port=None)
        url = url.update_query_dict({"host": "127.0.0.1,127.0.0.1", "port": f"{first.port},{second.port}"})
        began = time.monotonic()
        found = await Database.open(url.render_as_string(hide_password=False), Path("unused"))
        took = time.monotonic() - began
        raw = await found.connect_raw()
        await raw.close()
        await found.close()

    assert took < 2 * connecting.HOST_SECONDS, "the first was waited for more than once"
    assert first.taken == 1


async def test_of_several_hosts_one_that_takes_no_writes_is_passed_over(database: Database, server: Any) -> None:
    """As the old primary does that has come back as a standby."""
    standby = await server.new_database()
    other = await asyncpg.connect(standby)
    await other.execute(f"ALTER DATABASE {make_url(standby).database} SET default_transaction_read_only = on")
    await other.close()
    async with line_to(database.url) as line:
        folder = database.url.query["host"]
        url = database.url.set(database=make_url(standby).database)
        url = url.update_query_dict({"host": f"{folder},127.0.0.1", "port": f"5432,{line.port}"})
        with pytest.raises(DatabaseUnreachable, match="takes no writes"):
            await Database.open(url.render_as_string(hide_password=False), Path("unused"))


@pytest.mark.parametrize(
    ("query", "hosts"),
    [
        ("//u@h:5/d", ["h:5"]),
        ("//u@/d?host=a,b&port=1,2", ["a:1", "b:2"]),
        ("//u@/d?host=a:1&host=b:2", ["a:1", "b:2"]),
        ("//u@/d?host=a,b&port=7", ["a:7", "b:7"]),
        ("//u@/d?host=a,b", ["a:None", "b:None"]),
    ],
)
def test_the_hosts_of_a_url(query: str, hosts: list[str]) -> None:
    found = hosts_of(make_url(f"postgresql:{query}"))

    assert [f"{one.host}:{one.port}" for one in found] == hosts


def test_folders_of_sockets_are_hosts_too() -> None:
    found = hosts_of(make_url("postgresql://u@/d?host=/run/a,/run/b,c&port=1,2,3&sslmode=disable"))

    assert [one.query.get("host", one.host) for one in found] == ["/run/a", "/run/b", "c"]
    assert [one.query.get("port", one.port) for one in found] == ["1", "2", 3]
    assert {one.query["sslmode"] for one in found} == {"disable"}


async def test_hosts_and_ports_that_do_not_match_are_refused() -> None:
    with pytest.raises(StoreError, match="several hosts, and another number of ports"):
        await Database.open("postgresql://u@/d?host=a,b,c&port=1,2", Path("unused"))
