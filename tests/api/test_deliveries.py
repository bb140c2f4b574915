"""What web services were not told of calls, over HTTP: in pages, sent again, and no stranger's affair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from callrouter.core.call import replace
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.store.access.audit import list_audit
from callrouter.store.database import Database
from callrouter.store.writing.writer import Writer
from tests.store.dispatch.rows import LENOIR, MOREAU, after, ask, take, tell
from tests.store.test_revisions import rows

from .stories import answered
from .test_auth import of, token_for
from .test_messages import desk


@pytest.fixture
async def api(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with desk(database, tmp_path) as client:
        yield client


async def got(api: httpx.AsyncClient, status: int = 200, **params: str) -> Any:
    answer = await api.get("/api/deliveries", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(api: httpx.AsyncClient, **params: str) -> list[str]:
    return [one["delivery_id"] for one in (await got(api, 200, **params))["deliveries"]]


async def test_what_was_given_up_stands_there_and_is_sent_again(api: httpx.AsyncClient, database: Database) -> None:
    """In pages, the last ones first; of an address its host alone. It is tried as often as one that was never sent."""
    for number in range(3):
        failed = {"attempts": 8, "answer": "crm.example answered 500", "changed_at": after(number)}
        await ask(database, f"c-n{number}", "failed", **failed)
    await ask(database, "waits", changed_at=after(9))
    await ask(database, "sent", "accepted")
    await tell(database, await take(database), "failed")

    first = await got(api, limit="2")
    second = await got(api, limit="2", cursor=first["next_cursor"])
    again = await api.post("/api/deliveries/c-n2/again")
    twice = await api.post("/api/deliveries/c-n2/again")
    none = await api.post("/api/deliveries/c-n9/again")
    await asyncio.sleep(1.2)
    trail = await list_audit(database, action=Permission.DELIVERY_REPEAT)

    found = [*first["deliveries"], *second["deliveries"]]
    assert [one["delivery_id"] for one in found] == ["c-n2", "c-n1", "c-n0"]
    assert second["next_cursor"] is None
    assert found[0] == {
        "delivery_id": "c-n2",
        "client": MOREAU,
        "call_id": "1",
        "kind": "notification",
        "contact": "crm",
        "address": "https://crm.example",
        "state": "failed",
        "attempts": 8,
        "queued_at": "2026-11-30T10:00:00Z",
        "next_attempt_at": None,
        "changed_at": "2026-11-30T10:00:02Z",
        "answer": "crm.example answered 500",
    }
    assert (again.status_code, twice.status_code, none.status_code) == (204, 409, 404)
    assert await ids(api, state="waiting") == ["c-n2", "waits"]
    assert await rows(database, "SELECT attempts, answer FROM deliveries WHERE delivery_id = 'c-n2'") == [(0, "")]
    assert [(row.deed.object, row.deed.client) for row in trail.rows] == [("c-n2", MOREAU)]


async def test_whose_they_are(database: Database, tmp_path: Path) -> None:
    """A client's own, and a team's: those of calls that were in its queue."""
    writer = Writer(database)
    await writer.write([replace(answered("1"), client=MOREAU)])
    writer.close()
    await ask(database, "mine", "failed")
    await ask(database, "theirs", "failed", client=LENOIR, call_id="2")
    both = (Permission.DELIVERY_READ, Permission.DELIVERY_REPEAT)
    client, a_team = of(MOREAU), Scope(ScopeKind.TEAMS, frozenset({"medical"}))
    theirs = [await token_for(database, *both, scope=scope, name=f"a-{scope.kind}") for scope in (client, a_team)]
    reader = await token_for(database, Permission.DELIVERY_READ, name="reader")
    async with desk(database, tmp_path) as api:
        for headers in theirs:
            api.headers.update(headers)
            assert await ids(api) == ["mine"]
            assert (await api.post("/api/deliveries/theirs/again")).status_code == 404
        api.headers.update(reader)
        assert set(await ids(api)) == {"mine", "theirs"}
        assert await ids(api, client=LENOIR) == ["theirs"]
        assert (await api.post("/api/deliveries/mine/again")).status_code == 403
        await got(api, 422, state="sent")
        await got(api, 422, cursor="x")
