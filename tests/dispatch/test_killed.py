"""Workers that are killed with SIGKILL again and again, while messages come: nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from callrouter.store.database import Database
from tests.dispatch.rooms import Office
from tests.runtime.web_service import WebService

KILLS = int(os.environ.get("WORKER_KILLS", "6"))
"""`make worker-kills` kills a hundred."""
ROOT = Path(__file__).resolve().parents[2]


async def test_killed_again_and_again_nothing_is_lost(
    office: Office, crm: WebService, another: WebService, database_url: str
) -> None:
    """Each message reaches both who are to be told. One is told again only with the id of the first time, and only as
    often as a worker died between sending and writing it down: that has to be fewer than the kills, times the slots.
    """
    chance, number = random.Random(12), 0
    addresses = [f"anne={crm.url('good')}", f"bruno={another.url('good')}"]

    def begun() -> subprocess.Popen[bytes]:
        holder = f"worker {number} {chance.random()}"
        return subprocess.Popen(
            [sys.executable, "-m", "tests.dispatch.one_worker", database_url, holder, *addresses], cwd=ROOT
        )

    for _ in range(KILLS):
        worker = begun()
        try:
            lives_until = asyncio.get_running_loop().time() + 30
            sent_before = len(crm.asked)
            while asyncio.get_running_loop().time() < lives_until and len(crm.asked) < sent_before + 5:
                number += 1
                await office.message(f"m{number}")
                await asyncio.sleep(0.02)
            await asyncio.sleep(chance.uniform(0, 0.1))
        finally:
            worker.kill()
            await asyncio.to_thread(worker.wait)
        await let_go(office.database)
    worker = begun()
    try:
        await office.has_within(90, accepted=2 * number)
    finally:
        worker.kill()
        await asyncio.to_thread(worker.wait)

    for service in (crm, another):
        told = Counter(one.rpartition(b'"messages": ["')[2] for one in service.asked)
        assert len(told) == number
        assert sum(told.values()) - number <= 16 * KILLS
        ids = {line for one in service.asked for line in one.split(b"\r\n") if b"Idempotency-Key" in line}
        assert len(ids) == number


async def let_go(database: Database) -> None:
    """The lease has ended, as it does ten seconds after its holder was killed."""
    async with database.connection() as connection:
        await connection.execute(text("UPDATE leases SET until = clock_timestamp() - interval '1 second'"))
