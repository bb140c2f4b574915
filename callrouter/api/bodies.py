"""No request is read beyond what any page takes: FastAPI reads a body as a whole, before it asks who sent it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES: Final = 65_536
"""The longest question is a few hundred bytes."""


class BoundedBodies:
    """ASGI middleware: whoever reads more of a body than `MAX_BODY_BYTES` gets 413 in its place."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"a body has {MAX_BODY_BYTES // 1024} KiB at most",
                    {"Connection": "close"},
                )
            return message

        await self._app(scope, bounded, send)
