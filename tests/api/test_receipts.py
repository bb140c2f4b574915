"""What the SMS gateway says became of an SMS: signed, in any order, and over HTTP."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from sqlalchemy.engine import make_url
from standardwebhooks.webhooks import Webhook

from callrouter.api import receipts
from callrouter.delivery.signing import key_of
from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client
from tests.store.dispatch.rows import states, take, tell, told

from .serving import serving
from .test_web_app import web

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
OTHER = "whsec_" + b64encode(b"o" * 32).decode()
PATH = "/api/receipts/sms"


@pytest.fixture
async def api(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(web(database, sms_receipt_key=key_of(SECRET))) as base, plain_client(base_url=base) as client:
        yield client


async def post(
    api: httpx.AsyncClient,
    body: Any,
    *,
    secret: str = SECRET,
    at: datetime | None = None,
    given: dict[str, str] | None = None,
) -> int:
    """As a gateway does, with the library that gateways use; the status."""
    text = body if isinstance(body, str) else json.dumps(body)
    at = at or datetime.now(UTC)
    webhook_id = secrets.token_hex(8)
    signed = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, text),
    }
    return (await api.post(PATH, content=text, headers={**signed, **(given or {})})).status_code


async def an_sms(database: Database, **values: Any) -> str:
    """One that the gateway took; its message."""
    message = await take(database)
    await tell(database, message, **{"means": "sms", "receipt_id": "4711", **values})
    return message


@pytest.mark.parametrize("status", ["delivered", "failed"])
async def test_what_the_gateway_says_comes_to_stand_in_the_record(
    api: httpx.AsyncClient, database: Database, status: str
) -> None:
    message = await an_sms(database)

    statuses = [await post(api, {"id": "4711", "status": status, "reason": "absent", "more": 1}) for _ in range(2)]

    assert statuses == [202, 202]
    assert await states(database, message) == [status]
    assert await told(database, message) == [f"{status} doctor"]


async def test_the_id_may_be_a_number_or_the_one_that_it_was_asked_with(
    api: httpx.AsyncClient, database: Database
) -> None:
    by_number = await an_sms(database)
    by_ours = await an_sms(database, receipt_id=None, delivery_id="ours")

    assert await post(api, {"id": 4711, "status": "delivered"}) == 202
    assert await post(api, {"id": "ours", "status": "failed"}) == 202
    assert await states(database, by_number) == ["delivered"]
    assert await states(database, by_ours) == ["failed"]


async def test_whoever_does_not_sign_is_refused(api: httpx.AsyncClient, database: Database) -> None:
    message = await an_sms(database)
    body = {"id": "4711", "status": "failed"}
    late = timedelta(seconds=330)

    refused = [
        await post(api, body, secret=OTHER),
        await post(api, body, at=datetime.now(UTC) - late),
        await post(api, body, at=datetime.now(UTC) + late),
        await post(api, body, given={"webhook-id": "another"}),
        await post(api, body, given={"webhook-timestamp": "soon"}),
        await post(api, body, given={"webhook-signature": "v1,"}),
        (await api.post(PATH, json=body)).status_code,
    ]

    assert refused == [401] * len(refused)
    assert await states(database, message) == ["accepted"]


async def test_one_of_several_signatures_is_enough(api: httpx.AsyncClient, database: Database) -> None:
    """As while the gateway's secret is renewed."""
    message = await an_sms(database)
    at, text = datetime.now(UTC), json.dumps({"id": "4711", "status": "delivered"})
    both = " ".join(Webhook(secret).sign("w1", at, text) for secret in (OTHER, SECRET))

    assert await post(api, text, at=at, given={"webhook-id": "w1", "webhook-signature": both}) == 202
    assert await states(database, message) == ["delivered"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"id": "4711"}',
        '{"id": "4711", "status": "sent"}',
        '{"id": [], "status": "failed"}',
        "[" * 60_000,
    ],
)
async def test_what_is_no_receipt_is_refused(api: httpx.AsyncClient, body: str) -> None:
    assert await post(api, body) == 422


@pytest.mark.parametrize("id_", ["", "nobody", "a\x00b", "\ud800", "é" * 5_000])
async def test_of_nobody_nothing_is_said(api: httpx.AsyncClient, id_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "UNKNOWN_SECONDS", 0.0)

    assert await post(api, {"id": id_, "status": "failed"}) in (202, 422)


async def test_mail_is_not_spoken_of_by_the_gateway(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "UNKNOWN_SECONDS", 0.0)
    message = await take(database)
    await tell(database, message, receipt_id="mail")

    assert await post(api, {"id": "mail", "status": "failed"}) == 202
    assert await states(database, message) == ["accepted"]


async def test_what_is_still_on_its_way_is_to_be_said_again(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "NOT_YET_SECONDS", 0.0)
    await an_sms(database, state="sending", delivery_id="ours")

    assert await post(api, {"id": "ours", "status": "failed"}) == 503


async def test_without_postgresql_it_is_to_be_said_again() -> None:
    nowhere = Database(make_url("postgresql://nobody@127.0.0.1:1/nothing"))
    async with serving(web(nowhere, sms_receipt_key=key_of(SECRET))) as base, plain_client(base_url=base) as client:
        assert await post(client, {"id": "4711", "status": "failed"}) == 503
    await nowhere.close()


async def test_it_is_in_the_document(api: httpx.AsyncClient) -> None:
    document = (await api.get("/api/openapi.json")).json()

    OpenAPI.model_validate(document)
    operation = document["paths"][PATH]["post"]
    assert operation["description"].startswith("What became of an SMS")
    assert set(operation["responses"]) == {"202", "401", "422", "503"}
    assert "security" not in operation


async def test_without_a_secret_there_is_no_such_page(database: Database) -> None:
    async with serving(web(database)) as base, plain_client(base_url=base) as client:
        assert await post(client, {"id": "4711", "status": "failed"}) == 404
