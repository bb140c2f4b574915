"""A line between us and a server that can be cut, fall silent, grow slow or be flooded, and may hold back what a test
names.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Through = Callable[[bytes], bytes]
"""What of the server's bytes goes through."""
FLOODS_PER_SECOND: Final = 20
END: Final = b"\r\n\r\n"
"""Of a message of AMI: nothing is put into one."""


class WeakLine:
    """Carries connections to wherever `connect` leads; each method holds until another one is called."""

    def __init__(self, connect: Callable[[], Awaitable[Ends]]) -> None:
        self.port = 0
        self.taken = 0
        """Connections that were made."""
        self.through: Through | None = None
        """Asked for everything the server says, if set."""
        self._connect = connect
        self._open = asyncio.Event()
        self._open.set()
        self._may_end = asyncio.Event()
        self._may_end.set()
        self._delay_seconds = 0.0
        self._flood = b""
        self._refuses = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self, *, refuse: bool = False) -> None:
        """Every connection is reset, and none is taken from now on if we `refuse`."""
        self._refuses = refuse
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Nothing goes through any more, and nobody is told: new connections are taken, and hear nothing."""
        self._open.clear()

    def hold_ends(self) -> None:
        """What is said goes through; that a side has closed its connection does not."""
        self._may_end.clear()

    def slow(self, seconds: float) -> None:
        """Whatever is said, either way, is so late."""
        self._delay_seconds = seconds

    def flood(self, message: bytes, per_second: int) -> None:
        """The server, a PBX, says this besides, so many times a second."""
        self._flood = message * (per_second // FLOODS_PER_SECOND)

    def heal(self) -> None:
        """As a line should be; what was held back goes through."""
        self._delay_seconds, self._refuses, self._flood, self.through = 0.0, False, b"", None
        self._open.set()
        self._may_end.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.taken += 1
        self._writers.add(writer)
        try:
            await self._open.wait()
            if not self._refuses:
                await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # one end has gone, or the test is over
        finally:
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        self._writers.add(far_writer)
        try:
            with suppress(ExceptionGroup):
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._carry(reader, far_writer, None))
                    both.create_task(self._carry(far_reader, writer, self._passes))
        finally:
            for end in (writer, far_writer):
                end.close()  # what was written before is still delivered
            self._writers.discard(far_writer)

    def _passes(self, data: bytes) -> bytes:
        return data if self.through is None else self.through(data)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, through: Through | None) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        whole = False

        async def flood() -> None:
            while True:
                await asyncio.sleep(1 / FLOODS_PER_SECOND)
                if whole and self._flood:
                    queue.put_nowait((loop.time() + self._delay_seconds, self._flood))

        async def deliver() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._open.wait()
                if not data:
                    await self._may_end.wait()
                    raise ConnectionResetError  # both ways end together
                writer.write(data if through is None else through(data))
                await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(deliver())
            if through is not None:
                group.create_task(flood())
            while data := await reader.read(65536):
                whole = data.endswith(END)
                queue.put_nowait((loop.time() + self._delay_seconds, data))
            queue.put_nowait((loop.time() + self._delay_seconds, b""))


@asynccontextmanager
async def weak_line(connect: Callable[[], Awaitable[Ends]]) -> AsyncIterator[WeakLine]:
    """On a free port of the loopback, until the end of the block."""
    line = WeakLine(connect)
    server = await asyncio.start_server(line._serve, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.cut()
        for task in list(line._tasks):
            task.cancel()
        if line._tasks:
            await asyncio.wait(line._tasks)
