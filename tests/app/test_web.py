"""The web process answers from the record alone: it neither needs nor reads a folder of clients' files."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from callrouter.store.database import Database
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client

from ..api.stories import answered  # noqa: TID252  # tests are no installed package

TOKEN = "a-token-for-tests-only"


async def test_web_without_a_folder(
    database: Database, database_url: str, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """It also lives on when everybody is told to reload."""
    writer = Writer(database)
    await writer.write([answered("1")])
    writer.close()
    port = free_port()
    environment = {
        "CALLROUTER_DATABASE_URL": database_url,
        "CALLROUTER_DIALPLANS_DIR": str(tmp_path / "nowhere"),
        "CALLROUTER_API_TOKEN": TOKEN,
        "CALLROUTER_WEB_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callrouter", "web", cwd=tmp_path, env=environment
    )
    try:
        base = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(60), plain_client(base_url=base) as client:
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            while not await _is_ready(client):
                assert process.returncode is None
                await asyncio.sleep(0.1)
            process.send_signal(signal.SIGHUP)
            call = (await client.get("/api/calls/1")).json()
            stats = await client.get("/api/stats", params={"from": "2026-11-24T00:00:00Z"})

        assert call["explanation"][-1] == "09:01:20  ended: answered"
        assert [one["client"] for one in stats.json()["clients"]] == ["cabinet-moreau"]
        assert process.returncode is None
    finally:
        process.terminate()
        assert await process.wait() == 0
    assert _names(tmp_path) == []


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/ready")).status_code == 200
    except httpx.TransportError:
        return False
