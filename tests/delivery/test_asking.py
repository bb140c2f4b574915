"""From the call to the queue, on a real PostgreSQL that is there, away, or there again."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest

from callrouter.store.database import Database
from callrouter.store.dispatch.events import CHANNEL
from tests.delivery.rooms import MONDAY, Rows, asked_for, asking_of, running
from tests.patience import ANSWER_SECONDS, START_SECONDS

HOOK = "https://crm.example/hook"


async def test_what_a_call_asks_for_is_queued_and_the_worker_hears_of_it(database: Database, tmp_path: Path) -> None:
    """Due since it was asked for, with the body that the tree made; asked for twice it is one."""
    heard = asyncio.Event()
    raw = await database.connect_raw()
    await raw.add_listener(CHANNEL, lambda *_: heard.set())
    asking = asking_of(database, tmp_path)
    asking.observe((*asked_for(HOOK), *asked_for(HOOK)))
    async with running(asking):
        row = (await Rows(database).until_there("c1"))["c1"]
        async with asyncio.timeout(ANSWER_SECONDS):
            await heard.wait()
    await raw.close()

    assert await Rows(database).ids() == ["c1-n0"]
    assert (row["kind"], row["client"], row["contact"], row["means"]) == ("notification", "acme", "crm", "webhook")
    assert (row["address"], row["state"], row["attempts"], row["message_id"]) == (HOOK, "queued", 0, None)
    assert row["queued_at"] == row["next_attempt_at"] == row["changed_at"] == MONDAY
    assert json.loads(str(row["body"]))["data"] == {"a": "b"}
    assert asking.backlog == 0


async def test_an_engine_that_stops_leaves_what_it_was_asked_for_in_the_queue(
    database: Database, tmp_path: Path
) -> None:
    """Though it never ran."""
    asking = asking_of(database, tmp_path)
    asking.observe(asked_for(HOOK))
    await asking.flush()

    assert await Rows(database).ids() == ["c1-n0"]
    assert asking.backlog == 0


async def test_what_was_asked_for_while_postgresql_was_away_is_queued(database: Database, tmp_path: Path) -> None:
    """It waits on disk, not in memory, and all of it is queued when PostgreSQL is back."""
    asking, calls = asking_of(database, tmp_path), [f"c{number}" for number in range(3)]
    async with running(asking):
        await _run(database, "ALTER TABLE deliveries RENAME TO elsewhere")
        for call in calls:
            asking.observe(asked_for(HOOK, call))
            async with asyncio.timeout(START_SECONDS):
                while len(_lines(tmp_path)) < asking.backlog or call not in "".join(_lines(tmp_path)):
                    await asyncio.sleep(0.02)
        assert asking.backlog == len(calls)
        await _run(database, "ALTER TABLE elsewhere RENAME TO deliveries")
        await Rows(database).until_there(*calls)
        async with asyncio.timeout(START_SECONDS):
            while asking.backlog:
                await asyncio.sleep(0.02)

    assert not (tmp_path / "notifications.jsonl").exists()
    assert len(await Rows(database).ids()) == len(calls)


@pytest.mark.parametrize("killed", [True, False])
async def test_what_was_asked_for_while_postgresql_was_away_is_queued_by_the_next_engine(
    database: Database, tmp_path: Path, killed: bool
) -> None:
    """By the engine after the one that ended meanwhile; a line that a dying machine cut costs no other."""
    away = Database(database.url.set(database="nowhere"))
    first = asking_of(away, tmp_path)
    first.observe(asked_for(HOOK))
    if killed:
        async with running(first):
            async with asyncio.timeout(START_SECONDS):
                while not _lines(tmp_path):
                    await asyncio.sleep(0.02)
            await asyncio.sleep(1.5)  # it is tried again, and put there once
    else:
        await first.flush()
    assert len(_lines(tmp_path)) == 1
    with (tmp_path / "notifications.jsonl").open("ab") as file:
        file.write(b'{"notification_id": "c1-n')

    asking = asking_of(database, tmp_path)
    async with running(asking):
        await Rows(database).until_there("c1")
        async with asyncio.timeout(START_SECONDS):
            while (tmp_path / "notifications.jsonl").exists():
                await asyncio.sleep(0.02)
    await away.close()

    assert await Rows(database).ids() == ["c1-n0"]


async def test_cancelled_wherever_it_waits_nothing_on_disk_is_lost_or_doubled(
    database: Database, tmp_path: Path
) -> None:
    """An engine that is killed while it brings what its predecessor left into the queue leaves it to the next."""
    chance = random.Random(3)
    away = Database(database.url.set(database="nowhere"))
    calls = [f"c{number}" for number in range(200)]
    first = asking_of(away, tmp_path)
    for call in calls:
        first.observe(asked_for(HOOK, call))
    await first.flush()
    await away.close()

    for _ in range(20):
        async with running(asking_of(database, tmp_path)):
            await asyncio.sleep(chance.uniform(0, 0.04))
    async with running(asking_of(database, tmp_path)):
        await Rows(database).until_there(*calls)

    assert sorted(await Rows(database).ids()) == sorted(f"{call}-n0" for call in calls)


def _lines(folder: Path) -> list[str]:
    path = folder / "notifications.jsonl"
    return path.read_text().splitlines() if path.exists() else []


async def _run(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        await connection.exec_driver_sql(statement)
