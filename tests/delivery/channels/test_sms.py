"""SMS by a gateway over HTTP: what it is asked, and what its answers, and its silences, mean."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from callrouter.delivery.channel import Delivered, FailedForNow, Outcome, Tools
from callrouter.delivery.channels import sms as under_test
from callrouter.delivery.channels.sms import Sms
from callrouter.delivery.servers import SmsGateway
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.sms_gateway import TOKEN, Gateway, sms_gateway
from tests.delivery.channels.walking import delivery_to

NUMBER = "+33612340001"


@asynccontextmanager
async def channel(gateway: Gateway, *, secret: str = TOKEN, sender: str = "Answering") -> AsyncIterator[Sms]:
    http = GuardedHttp([gateway.host], {})
    yield Sms(Tools(http=http, sms=SmsGateway(url=gateway.url, secret=secret, sender=sender)))
    await http.close()


async def send(sms: Sms, number: str = NUMBER, delivery_id: str = "d1") -> Outcome:
    return await sms.send(replace(delivery_to(f"sms:{number}", delivery_id), body='Été: "3" €\nhttps://x.example/m/a'))


def test_what_is_missing_is_named() -> None:
    http = GuardedHttp(["sms.example"], {})
    for gateway, wrong in (
        (None, "no SMS gateway is set: CALLROUTER_SMS_URL"),
        (
            SmsGateway(url="https://other.example/"),
            'CALLROUTER_SMS_URL: "other.example" is not in CALLROUTER_OUTGOING_',
        ),
        (SmsGateway(url="https://sms.example/"), ""),
    ):
        assert (Sms(Tools(http=http, sms=gateway)).check(f"sms:{NUMBER}") or "").startswith(wrong)
    assert Sms(Tools(http=http, sms=SmsGateway(url="https://sms.example/"))).check(f"sms:{NUMBER}") is None


async def test_what_the_gateway_is_asked() -> None:
    """The delivery's id twice, the token, and no sender where none is set."""
    async with sms_gateway() as gateway:
        async with channel(gateway) as sms:
            outcome = await send(sms)
        async with channel(gateway, secret="", sender="") as sms:
            await send(sms, delivery_id="d2")

    (head, body), (bare_head, bare) = (one.split(b"\r\n\r\n", 1) for one in gateway.asked)
    assert outcome == Delivered(receipt_id="sms-1")
    assert json.loads(body) == {
        "id": "d1",
        "to": NUMBER,
        "from": "Answering",
        "text": 'Été: "3" €\nhttps://x.example/m/a',
    }
    assert b"\r\nidempotency-key: d1\r\n" in head.lower()
    assert b"\r\nauthorization: bearer the-gateways-token\r\n" in head.lower()
    assert set(json.loads(bare)) == {"id", "to", "text"}
    assert b"authorization" not in bare_head.lower()


async def test_asked_twice_under_one_id_the_gateway_sends_once() -> None:
    async with sms_gateway() as gateway, channel(gateway) as sms:
        outcomes = [await send(sms) for _ in range(2)]

    assert outcomes == [Delivered(receipt_id="sms-1")] * 2
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(
    ("number", "receipt_id"),
    [("+33600000001", "4711"), ("+33600000002", None), ("+33600000003", None), ("+33600000004", None)],
)
async def test_an_answer_without_a_name_that_can_be_used_is_as_good(number: str, receipt_id: str | None) -> None:
    async with sms_gateway() as gateway, channel(gateway) as sms:
        assert await send(sms, number) == Delivered(receipt_id=receipt_id)


async def test_whether_it_may_have_gone_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was never sent, or was refused, has not; what broke off, dragged on or was lost behind a proxy may have."""
    monkeypatch.setattr(under_test, "TIMEOUT_SECONDS", 3.0)
    told = {}
    async with sms_gateway() as gateway:
        async with channel(gateway) as sms:
            for number in ("429", "500", "504", "302", "098", "099"):
                outcome = await send(sms, f"+33600000{number}")
                assert isinstance(outcome, FailedForNow)
                told[number] = outcome.fate_unknown, outcome.destination_answers, outcome.retry_after_seconds
        http = GuardedHttp(["127.0.0.1:1"], {})
        outcome = await send(Sms(Tools(http=http, sms=SmsGateway(url="http://127.0.0.1:1/"))))
        await http.close()

    assert isinstance(outcome, FailedForNow)
    assert not outcome.fate_unknown
    assert told == {
        "429": (False, True, 30.0),
        "500": (False, False, 0.0),
        "504": (True, False, 0.0),
        "302": (False, True, 0.0),
        "098": (True, False, 0.0),
        "099": (True, False, 0.0),
    }


async def test_the_token_stands_in_no_reason_and_no_representation() -> None:
    async with sms_gateway() as gateway, channel(gateway) as sms:
        outcome = await send(sms, "+33600000401")

    assert TOKEN not in repr(outcome) + repr(sms.tools)
