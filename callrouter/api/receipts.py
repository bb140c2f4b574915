"""What the SMS gateway says became of an SMS: `POST /api/receipts/sms`, signed after Standard Webhooks.

The signature is all that says who asks. Receipts come in any order and more than once; of an SMS that is not ours, or
no more, nothing is said: a gateway may serve others, too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from msgspec import Struct

from callrouter.api.problems import documented
from callrouter.core.dispatch import Means
from callrouter.delivery.signing import is_signed
from callrouter.store.database import Database
from callrouter.store.dispatch.receipts import Fate, Noted, note_receipt

AGAIN_SECONDS: Final = 0.25
UNKNOWN_SECONDS: Final = 1.0
"""A receipt can be here before the worker has written down the id that it names: so long it is looked for."""
NOT_YET_SECONDS: Final = 5.0
"""And so long one waits that names an SMS which is still on its way, by what we know."""
_LONGEST_REASON: Final = 300
_LONGEST_ID: Final = 200


class Receipt(Struct, frozen=True):
    """What the gateway posts."""

    id: str | int
    """That it answered with when it took the SMS, or the one that it was asked with."""
    status: Literal["delivered", "failed"]
    reason: str = ""


def router(
    database: Database, key: bytes, now: Callable[[], datetime], *, seconds: Callable[[], float] = time.time
) -> APIRouter:
    """The route. `now` is the clock calls are stamped by, which may be shifted; `seconds` is the real one, of Unix."""
    routes = APIRouter(tags=["receipts"])

    @routes.post(
        "/receipts/sms",
        status_code=HTTPStatus.ACCEPTED,
        responses=documented(401, 422, 503),
        response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}},
    )
    async def sms(request: Request) -> Response:
        """What became of an SMS, by its gateway. Headers are those of Standard Webhooks, signed with
        CALLROUTER_SMS_RECEIPT_SECRET; 202 also for an SMS that nobody knows. 503: send it again."""
        body = await request.body()
        if not is_signed(key, request.headers, body, now_seconds=seconds()):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "the receipt was not signed with CALLROUTER_SMS_RECEIPT_SECRET in the last 5 minutes",
            )
        try:
            receipt = msgspec.json.decode(body, type=Receipt)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"the receipt cannot be read: {error}") from error
        if await _noted(database, receipt, now) is Noted.NOT_YET:
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE, "the SMS is still on its way", headers={"Retry-After": "5"}
            )
        return Response(status_code=HTTPStatus.ACCEPTED)

    return routes


_SCHEMA: Final = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": ["string", "integer"], "description": "As the gateway answered, or as it was asked"},
        "status": {"type": "string", "enum": ["delivered", "failed"]},
        "reason": {"type": "string", "description": "Why it failed"},
    },
}


async def _noted(database: Database, receipt: Receipt, now: Callable[[], datetime]) -> Noted:
    loop = asyncio.get_running_loop()
    began = loop.time()
    id_ = str(receipt.id)[:_LONGEST_ID]
    reason = "".join(sign if sign.isprintable() else " " for sign in receipt.reason)[:_LONGEST_REASON]
    while True:
        noted = await note_receipt(database, id_, Means.SMS, Fate(receipt.status), reason, now())
        waits = {Noted.NOBODYS: UNKNOWN_SECONDS, Noted.NOT_YET: NOT_YET_SECONDS}.get(noted)
        if waits is None or loop.time() - began >= waits:
            return noted
        await asyncio.sleep(AGAIN_SECONDS)
