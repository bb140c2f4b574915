"""/api/audit: pages, filters, and what cannot be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from callrouter.store.access.audit import Deed
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome
from deploy.demo.plain_http import plain_client

from .serving import serving
from .test_web_app import AUTHORISED, web

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
async def api(database: Database) -> Any:
    at = [TUESDAY]
    trail = AuditTrail(database, now=lambda: at[0])
    for number in range(12):
        at[0] = TUESDAY + timedelta(seconds=number)
        trail.note(
            Deed(
                principal="token:a" if number % 2 else "operator",
                action="recording.play",
                object=str(number),
                client="cabinet-moreau" if number % 3 else None,
                outcome=AuditOutcome.DONE if number % 4 else AuditOutcome.REFUSED,
                address="192.0.2.1",
            )
        )
    await trail.flush()
    async with serving(web(database)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        yield client


async def objects(api: httpx.AsyncClient, **params: str | int) -> list[int]:
    answer = await api.get("/api/audit", params=params)
    assert answer.status_code == 200, answer.text
    return [int(deed["object"]) for deed in answer.json()["deeds"]]


async def test_filters(api: httpx.AsyncClient) -> None:
    assert await objects(api) == list(range(11, -1, -1))
    assert await objects(api, principal="token:a", limit=3) == [11, 9, 7]
    assert await objects(api, client="cabinet-moreau", outcome="refused") == [8, 4]
    assert await objects(api, action="recording.delete") == []
    assert await objects(api, **{"from": "2026-11-24T09:00:05Z", "to": "2026-11-24T09:00:07Z"}) == [6, 5]


async def test_a_deed_as_it_was(api: httpx.AsyncClient) -> None:
    (deed,) = (await api.get("/api/audit", params={"limit": 1})).json()["deeds"]

    assert deed == {
        "at": "2026-11-24T09:00:11Z",
        "principal": "token:a",
        "action": "recording.play",
        "object": "11",
        "client": "cabinet-moreau",
        "outcome": "done",
        "address": "192.0.2.1",
        "times": 1,
    }


async def test_pages(api: httpx.AsyncClient) -> None:
    seen: list[str] = []
    params: dict[str, str | int] = {"limit": 5}
    while True:
        page = (await api.get("/api/audit", params=params)).json()
        seen += [deed["object"] for deed in page["deeds"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    assert [int(one) for one in seen] == list(range(11, -1, -1))


@pytest.mark.parametrize(
    "params",
    [{"outcome": "maybe"}, {"cursor": "x"}, {"limit": 0}, {"principal": "\x00"}, {"action": "a" * 201}, {"who": "a"}],
)
async def test_what_cannot_be_asked(api: httpx.AsyncClient, params: dict[str, str | int]) -> None:
    answer = await api.get("/api/audit", params=params)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
