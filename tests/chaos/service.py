"""The web service beside: it answers lookups after a while, takes notifications, and writes down what it was asked."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.chaos.notes import Asked

SLOW_SECONDS: Final = (0.2, 5.0)
"""How long an answer takes: many lookups are under way at any instant."""
_CALL = re.compile(r"[0-9]{9,}-[0-9]+-[0-9]+")
_ANSWER: Final = b'{"word": "yes"}'


class Service:
    """See the module."""

    def __init__(self, seed: str) -> None:
        self.asked: list[Asked] = []
        self.port = 0
        self._chance = random.Random(f"{seed}:service")

    @property
    def host(self) -> str:
        """As an allow-list names it."""
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, one after the other."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        body = (await reader.readexactly(int(headers.get("content-length") or 0))).decode(errors="replace")
        path = head.split(" ")[1]
        call = _CALL.search(path) or _CALL.search(body)
        key = headers.get("idempotency-key", "")
        asked = Asked(at=time.time(), path=path, call=call[0] if call else "", key=key)
        self.asked.append(asked)
        if path.startswith("/lookup") and await _is_gone(reader, self._chance.uniform(*SLOW_SECONDS)):
            asked.done_at = time.time()
            return False
        asked.done_at = time.time()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_ANSWER), _ANSWER))
        await writer.drain()
        return headers.get("connection", "").lower() != "close"


async def _is_gone(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether whoever asked closes the connection within so many seconds, as the kernel does for who is killed."""
    with suppress(TimeoutError):
        return not await asyncio.wait_for(reader.read(1), seconds)
    return False


@asynccontextmanager
async def service(seed: str) -> AsyncIterator[Service]:
    """It, on a free port of the loopback."""
    found = Service(seed)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
