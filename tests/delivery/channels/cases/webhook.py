"""Cases of `webhook`: a real web service on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callrouter.delivery.channel import Delivered, FailedForGood, FailedForNow, Tools
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.walking import Room
from tests.runtime.web_service import web_service

ALLOWED = ("crm.example", "*.firm.example", "erp.example:8443")

ADDRESSES = {
    "https://crm.example/calls": None,
    "http://crm.example:8080/calls?key=1": None,
    "https://a.b.firm.example/": None,
    "https://erp.example:8443/": None,
    "https://erp.example/": '"erp.example" is not in CALLROUTER_OUTGOING_HOSTS',
    "https://firm.example/": "is not in CALLROUTER_OUTGOING_HOSTS",
    "https://crm.example@inside.example/": "it is not the address of a web service",
    "https:": "it is not the address of a web service",
    "http://crm.example:port/": "it is not an address",
}

SENDS = {
    "good": (Delivered, ""),
    "fail": (FailedForNow, "answered 500"),
    "missing": (FailedForNow, "answered 404"),
    "busy": (FailedForNow, "answered 503"),
    "redirect": (FailedForNow, "answered 302 (not followed)"),
    "huge": (FailedForNow, "answered more than 64 KiB"),
    "garbage": (FailedForNow, "cannot be asked"),
    "hang-up": (FailedForNow, "cannot be asked"),
    "closed": (FailedForNow, "cannot be asked: ConnectError"),
    "elsewhere": (FailedForGood, "is not in CALLROUTER_OUTGOING_HOSTS"),
}


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """It, and its tools."""
    async with web_service() as service:
        http = GuardedHttp((*ALLOWED, service.host, "127.0.0.1:1"), {})

        def address(behaviour: str) -> str:
            special = {"closed": "http://127.0.0.1:1/", "elsewhere": "https://inside.example/"}
            return special.get(behaviour, service.url(behaviour))

        yield Room(tools=Tools(http=http), address=address, received=lambda: service.asked)
        await http.close()
