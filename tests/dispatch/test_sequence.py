"""Rows of one sequence go strictly one after the other: while receivers fail, workers are killed, and others wait."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from callrouter.delivery.backoff import PAUSES_SECONDS
from callrouter.store.dispatch.outbox import LEADING, find_queued
from tests.dispatch.rooms import MINUTE, Office
from tests.dispatch.test_killed import let_go
from tests.patience import START_SECONDS
from tests.runtime.web_service import WebService

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("WORKER_KILLS", "5"))
"""`make worker-kills` kills a hundred."""
TOGETHER = 3
"""So many workers live at a time."""


def ids(service: WebService) -> list[str]:
    """Of what it was sent, in order."""
    return [json.loads(asked.partition(b"\r\n\r\n")[2])["id"] for asked in service.asked]


async def asked(service: WebService, many: int) -> None:
    """It has been sent so much."""
    async with asyncio.timeout(START_SECONDS):
        while len(service.asked) < many:
            await asyncio.sleep(0.02)


async def test_one_is_not_sent_while_an_earlier_one_is_on_its_way(office: Office, crm: WebService) -> None:
    """However long ago it was due; what belongs to another sequence, or to none, does not wait for it."""
    answer = crm.hold()
    for number in range(3):
        await office.telling(f"a{number}", crm.url("good/a"), sequence="a")
        await office.telling(f"b{number}", crm.url("good/b"), sequence="b")
    await office.telling("single", crm.url("good"))
    async with office.works() as due:
        # A receiver that is new has one at a time: the first answer makes room for others.
        await asked(crm, 1)
        answer.set()
        await office.has(due=due, accepted=7)

    got = ids(crm)
    assert [one for one in got if one.startswith("a")] == ["a0", "a1", "a2"]
    assert [one for one in got if one.startswith("b")] == ["b0", "b1", "b2"]


async def test_the_first_of_each_sequence_is_all_that_is_found(office: Office, crm: WebService) -> None:
    """By number, whatever was due first; while one is on its way, nothing."""
    now = office.clock.now()
    await office.telling("a0", crm.url("good"), sequence="a")
    await office.telling("a1", crm.url("good"), sequence="a", next_attempt_at=now - MINUTE)
    await office.telling("b0", crm.url("good"), sequence="b", next_attempt_at=now + MINUTE)
    await office.telling("b1", crm.url("good"), sequence="b")
    on_its_way = {"state": "sending", "next_attempt_at": None, "sending_until": now + MINUTE}
    await office.telling("c0", crm.url("good"), sequence="c", **on_its_way)
    await office.telling("c1", crm.url("good"), sequence="c")

    async def found(later: timedelta = timedelta(0), **but: list[str]) -> list[str]:
        at = office.clock.now() + later
        return [one.delivery_id for one in await find_queued(office.database, at, 10, **but)]  # type: ignore[arg-type]

    assert await found() == ["a0"]
    assert await found(2 * MINUTE) == ["a0", "b0"]
    assert await found(in_hand=["a0"]) == []
    assert await found(passing_over=[crm.url("good")]) == []


async def test_one_that_fails_holds_up_its_sequence_until_it_has_failed_for_good(
    office: Office, crm: WebService, another: WebService
) -> None:
    """It is tried for nine hours; what waited so long behind it is tried once. What came later has hours of its own."""
    crm.away = True
    for number in range(3):
        await office.telling(f"a{number}", crm.url("good/a"), sequence="a")
        await office.telling(f"b{number}", another.url("good/b"), sequence="b")
    async with office.works() as due:
        await office.has(accepted=3, queued=3)
        for attempt, pause in enumerate(PAUSES_SECONDS[:-1], start=2):
            office.clock.passes(timedelta(seconds=pause * 1.2))
            due.set()
            await office.rows_are(
                "SELECT attempts, state <> 'sending' FROM deliveries WHERE delivery_id = 'a0'", (attempt, True)
            )
        await office.telling("a3", crm.url("good/a"), sequence="a")
        office.clock.passes(timedelta(hours=7))
        due.set()
        await office.has(due=due, accepted=3, queued=1, failed=3)
        crm.away = False
        office.clock.passes(10 * MINUTE)
        await office.has(due=due, accepted=4, failed=3)

    rows = await office.rows("SELECT delivery_id, state, attempts FROM deliveries WHERE sequence = 'a' ORDER BY number")
    assert rows[:3] == [("a0", "failed", 8), ("a1", "failed", 1), ("a2", "failed", 1)]
    assert rows[3][:2] == ("a3", "accepted")


async def test_an_address_that_nobody_can_be_told_at_lets_the_next_one_go(office: Office, crm: WebService) -> None:
    await office.telling("a0", "https://elsewhere.example/", sequence="a")
    await office.telling("a1", crm.url("good"), sequence="a")
    async with office.works() as due:
        await office.has(due=due, accepted=1, failed=1)

    ((answer,),) = await office.rows("SELECT answer FROM deliveries WHERE state = 'failed'")
    assert "CALLROUTER_OUTGOING_HOSTS" in answer


async def test_workers_that_are_killed_keep_the_order(office: Office, crm: WebService, database_url: str) -> None:
    """Three workers at once, and whichever works is killed; rows come meanwhile. What is repeated is repeated before
    the next one goes.
    """
    workers: list[subprocess.Popen[bytes]] = []
    numbers = iter(range(10_000))

    def begin() -> None:
        holder, address = f"worker {len(workers)}", f"crm={crm.url('good')}"
        command = [sys.executable, "-m", "tests.dispatch.one_worker", database_url, holder, address]
        workers.append(subprocess.Popen(command, cwd=ROOT))

    async def come(many: int) -> None:
        for _ in range(many):
            number = next(numbers)
            for sequence in ("a", "b", ""):
                await office.telling(f"{sequence}-{number:04}", crm.url(f"good/{sequence}"), sequence=sequence)

    async def unfinished() -> int:
        """How many there are; pauses before another try are over at once."""
        await office.rows("UPDATE deliveries SET next_attempt_at = queued_at WHERE state = 'queued' RETURNING 1")
        ((many,),) = await office.rows("SELECT count(*) FROM deliveries WHERE state <> 'accepted'")
        return int(many)

    async def who_works() -> subprocess.Popen[bytes]:
        """The one that has the lease, or had it last."""
        ((holder,),) = await office.rows("SELECT holder FROM leases")
        return workers[int(holder.partition(" ")[2])]

    try:
        for _ in range(KILLS):
            while sum(one.poll() is None for one in workers) < TOGETHER:
                begin()
            await come(10)
            async with asyncio.timeout(START_SECONDS):
                before = len(crm.asked)
                while len(crm.asked) < before + 7 and await unfinished():
                    await asyncio.sleep(0.05)
            await come(2)
            killed = await who_works()
            killed.kill()
            await asyncio.to_thread(killed.wait)
            await let_go(office.database)
        async with asyncio.timeout(START_SECONDS + KILLS):
            while await unfinished():
                await asyncio.sleep(0.1)
    finally:
        for worker in workers:
            worker.kill()
            await asyncio.to_thread(worker.wait)

    got = ids(crm)
    for sequence in ("a", "b"):
        of_it = [one for one in got if one.startswith(sequence)]
        assert of_it == sorted(of_it)
        assert len(set(of_it)) == 12 * KILLS


async def test_what_waits_behind_a_receiver_that_is_down_costs_nothing(office: Office) -> None:
    """A look for what is due does not read the rows that wait: told by PostgreSQL."""
    now = office.clock.now()
    await office.rows(
        """INSERT INTO deliveries (delivery_id, call_id, client, kind, contact, means, address, body, sequence,
                                   queued_at, next_attempt_at, changed_at)
           SELECT 'd' || n, 'c', 'acme', 'event', 'crm', 'webhook', 'http://127.0.0.1:9/', '{}', 's' || n % 10,
                  CAST(:now AS timestamptz), CASE WHEN n < 10 THEN CAST(:later AS timestamptz) ELSE :now END, :now
           FROM generate_series(0, 19999) n ORDER BY n RETURNING 1""",
        now=now,
        later=now + 60 * MINUTE,
    )
    async with office.database.connection() as connection:
        await connection.execute(text("ANALYZE deliveries"))
        explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {LEADING}")
        ((plan,),) = [tuple(row) for row in await connection.execute(explained)]

    read = sum(
        node["Actual Rows"] * node["Actual Loops"] for node in _nodes(plan[0]["Plan"]) if "Scan" in node["Node Type"]
    )
    assert await find_queued(office.database, now, 100) == []
    assert read < 100


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
