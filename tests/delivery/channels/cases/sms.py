"""Cases of `sms`: a real gateway on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callrouter.delivery.channel import Delivered, FailedForGood, FailedForNow, Tools
from callrouter.delivery.servers import SmsGateway
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.sms_gateway import TOKEN, sms_gateway
from tests.delivery.channels.walking import Room

ADDRESSES = {
    "sms:+33612340001": None,
    "sms:+12025550123": None,
    "sms:0612340001": "it is not a telephone number with its country's code",
    "sms:": "it is not a telephone number",
    "sms:+33 6 12 34 00 01": "it is not a telephone number",
    "sms:+33612340001?body=x": "it is not a telephone number",
    "sms:+33612340001,+33612340002": "it is not a telephone number",
    "sms:+٣٣٦١٢٣٤٠٠٠١": "it is not a telephone number",
}

SENDS = {
    "+33612340001": (Delivered, ""),
    "+33600000001": (Delivered, ""),
    "+33600000002": (Delivered, ""),
    "+33600000003": (Delivered, ""),
    "+33600000400": (FailedForGood, "answered 400"),
    "+33600000422": (FailedForGood, "answered 422"),
    "+33600000401": (FailedForNow, "answered 401 (CALLROUTER_SMS_SECRET)"),
    "+33600000404": (FailedForNow, "answered 404"),
    "+33600000429": (FailedForNow, "answered 429"),
    "+33600000500": (FailedForNow, "answered 500"),
    "+33600000504": (FailedForNow, "answered 504"),
    "+33600000302": (FailedForNow, "answered 302 (not followed)"),
    "+33600000098": (FailedForNow, "cannot be asked"),
}


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """It, and its tools."""
    async with sms_gateway() as gateway:
        http = GuardedHttp([gateway.host], {})
        yield Room(
            tools=Tools(http=http, sms=SmsGateway(url=gateway.url, secret=TOKEN, sender="Answering")),
            address=lambda number: f"sms:{number}",
            received=lambda: gateway.asked,
        )
        await http.close()
