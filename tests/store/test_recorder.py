"""Calls become rows, exactly once, whatever PostgreSQL, the disk and the callers do meanwhile."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from callrouter.core.call import Call, CallerId, Visit, replace
from callrouter.core.facts import CallEnded, CallStarted
from callrouter.store import recorder as recorder_module
from callrouter.store.calls import find_call
from callrouter.store.database import Database
from callrouter.store.recorder import Recorder
from callrouter.store.trace import call_json
from callrouter.store.writing.spool import Spool
from callrouter.store.writing.writer import Writer

MakeCall = Callable[..., Call]


@asynccontextmanager
async def recording(database: Database, folder: Path, **options: Any) -> AsyncIterator[Recorder]:
    """A recorder at work; closed at the end."""
    recorder = Recorder(database, folder, **options)
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run())
        yield recorder
        await recorder.close(5)


async def drained(recorder: Recorder, seconds: float = 20) -> None:
    """Wait until nothing waits."""
    async with asyncio.timeout(seconds):
        while recorder.backlog:
            await asyncio.sleep(0.01)


async def count(database: Database, table: str = "calls") -> int:
    """The rows of a table."""
    async with database.connection() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


def spooled(folder: Path) -> list[Path]:
    """The files that wait in a spool."""
    return list(folder.glob("calls-*.jsonl"))


def end(recorder: Recorder, *calls: Call) -> None:
    """Tell the recorder that calls have ended."""
    for call in calls:
        recorder.observe([CallStarted(call=call), CallEnded(call=call)])


async def test_a_call_is_a_row_and_a_call_again(database: Database, tmp_path: Path, make_call: MakeCall) -> None:
    """With its visits, queue visits, dials, messages and clocks, to the microsecond; and its parts are rows too."""
    call = make_call(7)

    async with recording(database, tmp_path) as recorder:
        end(recorder, call)
        await drained(recorder)
        assert call == await find_call(database, call.call_id)

    async with database.connection() as connection:
        visit = (await connection.execute(text("SELECT * FROM queue_visits"))).mappings().one()
        message = (await connection.execute(text("SELECT * FROM messages"))).mappings().one()
        row = (await connection.execute(text("SELECT * FROM calls"))).mappings().one()
    assert (
        visit["call_id"],
        visit["position"],
        visit["queue"],
        visit["agent"],
        visit["outcome"],
        visit["waiting_seconds"],
    ) == ("call-000007", 1, "medical", "anne", "answered", 7.75)
    assert (message["recording"], message["state"], message["client"]) == ("rec-7", "open", "cabinet-moreau")
    assert (
        row["node_path"],
        row["waiting_seconds"],
        row["talk_seconds"],
    ) == ("hours → welcome → secretaries", 12.75, 60.0)
    assert (recorder.backlog, recorder.oldest_seconds, recorder.written_total, recorder.failed_total) == (0, 0.0, 1, 0)


async def test_a_call_is_there_soon(database: Database, tmp_path: Path, make_call: MakeCall) -> None:
    """Within a few flushes, without anybody asking."""
    async with recording(database, tmp_path) as recorder:
        end(recorder, make_call(1))
        await drained(recorder)
        end(recorder, make_call(2))
        async with asyncio.timeout(10):
            await drained(recorder)


async def test_told_twice_is_recorded_once(database: Database, tmp_path: Path, make_call: MakeCall) -> None:
    """In one batch, in two, and from an earlier run; the first record stands, its parts with it."""
    first = make_call(1)
    second = replace(make_call(1), caller=CallerId(name="somebody else"), queue_visits=(), messages=())

    async with recording(database, tmp_path) as recorder:
        end(recorder, first, first, make_call(2))
        await drained(recorder)
        end(recorder, second, make_call(3))
        await drained(recorder)

    assert first == await find_call(database, first.call_id)
    assert (
        await count(database),
        await count(database, "queue_visits"),
        await count(database, "messages"),
    ) == (3, 3, 3)


@pytest.mark.parametrize(
    "name",
    [
        "NUL \x00 here",
        "lone \ud83d surrogate",
        "\\u0000",
        "a\r\nb\tc\\N",
        "\U0001f600é\u202e",
        "'; DROP TABLE calls --",
        "x" * 500,
    ],
)
async def test_hostile_names_are_text(database: Database, tmp_path: Path, make_call: MakeCall, name: str) -> None:
    """Wherever they stand; only what PostgreSQL cannot hold is replaced, and the neighbours do not suffer."""
    base = make_call(1)
    hostile = replace(
        base,
        caller=CallerId(number=name, name=name),
        did=name,
        variables={name: name},
        visits=(Visit(node=name, exit=name, because=name, at=base.clocks.ringing_at),),
        queue_visits=(replace(base.queue_visits[0], agent=name, queue=name),),
        messages=(replace(base.messages[0], deliver=name),),
    )

    async with recording(database, tmp_path) as recorder:
        end(recorder, make_call(2), hostile, make_call(3))
        await drained(recorder)

    stored = await find_call(database, hostile.call_id)
    expected = name.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd")
    assert stored is not None
    assert expected == stored.caller.name == stored.visits[0].because == stored.variables[expected]
    assert expected == stored.queue_visits[0].agent == stored.messages[0].deliver
    assert await count(database) == 3
    assert recorder.failed_total == 0


async def test_a_poisonous_call_is_set_aside_alone(database: Database, tmp_path: Path, make_call: MakeCall) -> None:
    """PostgreSQL refuses the row for what it holds: its neighbours are written, it is kept in a file."""
    calls = [make_call(number) for number in range(40)]
    calls[11] = replace(calls[11], hangup_cause=2**40)
    calls[23] = replace(calls[23], clocks=replace(calls[23].clocks, ended_at=None))
    calls[31] = replace(calls[31], disposition="unheard of")  # type: ignore[arg-type]

    async with recording(database, tmp_path) as recorder:
        end(recorder, *calls)
        await drained(recorder)

    assert 37 == await count(database) == await count(database, "queue_visits")
    assert recorder.failed_total == 3
    aside = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert {"call-000011", "call-000023", "call-000031"} == {json.loads(one["record"])["call_id"] for one in aside}
    assert "calls_disposition_check" in "".join(one["reason"] for one in aside)


async def test_nothing_is_lost_or_doubled_when_postgresql_restarts(
    own_server: Any, tmp_path: Path, make_call: MakeCall
) -> None:
    """Two crashes in the middle of a stream of calls, long enough that some go over the disk."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    sent = 0
    async with recording(database, tmp_path, spool_after_seconds=0.3) as recorder:
        for chunk in range(60):
            end(recorder, *(make_call(sent + number) for number in range(100)))
            sent += 100
            await asyncio.sleep(0.02)
            if chunk in (15, 40):
                await asyncio.to_thread(own_server.crash)
            if chunk == 30:
                async with asyncio.timeout(5):
                    while not spooled(tmp_path):
                        await asyncio.sleep(0.05)
                assert recorder.away_because
                assert recorder.oldest_seconds > 0.2
            if chunk in (30, 50):
                await asyncio.to_thread(own_server.start)
        await drained(recorder)
        assert recorder.away_because is None

    assert sent == await count(database) == await count(database, "queue_visits") == await count(database, "messages")
    assert spooled(tmp_path) == []
    await database.close()


async def test_a_postgresql_that_is_away_is_not_logged_at_each_try(
    own_server: Any, tmp_path: Path, make_call: MakeCall
) -> None:
    """One line for each reason, and one with the count when it is back."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    await asyncio.to_thread(own_server.crash)
    with capture_logs() as logs:
        async with recording(database, tmp_path) as recorder:
            end(recorder, make_call(1))
            await asyncio.sleep(2)
            await asyncio.to_thread(own_server.start)
            await drained(recorder)
    await database.close()

    *away, back = [one for one in logs if "PostgreSQL" in one["event"]]
    assert {one["event"] for one in away} == {"PostgreSQL takes no calls; they are kept"}
    assert len(away) == len({one["reason"] for one in away})
    assert (back["event"], back["tries"] > len(away)) == ("PostgreSQL takes calls again", True)


async def test_a_call_on_its_way_to_the_disk_still_waits(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its number nor its age drops out of what is shown while it stands in the writer's hands."""
    recorder = Recorder(database, tmp_path)
    end(recorder, make_call(1))
    await asyncio.sleep(0.05)
    shown: list[tuple[int, float]] = []
    append = Spool.append

    def look(spool: Spool, lines: Sequence[str], oldest_at: float) -> None:
        shown.append((recorder.backlog, recorder.oldest_seconds))
        append(spool, lines, oldest_at)

    monkeypatch.setattr(Spool, "append", look)
    await recorder.close()

    ((backlog, oldest_seconds),) = shown
    assert backlog == 1
    assert oldest_seconds >= 0.05


async def test_a_call_on_the_disk_needs_no_other_record(own_server: Any, tmp_path: Path, make_call: MakeCall) -> None:
    """While PostgreSQL is away Asterisk's journal does not grow; the next start knows at once what waits."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    own_server.crash()
    durable: list[str] = []
    calls = [make_call(number) for number in range(50)]
    async with (
        asyncio.timeout(20),
        recording(database, tmp_path, spool_after_seconds=0, on_durable=durable.extend) as recorder,
    ):
        end(recorder, *calls)
        while len(durable) < 50:
            await asyncio.sleep(0.05)
        assert spooled(tmp_path)
    assert durable == [call.call_id for call in calls]

    with spooled(tmp_path)[0].open("ab") as cut:
        cut.write(call_json(make_call(99)).encode()[:40])
    known: list[str] = []
    successor = Recorder(database, tmp_path, on_durable=known.extend)
    async with asyncio.TaskGroup() as group:
        group.create_task(successor.run())
        await successor.adopted.wait()
        assert known == durable
        await successor.close(1)
    own_server.start()
    await database.close()


async def test_what_is_left_at_the_end_waits_on_disk_for_the_next_start(
    own_server: Any, tmp_path: Path, make_call: MakeCall
) -> None:
    """Closed while PostgreSQL is away: quickly, and every call is recorded by the next run, odd texts too."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    odd = replace(make_call(99), caller=CallerId(name="NUL \x00 and \ud83d"))
    own_server.crash()
    async with asyncio.timeout(20), recording(database, tmp_path) as recorder:
        end(recorder, *(make_call(number) for number in range(50)), odd)
        await asyncio.sleep(0.2)
    assert len(spooled(tmp_path)[0].read_bytes().splitlines()) == 51
    own_server.start()

    async with recording(database, tmp_path) as recorder:
        await asyncio.sleep(0.1)
        await drained(recorder)

    assert await count(database) == 51
    stored = await find_call(database, odd.call_id)
    assert stored is not None
    assert stored.caller.name == "NUL \ufffd and \ufffd"
    assert spooled(tmp_path) == []
    await database.close()


async def test_a_frozen_postgresql_delays_the_end_no_longer_than_asked(
    own_server: Any, tmp_path: Path, make_call: MakeCall
) -> None:
    """The connection stands and nothing answers, in the middle of a batch larger than any buffer."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    recorder = Recorder(database, tmp_path)
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run())
        end(recorder, make_call(1))
        await drained(recorder)
        own_server.freeze()
        try:
            end(recorder, *(make_call(number) for number in range(2, 6002)))
            await asyncio.sleep(0.5)
            begun = time.monotonic()
            await recorder.close(0.5)
            assert time.monotonic() - begun < 3
        finally:
            own_server.thaw()

    async with recording(database, tmp_path) as recorder:
        await asyncio.sleep(0.1)
        await drained(recorder)
    assert 6001 == await count(database) == await count(database, "queue_visits")
    await database.close()


async def test_too_many_for_memory_go_over_the_disk(database: Database, tmp_path: Path, make_call: MakeCall) -> None:
    """PostgreSQL is slow (a lock holds it): memory stays bounded, and all arrive."""
    async with database.engine.connect() as blocker:
        await blocker.execute(text("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"))
        async with recording(database, tmp_path, memory_calls=500) as recorder:
            end(recorder, make_call(0))
            await asyncio.sleep(0.2)
            end(recorder, *(make_call(number) for number in range(1, 3000)))
            async with asyncio.timeout(10):
                while not spooled(tmp_path):
                    await asyncio.sleep(0.05)
            assert recorder.backlog == 3000
            await blocker.rollback()
            await drained(recorder)

    assert await count(database) == 3000


async def test_a_cut_line_is_set_aside_and_the_others_recorded(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """What a machine that lost its power leaves behind."""
    lines = [call_json(make_call(1)), call_json(make_call(2)), call_json(make_call(3))[:200]]
    (tmp_path / "calls-1-dead.jsonl").write_text("\n".join(lines))

    async with recording(database, tmp_path) as recorder:
        await asyncio.sleep(0.1)
        await drained(recorder)

    assert await count(database) == 2
    assert recorder.failed_total == 1
    assert "calls-1-dead.jsonl" in (tmp_path / "rejected.jsonl").read_text()
    assert not (tmp_path / "calls-1-dead.jsonl").exists()


@pytest.mark.parametrize("what", ["read", "remove"])
async def test_a_spool_that_cannot_be_read_for_a_while_ends_nobody(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """No file descriptor is left, or the disk stumbles: new calls are recorded all the same, and the old ones later."""
    monkeypatch.setattr(recorder_module, "_REPLAYED_CALLS", (50, 500))
    lines = [call_json(make_call(number)) for number in range(1200)]
    (tmp_path / "calls-1-dead.jsonl").write_text("\n".join(lines) + "\n")
    failed: list[OSError] = []

    def stumble() -> None:
        if len(failed) < 2:
            failed.append(OSError(errno.EMFILE, "Too many open files"))
            raise failed[-1]

    def reads(self: Spool, path: Path, size: int) -> Iterator[list[str]]:
        for number, batch in enumerate(read(self, path, size)):
            if number == 1:
                stumble()
            yield batch

    def removes(self: Spool, path: Path) -> None:
        stumble()
        remove(self, path)

    read, remove = Spool.read, Spool.remove
    monkeypatch.setattr(Spool, what, reads if what == "read" else removes)
    async with recording(database, tmp_path) as recorder:
        await asyncio.sleep(0.1)
        end(recorder, make_call(5000))
        async with asyncio.timeout(20):
            while recorder.backlog or spooled(tmp_path):
                await asyncio.sleep(0.01)

    assert len(failed) == 2
    assert await count(database) == 1201
    assert not spooled(tmp_path)


async def test_a_living_process_keeps_its_own_spool_until_it_ends(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one that starts in the same folder leaves alone what it still writes, and has it when it has ended."""
    monkeypatch.setattr(recorder_module, "_HELD_SECONDS", 0.1)
    unreachable = Database(database.url.set(database="nowhere"))
    leader = Recorder(unreachable, tmp_path, spool_after_seconds=0)
    async with asyncio.TaskGroup() as group:
        group.create_task(leader.run())
        end(leader, make_call(1))
        async with asyncio.timeout(10):
            while not spooled(tmp_path):
                await asyncio.sleep(0.05)

        async with recording(database, tmp_path) as follower:
            await asyncio.sleep(0.4)
            before = follower.backlog, leader.backlog
            await leader.close(1)
            async with asyncio.timeout(10):
                while not await count(database):
                    await asyncio.sleep(0.05)

    assert before == (0, 1)
    assert follower.written_total == 1
    await unreachable.close()
    assert spooled(tmp_path) == []


def test_a_file_has_no_name_before_it_has_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standby that looks at the folder while the leader makes a file finds none that it could lock first."""
    named: list[list[str]] = []
    lock = fcntl.flock

    def look_and_lock(descriptor: int, how: int) -> None:
        named.append([path.name for path in tmp_path.glob("calls-*")])
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", look_and_lock)
    spool = Spool(tmp_path)
    spool.append(["{}"], 0.0)
    left = Spool(tmp_path).adopt()

    assert named[0] == []
    assert (left.calls, left.call_ids, left.is_whole) == (0, [], False)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["{}\n"]
    spool.close()


async def test_a_lost_commit_is_not_written_twice(database: Database, make_call: MakeCall) -> None:
    """The connection broke after the commit and before its answer: the batch is told again."""
    writer = Writer(database)
    calls = [make_call(number) for number in range(20)]

    assert await writer.write(calls[:10]) == []
    assert await writer.write(calls) == []
    assert await writer.write(calls, maybe_known=True) == []

    assert 20 == await count(database) == await count(database, "messages")
    writer.close()
