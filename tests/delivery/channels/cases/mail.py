"""Cases of `mail`: a real mail server on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callrouter.delivery.channel import Delivered, FailedForGood, FailedForNow, Tools
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.mail_server import mail_server
from tests.delivery.channels.walking import Room

ADDRESSES = {
    "mailto:doctor@clinic.example": None,
    "mailto:on.call+night@a-b.example": None,
    "mailto:o%27neil@clinic.example": None,
    "mailto:doctor@localhost": None,
    "mailto:": "it is not one mail address",
    "mailto:doctor": "it is not one mail address",
    "mailto:doctor@clinic.example,nurse@clinic.example": "it is not one mail address",
    "mailto:doctor@clinic.example?subject=x": "it is not one mail address",
    "mailto:a%07b@clinic.example": "it is not one mail address",
    "mailto:docteur@clinique-é.example": "in plain letters",
}

SENDS = {
    "doctor": (Delivered, ""),
    "greylisted": (FailedForNow, "refused it: 451 4.7.1 come back later"),
    "full": (FailedForNow, "refused it: 452 4.2.2 mailbox full"),
    "busy": (FailedForNow, "refused it: 451 4.3.0 try again"),
    "leaving": (FailedForNow, "took nothing: 421 4.3.2 shutting down"),
    "unknown": (FailedForGood, "refused it: 550 5.1.1 no such user here"),
    "over-quota": (FailedForGood, "refused it: 552 5.2.2 over quota"),
    "spam": (FailedForGood, "refused it: 554 5.7.1 this looks like spam"),
    "dropped-before": (FailedForNow, "took nothing: "),
    "dropped-after": (FailedForNow, "nobody knows whether it was taken"),
}


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """It, and its tools."""
    async with mail_server() as box:
        yield Room(
            tools=Tools(http=GuardedHttp([], {}), mail=box.server),
            address=lambda behaviour: f"mailto:{behaviour}@clinic.example",
            received=lambda: box.received,
            body=lambda delivery_id: f"Message-ID: <{delivery_id}@answering.example>\r\n\r\n.\r\nhello\r\n",
        )
