"""`callrouter worker` as a program: it takes reports also while another one tells people."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from tests.delivery.channels.postfix import free_port
from tests.dispatch.receipts.bounces import EXCHANGE, ID
from tests.dispatch.receipts.test_entrance import Door
from tests.patience import START_SECONDS
from tests.store.dispatch.rows import states, take, tell

ROOT = Path(__file__).resolve().parents[3]


async def test_whichever_worker_hears_it(database: Database, database_url: str, tmp_path: Path) -> None:
    another = Lease(database, "dispatch", "another worker")
    assert await another.take()
    message = await take(database)
    await tell(database, message, delivery_id=ID)
    port = free_port()
    given = {
        "CALLROUTER_DATABASE_URL": database_url,
        "CALLROUTER_DATA_DIR": str(tmp_path),
        "CALLROUTER_LMTP_PORT": str(port),
        "CALLROUTER_SMTP_URL": "smtp://127.0.0.1:1",
        "CALLROUTER_MAIL_FROM": "messages@answering.example",
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callrouter", "worker", env={**os.environ, **given}, cwd=tmp_path
    )
    try:
        door = Door(port)
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    server = await door.greeted()
                except OSError:
                    assert process.returncode is None
                    await asyncio.sleep(0.1)
                else:
                    break
        assert await server.hands_over(EXCHANGE) == "250 2.0.0 taken"
        process.send_signal(signal.SIGTERM)
        assert await server.reader.read() == b""
        server.writer.close()
        assert await asyncio.wait_for(process.wait(), START_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert await states(database, message) == ["failed"]
    assert another.is_held
