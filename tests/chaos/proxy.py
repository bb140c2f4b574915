"""A line between engine and PBX that can be cut, stalled, slowed down and flooded: AMI through a port of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_CHUNK: Final = 65536
_END: Final = b"\r\n\r\n"
FLOOD: Final = b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: PJSIP/nobody\r\nPeerStatus: Reachable\r\n\r\n"
"""An event that every manager session may get, of a telephone that there is not."""


class Proxy:
    """See the module; each method holds until the next one is called."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self._target = host, port
        self._open = asyncio.Event()
        self._open.set()
        self._refuses = False
        self._delay_seconds = 0.0
        self._flood_per_second = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Connections break, and none is taken."""
        self._refuses = True
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self) -> None:
        """Connections stay, and nothing goes through."""
        self._open.clear()

    def slow(self, seconds: float) -> None:
        """Whatever is said is so late, either way."""
        self._delay_seconds = seconds

    def flood(self, events_per_second: int) -> None:
        """The PBX says so much besides."""
        self._flood_per_second = events_per_second

    def heal(self) -> None:
        """A line as it should be."""
        self._refuses, self._delay_seconds, self._flood_per_second = False, 0.0, 0
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the engine's."""
        if self._refuses:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        loop = asyncio.get_running_loop()
        halves = [loop.create_task(self._carry(reader, far_writer)), loop.create_task(self._tell(far_reader, writer))]
        self._tasks.update(halves)
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
                self._tasks.discard(half)
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To the PBX."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        pump = loop.create_task(self._pump(queue, writer))
        self._tasks.add(pump)
        with suppress(ConnectionError):
            try:
                while data := await reader.read(_CHUNK):
                    queue.put_nowait((loop.time() + self._delay_seconds, data))
            finally:
                pump.cancel()
                self._tasks.discard(pump)

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To the engine: whole events at a time, so that more of them fit in between."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        helpers = [loop.create_task(self._pump(queue, writer)), loop.create_task(self._flooding(queue))]
        self._tasks.update(helpers)
        held = b""
        with suppress(ConnectionError):
            try:
                while data := await reader.read(_CHUNK):
                    whole, end, held = (held + data).rpartition(_END)
                    # The greeting is a line by itself; nothing is held back for long.
                    if end:
                        queue.put_nowait((loop.time() + self._delay_seconds, whole + end))
                    elif held.startswith(b"Asterisk Call Manager"):
                        queue.put_nowait((loop.time(), held))
                        held = b""
            finally:
                for helper in helpers:
                    helper.cancel()
                    self._tasks.discard(helper)

    async def _pump(self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._open.wait()
                writer.write(data)
                await writer.drain()

    async def _flooding(self, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.05)
            if count := self._flood_per_second // 20:
                queue.put_nowait((loop.time(), FLOOD * count))

    async def close(self) -> None:
        """End every connection."""
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxy(host: str, port: int) -> AsyncIterator[Proxy]:
    """In front of this AMI, on a free port of the loopback."""
    found = Proxy(host, port)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await found.close()
