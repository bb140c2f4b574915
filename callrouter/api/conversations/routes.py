"""The call that something is to be done in, and the answer when it cannot be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Protocol, TypeVar

from fastapi import HTTPException, Path

from callrouter.api.auth import Visitor
from callrouter.api.engine_client import EngineAway
from callrouter.api.filters import TEXT
from callrouter.api.schemas.live import LiveOut
from callrouter.errors import ConversationRefused
from callrouter.permissions import Permission

Answer = TypeVar("Answer")
CallId = Annotated[
    str, Path(max_length=200, pattern=TEXT, description="Of a call in progress", examples=["1795427775-42-518203"])
]
PROBLEMS = (403, 404, 409, 502, 503)
"""What these routes answer besides."""


class Conversations(Protocol):
    """Who has the calls: the engine's own, or the way to it."""

    async def live(self) -> LiveOut:
        """The calls in progress. Raises EngineAway."""
        ...


async def done(
    conversations: Conversations,
    permission: Permission,
    call_id: str,
    visitor: Visitor,
    do: Callable[[], Awaitable[Answer]],
) -> Answer:
    """Do it in a call that the visitor may act in, by its last queue; another one is as if it were not there."""
    try:
        call = next((one for one in (await conversations.live()).calls if one.call_id == call_id), None)
        if call is None or visitor.hides(permission, call_id, call.client, set(call.queues[-1:])):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no call {call_id} in progress")
        return await do()
    except EngineAway as error:
        raise HTTPException(HTTPStatus.BAD_GATEWAY, str(error)) from error
    except ConversationRefused as error:
        status = HTTPStatus.SERVICE_UNAVAILABLE if error.away else HTTPStatus.CONFLICT
        raise HTTPException(status, str(error)) from error
