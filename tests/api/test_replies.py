"""What people answer to SMS, as the gateway hands it over: signed, doubled, in any order, and over HTTP."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.engine import make_url
from standardwebhooks.webhooks import Webhook

from callrouter.delivery.signing import key_of
from callrouter.store.database import Database
from callrouter.store.dispatch.replies import hash_of_reply
from callrouter.store.tables import deliveries
from deploy.demo.plain_http import plain_client
from tests.store.dispatch.rows import take, tell, told, trail

from .serving import serving
from .test_web_app import web

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
PATH = "/api/replies/sms"
CODE = "K7M3P"


@pytest.fixture
async def api(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = web(database, sms_receipt_key=key_of(SECRET), sms_replies=True)
    async with serving(app) as base, plain_client(base_url=base) as client:
        yield client


async def post(api: httpx.AsyncClient, body: Any, *, secret: str = SECRET, at: datetime | None = None) -> int:
    """As a gateway does, with the library that gateways use; the status."""
    text = body if isinstance(body, str) else json.dumps(body)
    at = at or datetime.now(UTC)
    webhook_id = secrets.token_hex(8)
    signed = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, text),
    }
    return (await api.post(PATH, content=text, headers=signed)).status_code


async def an_sms(database: Database, number: str = "+33639980001") -> str:
    """One that the gateway took; its message."""
    message = await take(database)
    now = datetime.now(UTC)
    values: dict[str, Any] = {"means": "sms", "address": f"sms:{number}", "attempts": 1, "queued_at": now}
    delivery = await tell(database, message, **values)
    async with database.connection() as connection:
        change = update(deliveries).where(deliveries.c.delivery_id == delivery)
        await connection.execute(change.values(reply_hash=hash_of_reply(delivery, CODE)))
    return message


@pytest.mark.parametrize("number", ["+33639980001", "33639980001", "0639980001", "06 39 98 00 01", "0033639980001"])
async def test_a_code_acknowledges_however_the_gateway_writes_numbers(
    api: httpx.AsyncClient, database: Database, number: str
) -> None:
    """And once, however often it is posted, and at once."""
    message = await an_sms(database)
    body = {"id": 7, "from": number, "text": f"\n {CODE}\nmerci", "more": [1]}

    statuses = await asyncio.gather(*(post(api, body) for _ in range(4)))

    assert statuses == [202] * 4
    assert await told(database, message) == ["acknowledged doctor"]
    assert (await trail(database, message)).dispatch.acknowledged_how == "reply"


async def test_words_are_kept(api: httpx.AsyncClient, database: Database) -> None:
    """Of who was told something; a stranger is answered the same."""
    message = await an_sms(database)

    statuses = [
        await post(api, {"id": "a", "from": "+33639980001", "text": "Pas moi"}),
        await post(api, {"id": "b", "from": "+33639980009", "text": "Pas moi"}),
        await post(api, {"id": "c", "from": "CRM", "text": CODE}),
        await post(api, {"id": "d", "from": "", "text": ""}),
    ]

    assert statuses == [202] * 4
    assert await told(database, message) == ["replied doctor"]


async def test_only_what_is_signed(api: httpx.AsyncClient, database: Database) -> None:
    message = await an_sms(database)
    body = {"id": "a", "from": "+33639980001", "text": CODE}
    other = "whsec_" + b64encode(b"o" * 32).decode()

    statuses = [
        await post(api, body, secret=other),
        await post(api, body, at=datetime.now(UTC) - timedelta(minutes=6)),
        (await api.post(PATH, json=body)).status_code,
    ]

    assert statuses == [401] * 3
    assert await told(database, message) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[",
        "[]",
        '{"id": "a"}',
        '{"id": "a", "from": 1, "text": ""}',
        '{"id": null, "from": "", "text": ""}',
        "[" * 9_000,
    ],
)
async def test_what_cannot_be_read(api: httpx.AsyncClient, body: str) -> None:
    assert await post(api, body) == 422


async def test_long_texts_and_strange_signs(api: httpx.AsyncClient, database: Database) -> None:
    """Nothing of them is an error, or stands anywhere as a sign that rules a screen."""
    message = await an_sms(database)

    for text in ("x" * 30_000, "a\x00b\x1b[31m", "\u202egnp.exe", "\n" * 500, "🙂" * 5_000):
        assert await post(api, {"id": secrets.token_hex(4), "from": "+33639980001", "text": text}) == 202

    for event in (await trail(database, message)).events:
        assert event.detail.isprintable()
        assert len(event.detail) <= 500


async def test_where_the_gateway_hands_over_nothing_there_is_no_such_page(database: Database) -> None:
    app = web(database, sms_receipt_key=key_of(SECRET))
    async with serving(app) as base, plain_client(base_url=base) as client:
        assert await post(client, {"id": "a", "from": "+33639980001", "text": CODE}) == 404


async def test_while_postgresql_is_away_it_is_to_come_again() -> None:
    gone = Database(make_url("postgresql+asyncpg://nobody@127.0.0.1:1/nothing"))
    app = web(gone, sms_receipt_key=key_of(SECRET), sms_replies=True)
    async with serving(app) as base, plain_client(base_url=base) as client:
        assert await post(client, {"id": "a", "from": "+33639980001", "text": CODE}) == 503
    await gone.close()
