"""What people answer to SMS, by the gateway: `POST /api/replies/sms`, signed as its receipts are.

The signature is all that says who asks; the number is whom the gateway says it is of. The same answer may come more
than once, and answers in any order. Of a number that was told nothing, nothing is said.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from msgspec import Struct

from callrouter.api.problems import documented
from callrouter.core import numbers
from callrouter.core.dispatch import Means
from callrouter.delivery.signing import is_signed
from callrouter.store.database import Database
from callrouter.store.dispatch.replies import Reply, take_reply

log = structlog.get_logger(__name__)

_LONGEST_TEXT: Final = 2_000
_LONGEST_NUMBER: Final = 40


class Answered(Struct, frozen=True, rename={"sender": "from"}):
    """What the gateway posts."""

    id: str | int
    """Its own, the same each time it posts this one."""
    sender: str
    text: str


def router(
    database: Database,
    key: bytes,
    now: Callable[[], datetime],
    region: str,
    *,
    seconds: Callable[[], float] = time.time,
) -> APIRouter:
    """The route. `now` is the clock calls are stamped by, `seconds` the real one, of Unix; `region` is the country of
    numbers that are written without one."""
    routes = APIRouter(tags=["receipts"])

    @routes.post(
        "/replies/sms",
        status_code=HTTPStatus.ACCEPTED,
        responses=documented(401, 422, 503),
        response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}},
    )
    async def sms(request: Request) -> Response:
        """What somebody answered to an SMS, by its gateway. Headers are those of Standard Webhooks, signed with
        CALLROUTER_SMS_RECEIPT_SECRET; 202 whatever it says, also the second time. 503: send it again."""
        body = await request.body()
        if not is_signed(key, request.headers, body, now_seconds=seconds()):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "the answer was not signed with CALLROUTER_SMS_RECEIPT_SECRET in the last 5 minutes",
            )
        try:
            answered = msgspec.json.decode(body, type=Answered)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"the answer cannot be read: {error}") from error
        outcome = await take_reply(database, reply_of(answered, region), now())
        log.info("an answer to an SMS was taken", came_to="nothing new" if outcome is None else outcome.value)
        return Response(status_code=HTTPStatus.ACCEPTED)

    return routes


_SCHEMA: Final = {
    "type": "object",
    "required": ["id", "from", "text"],
    "properties": {
        "id": {"type": ["string", "integer"], "description": "The gateway's own, the same at each repetition"},
        "from": {"type": "string", "description": "The number it comes from"},
        "text": {"type": "string", "description": "What they wrote"},
    },
}


def reply_of(answered: Answered, region: str) -> Reply:
    """What the record takes: of a number in E.164, with no sign in it that rules a screen."""
    written = answered.sender.strip()[:_LONGEST_NUMBER]
    number = numbers.written(written, region) or numbers.written(f"+{written}", region) or "unknown"
    text = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in answered.text[:_LONGEST_TEXT])
    first = next((line for line in text.splitlines() if line.strip()), "")
    return Reply(
        means=Means.SMS,
        id=hashlib.sha256(str(answered.id).encode(errors="replace")).hexdigest(),
        senders=(f"sms:{number}",),
        first_line=first,
        said=text,
    )
