"""Who was told of a message, over HTTP: the whole trail, the board, taken on, sent again; and no stranger's affair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from callrouter.permissions import Permission
from callrouter.store.access.audit import list_audit
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What
from tests.store.dispatch.rows import LENOIR, MOREAU, after, happened, stand, take, tell
from tests.store.test_revisions import rows

from .test_auth import of, token_for
from .test_messages import desk


@pytest.fixture
async def api(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with desk(database, tmp_path) as client:
        yield client


async def got(api: httpx.AsyncClient, path: str, status: int = 200, **params: str) -> Any:
    answer = await api.get(f"/api/messages{path}", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def post(api: httpx.AsyncClient, path: str, status: int = 200, **said: Any) -> Any:
    body = None if path.endswith("acknowledge") else said
    answer = await api.post(f"/api/messages{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_whole_trail(api: httpx.AsyncClient, database: Database) -> None:
    """In one answer, which the message leads to."""
    message = await take(database, urgent=True)
    await stand(database, message, "running", urgent=True, policy={"name": "doctors"}, step=1, due_at=after(600))
    delivery = await tell(database, message, means="webhook", address="https://a.example/secret", answer="200 OK")
    told = {"delivery_id": delivery, "contact": "doctor", "means": "webhook"}
    await happened(database, message, What.RULE, after(0), detail="doctors")
    await happened(database, message, What.SENT, after(1), detail="200 OK", **told)

    link = (await got(api, f"/{message}"))["delivery"]
    found = (await api.get(link)).json()

    assert (found["message_id"], found["client"], found["state"], found["rule"]) == (
        message,
        MOREAU,
        "running",
        "doctors",
    )
    assert (found["urgent"], found["step"], found["due_at"]) == (True, 1, "2026-11-30T10:10:00Z")
    (one,) = found["deliveries"]
    assert (one["contact"], one["state"], one["address"]) == ("doctor", "accepted", "https://a.example")
    assert [(event["what"], event["detail"]) for event in found["events"]] == [("rule", "doctors"), ("sent", "200 OK")]
    assert "secret" not in str(found)


async def test_taken_on(api: httpx.AsyncClient, database: Database) -> None:
    """Once; it is in the audit trail."""
    message = await take(database)
    await tell(database, message, "queued")

    found = await post(api, f"/{message}/acknowledge")
    again = await post(api, f"/{message}/acknowledge", 409)
    await asyncio.sleep(1.2)
    trail = await list_audit(database, client=MOREAU)

    assert (found["state"], found["acknowledged_by"], found["acknowledged_how"]) == ("acknowledged", "operator", "api")
    assert found["deliveries"][0]["state"] == "withdrawn"
    assert again["detail"] == f"message {message} is acknowledged already"
    assert [(row.deed.action, row.deed.object) for row in trail.rows] == [("message.acknowledge", message)]


async def test_done_and_reopened(api: httpx.AsyncClient, database: Database) -> None:
    message = await take(database)

    await post(api, f"/{message}/done")
    done = await got(api, f"/{message}/delivery")
    await post(api, f"/{message}/reopen")

    assert (done["state"], done["acknowledged_how"]) == ("acknowledged", "done")
    (one,) = (await got(api, "/attention"))["messages"]
    assert (one["message_id"], one["why"]) == (message, ["attention"])
    assert one["because"] == "It was done, and is open again: see that somebody takes it on."


async def test_sent_again(api: httpx.AsyncClient, database: Database) -> None:
    """One telling, or all that failed; not what did not fail, and nothing of what was taken on."""
    message, other = await take(database), await take(database)
    await stand(database, message, "attention", reason="Nobody was reached.", step=1)
    dead = await tell(database, message, "failed")
    await tell(database, message, "failed", contact="partner")
    strange = await tell(database, other, "failed")

    wrong = await post(api, f"/{message}/redeliver", 422, delivery_id=strange)
    one = await post(api, f"/{message}/redeliver", delivery_id=dead)
    rest = await post(api, f"/{message}/redeliver")
    none = await post(api, f"/{message}/redeliver", 409)
    await post(api, f"/{message}/acknowledge")
    late = await post(api, f"/{message}/redeliver", 409)
    await asyncio.sleep(1.2)
    trail = await list_audit(database, action=Permission.MESSAGE_CHANGE)

    assert "no such delivery" in wrong["detail"]
    assert sorted(one["state"] for one in one["deliveries"]) == ["failed", "queued"]
    assert [one["state"] for one in rest["deliveries"]] == ["queued", "queued"]
    assert one["state"] == "running"
    assert ("nothing of it has failed" in none["detail"], "is acknowledged" in late["detail"]) == (True, True)
    assert {row.deed.object for row in trail.rows} == {f"{message} redelivered"}


async def test_the_board(api: httpx.AsyncClient, database: Database) -> None:
    """In pages, with each message as it is; of a client that was never live nothing is no answer."""
    messages = [await take(database) for _ in range(3)]
    other = await take(database, LENOIR)
    for number, message in enumerate([*messages, other]):
        await stand(database, message, "attention", reason="Nobody is on call.", began_at=after(number))

    first = await got(api, "/attention", client=MOREAU, limit="2")
    second = await got(api, "/attention", client=MOREAU, limit="2", cursor=first["next_cursor"])
    wrong = await got(api, "/attention", 422, cursor="x")

    found = [*first["messages"], *second["messages"]]
    assert [one["message_id"] for one in found] == messages[::-1]
    assert (found[0]["caller_name"], found[0]["dispatch"]["reason"]) == ("Jean Martin", "Nobody is on call.")
    assert second["next_cursor"] is None
    assert wrong["detail"].startswith("query.cursor")
    assert (await api.get("/api/messages/attention", params={"client": "nobody"})).status_code == 404


async def test_of_before(api: httpx.AsyncClient, database: Database) -> None:
    """Of one that is owed to nobody that is said; of none, that there is none."""
    message = await take(database)
    await rows(database, "DELETE FROM dispatches RETURNING 1")

    for found in (
        await got(api, f"/{message}/delivery", 404),
        await post(api, f"/{message}/acknowledge", 404),
        await post(api, f"/{message}/redeliver", 404),
    ):
        assert "was taken before messages were delivered" in found["detail"]
    assert (await got(api, "/nothing/delivery", 404))["detail"] == "there is no message nothing"


async def test_a_clients_own_system(database: Database, tmp_path: Path) -> None:
    """It was told by its webhook: it takes the client's messages on, and does nothing else."""
    mine, other = await take(database), await take(database, LENOIR)
    headers = await token_for(database, Permission.MESSAGE_ACKNOWLEDGE, scope=of(MOREAU), name="practice")
    async with desk(database, tmp_path) as api:
        api.headers.update(headers)
        found = await post(api, f"/{mine}/acknowledge")
        await post(api, f"/{other}/acknowledge", 404)
        for path in (f"/{mine}/redeliver", f"/{mine}/done"):
            await post(api, path, 403)
        await got(api, f"/{mine}/delivery", 403)

    assert found["acknowledged_by"] == "token:practice"
