"""The way to one reader: frames wait here until its connection takes them, and not more than a bound.

Whoever gives frames never waits. A reader for whom too much waits is cut off, and told so; it comes back with the id
of the last event it has seen, and goes on from there or with a snapshot.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from callrouter.runtime.pauses import pause
from callrouter.stream.frames import HEARTBEAT

MOST_WAITING: Final = 1_000
"""Frames that may wait for one reader. They are the same bytes for all readers: a slow one costs a list."""
MOST_AT_ONCE: Final = 64 * 1024
"""Bytes in one write, about: what uvicorn takes before it makes us wait."""


TOO_SLOW: Final = "the reader is too slow"


class Outlet:
    """Frames on their way to one reader."""

    def __init__(self, *, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: deque[bytes] = deque()
        self._work = asyncio.Event()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def ended(self) -> bool:
        """Nothing is given to it any more."""
        return self._ended.done()

    @property
    def why(self) -> str:
        """Why it ended; empty while it has not."""
        return self._ended.result() if self._ended.done() else ""

    def put(self, frame: bytes) -> None:
        """Give it a frame; it ends when too many wait."""
        if self._ended.done():
            return
        if len(self._waiting) >= self._most:
            self._waiting.clear()
            self.end(TOO_SLOW)
            return
        self._waiting.append(frame)
        self._work.set()

    def start(self, frames: list[bytes]) -> None:
        """Give it what it begins with, before all that waits, and however much that is."""
        if frames and not self._ended.done():
            self._waiting.appendleft(b"".join(frames))
            self._work.set()

    def end(self, why: str) -> None:
        """Nothing more is given to it; what waits is still sent."""
        if not self._ended.done():
            self._ended.set_result(why)
            self._work.set()

    def when_ended(self, then: Callable[[], None]) -> None:
        """Have it called, soon, once it has ended."""
        self._ended.add_done_callback(lambda _: then())

    async def frames(self, heartbeat_seconds: float, go_on: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        """What to write, some at a time, and a comment where there was nothing for so long, until it has ended.

        `go_on` is asked then, and at least as often, whether the reader may still see this.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + heartbeat_seconds
        while True:
            waiting = b""
            if not self._waiting and not self._ended.done():
                waiting = await self._wait(due - loop.time())
            if loop.time() >= due:
                due = loop.time() + heartbeat_seconds
                if not await go_on():
                    self.end("the reader may not see this any more")
                    return
            some = [waiting]
            size = len(waiting)
            while self._waiting and size < MOST_AT_ONCE:
                some.append(self._waiting.popleft())
                size += len(some[-1])
            if size:
                yield b"".join(some)
            elif self._ended.done():
                return

    async def _wait(self, seconds: float) -> bytes:
        self._work.clear()
        return b"" if await pause(max(0.0, seconds), self._work) else HEARTBEAT
