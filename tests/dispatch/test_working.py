"""The lease, workers that die, and PostgreSQL that goes away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from callrouter.core.dispatch import Means, Step
from callrouter.dispatch import working
from callrouter.dispatch.listening import listen
from callrouter.errors import DatabaseRefused, LeaseLost
from callrouter.runtime.tasks import Tasks
from callrouter.store.dispatch.lease import Lease
from tests.dispatch.rooms import Office, a_plan, hook, reach, rule
from tests.patience import START_SECONDS
from tests.runtime.web_service import WebService


class Killed(BaseException):
    """A worker ends here."""


async def expired(office: Office) -> None:
    """Whoever has the lease has not renewed it."""
    async with office.database.connection() as connection:
        await connection.execute(text("UPDATE leases SET until = clock_timestamp() - interval '1 second'"))


async def test_one_has_the_lease_until_it_ends(office: Office) -> None:
    one, two = Lease(office.database, "dispatch", "one"), Lease(office.database, "dispatch", "two")

    assert [await one.take(), await two.take(), await one.take()] == [True, False, True]
    await expired(office)
    assert [await two.take(), await one.take()] == [True, False]
    async with office.database.connection() as connection:
        await two.check(connection)
        with pytest.raises(LeaseLost):
            await one.check(connection)
    await two.release()
    assert await one.take()


async def test_who_has_lost_it_changes_nothing_even_before_it_knows(office: Office) -> None:
    """Stopped for a while (SIGSTOP, a machine that sleeps), it still believes that the lease is its own."""
    one, two = Lease(office.database, "dispatch", "one"), Lease(office.database, "dispatch", "two")
    await one.take()
    await expired(office)
    await two.take()

    assert one.is_held
    async with office.database.connection() as connection:
        with pytest.raises(LeaseLost, match="somebody else's"):
            await one.check(connection)
    assert not one.is_held


async def test_of_two_workers_one_sends(office: Office, crm: WebService) -> None:
    office.plan = a_plan(reach("anne", crm.url("good")))
    async with office.works("one"), office.works("two"):
        for number in range(30):
            await office.message(f"m{number}", deliver="anne")
        await office.has(accepted=30)

    assert len(crm.asked) == 30


async def unsettled(office: Office) -> bool:
    """Whether something is still to be sent, or on its way."""
    # In one statement: between two of them what is new becomes what is to be sent, and neither would see it.
    ((many,),) = await office.rows(
        """SELECT (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending'))
                  + (SELECT count(*) FROM dispatches WHERE state = 'new')"""
    )
    return bool(many)


async def test_killed_at_any_statement_nothing_is_lost_and_nothing_is_told_twice(
    office: Office, crm: WebService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies before each of its statements in turn, and the next one goes on.

    A web service is told again only where the worker died between sending and writing that down.
    """
    office.plan = a_plan(reach("anne", crm.url("good")), policy=rule(hook("anne", wait=600)))
    database = office.database
    connection_of = database.connection
    for died_at in range(1, 14):
        await office.message(f"m{died_at}")
        asked_before, begun = len(crm.asked), 0

        def dying(died_at: int = died_at) -> object:
            nonlocal begun
            begun += 1
            if begun == died_at:
                raise Killed
            return connection_of()

        worker = office.worker(f"worker {died_at}")
        monkeypatch.setattr(database, "connection", dying)
        run = Tasks(lambda *_: None)
        task = run.start(worker.run(), "worker")
        await asyncio.wait([task], timeout=2)
        monkeypatch.setattr(database, "connection", connection_of)
        await run.stop()
        await expired(office)
        async with office.works(f"successor {died_at}") as due:
            async with asyncio.timeout(START_SECONDS):
                while await unsettled(office):
                    office.clock.passes(timedelta(seconds=2))
                    due.set()
                    await asyncio.sleep(0.05)
        assert 1 <= len(crm.asked) - asked_before <= 2

    assert await office.rows("SELECT count(*) FROM deliveries WHERE state <> 'accepted'") == [(0,)]
    ids = {line for one in crm.asked for line in one.split(b"\r\n") if b"Idempotency-Key" in line}
    assert len(ids) == 13


async def test_killed_at_any_statement_nobody_is_to_be_rung_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies before each of its statements in turn: the telling by telephone is there once, and an engine's."""
    policy = rule(Step(to=("anne",), by=(Means.PHONE,), wait_seconds=600.0))
    office.plan = a_plan(reach("anne", number="+33639980001"), policy=policy)
    database = office.database
    connection_of = database.connection
    for died_at in range(1, 9):
        await office.message(f"m{died_at}")
        begun = 0

        def dying(died_at: int = died_at) -> object:
            nonlocal begun
            begun += 1
            if begun == died_at:
                raise Killed
            return connection_of()

        worker = office.worker(f"worker {died_at}")
        monkeypatch.setattr(database, "connection", dying)
        run = Tasks(lambda *_: None)
        task = run.start(worker.run(), "worker")
        await asyncio.wait([task], timeout=2)
        monkeypatch.setattr(database, "connection", connection_of)
        await run.stop()
        await expired(office)
        async with office.works(f"successor {died_at}") as due:
            await office.has(due=due, queued=died_at)

    assert await office.rows("SELECT count(DISTINCT message_id), count(*) FROM deliveries") == [(8, 8)]


@pytest.mark.parametrize("how", ["hangs", "fails"])
async def test_what_other_systems_cannot_be_told_holds_up_nobody(
    office: Office, crm: WebService, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People are told, the lease is renewed, the worker works; and other kinds of things are told."""
    monkeypatch.setattr(working, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(working, "STALE_SECONDS", 0.05)
    office.plan = a_plan(reach("anne", crm.url("good")))
    asked = {"one": 0, "other": 0}

    async def one() -> int:
        asked["one"] += 1
        if how == "fails":
            raise DatabaseRefused("cut off after 30 s")
        await asyncio.Event().wait()
        return 0

    async def other() -> int:
        asked["other"] += 1
        return 0

    office.tellers = (one, other)
    with capture_logs() as lines:
        async with office.works() as due:
            for number in range(3):
                await office.message(f"m{number}", deliver="anne")
                await office.has(due=due, accepted=number + 1)
                await expired(office)
                await office.looks(due)
            worker = office._worker
            assert worker is not None
            assert worker.works
            async with asyncio.timeout(START_SECONDS):
                while await office.rows("SELECT 1 FROM leases WHERE until > clock_timestamp()") == []:
                    await asyncio.sleep(0.02)

    said = [line["event"] for line in lines]
    assert [line for line in lines if line["event"] == "nobody is told of messages: PostgreSQL is away"] == []
    assert said.count("other systems are not told all that they want to know") == (how == "fails")
    assert asked["one"] == 1 if how == "hangs" else asked["one"] > 1
    assert asked["other"] > 1
    assert await office.rows("SELECT count(*) FROM deliveries WHERE state = 'unknown'") == [(0,)]


async def test_a_teller_that_has_lost_the_lease_has_the_worker_ask(office: Office, crm: WebService) -> None:
    """Nothing is sent by the one that lost it; who has it is told by nobody else."""
    office.plan = a_plan(reach("anne", crm.url("good")))
    lost = asyncio.Event()

    async def one() -> int:
        lost.set()
        raise LeaseLost("the lease is somebody else's now")

    office.tellers = (one,)
    async with office.works() as due:
        await office.message(deliver="anne")
        await office.has(due=due, accepted=1)
        async with asyncio.timeout(START_SECONDS):
            await lost.wait()

    assert len(crm.asked) == 1


async def test_it_hears_of_a_message_at_once(office: Office) -> None:
    """By NOTIFY, not by looking; and again after the connection was lost."""
    heard = asyncio.Event()
    tasks = Tasks()
    tasks.start(listen(office.database, heard.set), "listening")
    async with asyncio.timeout(START_SECONDS):
        await heard.wait()
        for number in range(2):
            heard.clear()
            await office.message(f"m{number}")
            await heard.wait()
            heard.clear()
            async with office.database.connection() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'callrouter rows' AND datname = current_database()"
                    )
                )
            await heard.wait()
    await tasks.stop()
