"""What is posted is signed so that an independent receiver takes it, and takes nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from callrouter.delivery import signing
from callrouter.delivery.channel import Delivered, FailedForGood, Outcome, Tools
from callrouter.delivery.channels.webhook import Webhook
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.walking import delivery_to
from tests.runtime.web_service import WebService, web_service

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_the_example_of_the_specification() -> None:
    key = signing.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signing.headers(
        key, webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body='{"test": 2432232314}'
    )

    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=24, max_size=64), st.text(st.characters(codec="utf-8")))
def test_another_implementation_takes_it(key: bytes, body: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    made = signing.headers(signing.key_of(secret), webhook_id="d1", timestamp=int(time.time()), body=body)

    Receiver(secret).verify(body, made, json_parse=False)
    for changed in (made | {"webhook-id": "d2"}, made | {"webhook-timestamp": str(int(time.time()) + 1)}):
        with pytest.raises(WebhookVerificationError):
            Receiver(secret).verify(body, changed, json_parse=False)


@pytest.mark.parametrize("secret", ["", "hunter2", "whsec_", "whsec_AAAA", "whsec_é", "whsec_" + "A" * 200, SECRET[6:]])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="it must be whsec_ and 24 to 64 bytes as base64") as caught:
        signing.key_of(secret)
    assert len(secret) < 7 or secret not in str(caught.value)


async def post(service: WebService, secrets: Mapping[str, str], secret: str) -> Outcome:
    http = GuardedHttp([service.host], secrets)
    one = delivery_to(service.url("good"), "d1")
    outcome = await Webhook(Tools(http=http, secrets=secrets)).send(replace(one, secret=secret))
    await http.close()
    return outcome


def headers_of(request: bytes) -> dict[str, str]:
    head = request.partition(b"\r\n\r\n")[0].decode()
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}


async def test_a_delivery_that_names_a_secret_is_signed_by_it() -> None:
    """And one that names none has what `notify` always had."""
    async with web_service() as service:
        outcomes = [await post(service, {"CRM": SECRET}, name) for name in ("CRM", "")]

    signed, bare = service.asked
    assert [type(one) for one in outcomes] == [Delivered, Delivered]
    Receiver(SECRET).verify(signed.partition(b"\r\n\r\n")[2], headers_of(signed))
    assert headers_of(signed)["idempotency-key"] == headers_of(signed)["webhook-id"] == "d1"
    assert not [name for name in headers_of(bare) if name.startswith("webhook-")]
    assert headers_of(bare)["idempotency-key"] == "d1"


async def test_without_its_secret_nothing_is_posted() -> None:
    async with web_service() as service:
        missing, wrong = [await post(service, {"OTHER": "x"}, name) for name in ("CRM", "OTHER")]

    assert missing == FailedForGood(reason="CALLROUTER_SECRET_CRM is not set: what is sent there would not be signed")
    assert isinstance(wrong, FailedForGood)
    assert wrong.reason.startswith("CALLROUTER_SECRET_OTHER: it is no signing secret")
    assert service.asked == []
