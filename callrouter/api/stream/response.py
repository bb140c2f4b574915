"""An answer that does not end by itself: frames as they come, comments in between, until one side has enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Final, Protocol

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from callrouter.stream.frames import MEDIA_TYPE
from callrouter.stream.outlet import Outlet

HEADERS: Final = {
    # Neither kept nor changed by anybody in between; nginx (and others that know this header) pass each event on at
    # once.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}
SILENT_SECONDS: Final = 30.0
"""A reader whose machine takes nothing for so long is gone: TCP itself would wait a quarter of an hour."""
CUT_SECONDS: Final = 1.0
"""After a stream has ended, for so long its reader may take what is left."""


class Connection(Protocol):
    """What carries a request, as far as the server shows it (`app.http`)."""

    def give_up_after(self, seconds: float) -> None:
        """Have it ended by the kernel when the other side takes nothing for so long."""
        ...

    def abort(self) -> None:
        """End it now; what was not sent is not sent."""
        ...


class EventStream(StreamingResponse):
    """Server-Sent Events of an outlet."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        outlet: Outlet,
        *,
        on_end: Callable[[], None],
        heartbeat_seconds: float,
        first: bytes = b"",
        go_on: Callable[[], Awaitable[bool]] | None = None,
        status_code: int = HTTPStatus.OK,
    ) -> None:
        """`on_end` is called once, however it ends; `go_on` is asked at each heartbeat."""
        self._outlet = outlet
        self._on_end = on_end
        self._first = first
        frames = outlet.frames(heartbeat_seconds, go_on or _always)
        super().__init__(self._begun(frames), status_code, HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As any response, but that who does not read is cut off."""
        connection: Connection | None = scope.get("state", {}).get("connection")
        cuts: list[asyncio.TimerHandle] = []
        if connection is not None:
            connection.give_up_after(SILENT_SECONDS)
            loop, abort = asyncio.get_running_loop(), connection.abort
            self._outlet.when_ended(lambda: cuts.append(loop.call_later(CUT_SECONDS, abort)))
        try:
            await super().__call__(scope, receive, send)
        finally:
            for cut in cuts:
                cut.cancel()
            self._outlet.end("the reader has gone")
            self._on_end()

    async def _begun(self, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        async for some in frames:
            yield some


async def _always() -> bool:
    return True
