"""A real `callrouter web` is killed between the answer that a message is kept and its row, while PostgreSQL is down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from sqlalchemy import text

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.store.access.tokens import FRESH_SECONDS, create_token
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from deploy.demo.plain_http import plain_client
from tests.postgres import Server
from tests.small_client import small_client
from tests.store.taken.test_journal import sizes
from tests.store.test_outages import opened

ROOT = Path(__file__).parents[3]
TOKEN = "a-token-for-tests-only"
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def catalogue_of(folder: Path) -> Catalogue:
    """Of a client without forms."""
    folder.mkdir()
    (folder / "a.yaml").write_text(small_client())
    return load_directory(folder, PaperSpeech())


async def go_live(database: Database, folder: Path) -> None:
    """That client is in service."""
    catalogue = catalogue_of(folder)
    plan = catalogue.plans["a"]
    documents = {name: catalogue.documents[name].decode() for name in catalogue.uses["a"]}
    kept = StoredPlan(
        client="a",
        version=plan.version,
        document=documents[plan.source],
        first_live_at=AT,
        source=plan.source,
        documents=documents,
        promise=plan.promise,
    )
    await remember_live(database, [kept], [WentLive(client="a", version=plan.version, live_at=AT, why="saved")])


@asynccontextmanager
async def web(url: str, folder: Path, port: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """A web process, and a client of it that may do everything; killed at the end."""
    environment = {
        "PYTHONPATH": str(ROOT),  # the code beside this test, whatever is installed
        "CALLROUTER_DATABASE_URL": url,
        "CALLROUTER_DATA_DIR": str(folder),
        "CALLROUTER_API_TOKEN": TOKEN,
        "CALLROUTER_WEB_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callrouter", "web", cwd=folder, env=environment
    )
    try:
        async with plain_client(base_url=f"http://127.0.0.1:{port}") as client:
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            async with asyncio.timeout(60):
                while not await _answers(client):
                    assert process.returncode is None
                    await asyncio.sleep(0.1)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def all_written(spool: Path) -> None:
    """Nothing waits there for PostgreSQL."""
    async with asyncio.timeout(30):
        while any(sizes(spool)):
            await asyncio.sleep(0.05)


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health")).status_code == 200
    except httpx.TransportError:
        return False


async def test_what_was_answered_is_kept(own_server: Server, tmp_path: Path, free_port: Callable[[], int]) -> None:
    """`kill -9` after 202: the next process has the message in PostgreSQL, once, and nothing is left on disk."""
    url, port = await own_server.new_database(), free_port()
    ids = [str(uuid4()) for _ in range(5)]

    def body(message_id: str) -> dict[str, object]:
        return {"id": message_id, "client": "a", "text": "Ring back.\r\nBefore noon.", "fields": {"name": "Zoé"}}

    async with opened(url) as database:
        await go_live(database, tmp_path / "dialplans")
        async with web(url, tmp_path, port) as (process, client):
            first = await client.post("/api/messages", json=body(ids[0]))
            assert first.status_code == 201, first.text
            await all_written(tmp_path / "spool")
            await asyncio.to_thread(own_server.crash)
            away = [await client.post("/api/messages", json=body(one)) for one in (*ids[1:], ids[1])]
            health = (await client.get("/health")).json()
            process.kill()
        left = (tmp_path / "spool").iterdir()
        assert sum(path.read_bytes().count(b"\n") for path in left) == 4
        await asyncio.to_thread(own_server.start)
        async with web(url, tmp_path, port) as (_, client):
            await all_written(tmp_path / "spool")
            again = [await client.post("/api/messages", json=body(one)) for one in ids]
            seen = [(await client.get(f"/api/messages/{one}")).json() for one in ids]
        async with database.connection() as connection:
            rows = (await connection.execute(text("SELECT message_id FROM messages"))).scalars().all()

    assert [one.status_code for one in away] == [202] * 5
    assert away[0].json()["message_id"] == ids[1]
    assert any("4 wait for PostgreSQL" in one for one in health["degraded"])
    assert [one.status_code for one in again] == [200] * 5
    assert sorted(rows) == sorted(ids)
    assert [one["text"] for one in seen] == ["Ring back.\nBefore noon."] * 5
    assert {one["caller_name"] for one in seen} == {"Zoé"}


async def test_without_postgresql_and_without_a_disk(
    own_server: Server, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Nobody is told that a message is kept which is not; with one of the two it goes on."""
    url, port = await own_server.new_database(), free_port()
    (tmp_path / "spool").write_text("a file in its place")
    body = {"id": str(uuid4()), "client": "a", "text": "Ring back."}
    async with opened(url) as database:
        await go_live(database, tmp_path / "dialplans")
        async with web(url, tmp_path, port) as (_, client):
            kept = await client.post("/api/messages", json=body)
            await asyncio.to_thread(own_server.crash)
            refused = await client.post("/api/messages", json=body | {"id": str(uuid4())})
            (tmp_path / "spool").unlink()
            on_disk = await client.post("/api/messages", json=body | {"id": str(uuid4())})
        await asyncio.to_thread(own_server.start)

    assert (kept.status_code, refused.status_code, on_disk.status_code) == (201, 503, 202)
    assert refused.headers["retry-after"] == "5"
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_desk_goes_on_taking_messages_without_postgresql(
    own_server: Server, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Longer than a token is believed: what a caller says now is said once. Nothing else is open to it meanwhile, nor
    to whoever was not known before."""
    url, port = await own_server.new_database(), free_port()
    may, scope = [Permission.MESSAGE_TAKE, Permission.MESSAGE_READ], Scope(ScopeKind.CLIENTS, frozenset({"a"}))
    async with opened(url) as database:
        await go_live(database, tmp_path / "dialplans")
        token = await create_token(database, "desk", permissions=may, scope=scope, by="operator")
        async with web(url, tmp_path, port) as (_, client):
            client.headers["Authorization"] = f"Bearer {token}"

            async def take(**headers: str) -> httpx.Response:
                body = {"id": str(uuid4()), "client": "a", "text": "Ring back."}
                return await client.post("/api/messages", json=body, headers=headers)

            known = await take()
            await asyncio.to_thread(own_server.crash)
            await asyncio.sleep(FRESH_SECONDS + 1.0)
            kept = await take()
            read = await client.get("/api/messages")
            strange = await take(Authorization=f"Bearer {token[:-1]}{'a' if token[-1] != 'a' else 'b'}")
            await asyncio.to_thread(own_server.start)
            await all_written(tmp_path / "spool")
        async with database.connection() as connection:
            rows = (await connection.execute(text("SELECT message_id, taken_by FROM messages"))).all()

    assert [one.status_code for one in (known, kept, read, strange)] == [201, 202, 503, 503]
    assert (kept.json()["message_id"], "token:desk") in [tuple(row) for row in rows]
