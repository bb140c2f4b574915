"""The media of all telephones of a round: a socket each, all read at once every 20 ms, and one clock for what they say.

A protocol, a timer and a task for each of some 250 telephones took nearly a whole processor, which callers then missed.
The kernel notes when a packet came: what is heard is right to the millisecond even when this process is late to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from tests.chaos.sounds import Sounds

HOST: Final = "127.0.0.1"
FRAME_SECONDS: Final = 0.02
STOOD_STILL_SECONDS: Final = 0.5
"""What was not said for so long is not poured out afterwards."""
_LARGEST: Final = 2048
_SO_TIMESTAMPNS: Final = 35
"""Of Linux; Python's `socket` does not name it."""
_TRIES: Final = 100
_STAMP: Final = struct.Struct("@ll")
_STAMP_SPACE: Final = socket.CMSG_SPACE(_STAMP.size)


class Listener(Protocol):
    """A telephone, as `Media` sees it."""

    def hear(self, data: bytes, at: float) -> None:
        """A packet that came then, in seconds since 1970."""

    def turn(self, frame: int) -> None:
        """20 ms have passed: so many times now."""


def _socket() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    found.bind((HOST, 0))
    found.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return found


class Line(asyncio.DatagramTransport):
    """A telephone's socket."""

    def __init__(self, media: Media) -> None:
        super().__init__()
        self.socket = _socket()
        self._media = media

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`sockname`: host and port."""
        return self.socket.getsockname() if name == "sockname" else default

    def sendto(self, data: Any, addr: Any = None) -> None:
        """As a transport; what cannot be sent is lost, as it may be on any way."""
        with contextlib.suppress(OSError):
            self.socket.sendto(data, addr)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self.socket.fileno() < 0

    def close(self) -> None:
        """Nothing more is said or heard."""
        if not self.is_closing():
            self._media.unplug(self)
            self.socket.close()


class Media:
    """See the module."""

    def __init__(self) -> None:
        self.sounds = Sounds()
        self._poll = select.epoll()
        self._lines: dict[int, tuple[Line, Listener]] = {}
        self._awaited: dict[asyncio.Future[None], tuple[Callable[[], bool], float]] = {}
        self._frame = 0
        self.stamped = _socket()
        """Open all the time, so that the kernel notes times."""

    def plug(self, listener: Listener) -> Line:
        """A line for a telephone."""
        line = Line(self)
        self._lines[line.socket.fileno()] = line, listener
        self._poll.register(line.socket.fileno(), select.EPOLLIN)
        return line

    def unplug(self, line: Line) -> None:
        """It is heard no more, but for what has come."""
        _, listener = self._lines.pop(line.socket.fileno())
        while _read(line, listener):
            pass
        self._poll.unregister(line.socket.fileno())

    async def until(self, true: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so, for so long at most; it is looked at every 20 ms, and must be quick to tell."""
        if true():
            return
        future = asyncio.get_running_loop().create_future()
        self._awaited[future] = true, time.monotonic() + seconds
        try:
            await future
        finally:
            self._awaited.pop(future, None)

    async def run(self) -> None:
        """The clock, until cancelled."""
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now - due > STOOD_STILL_SECONDS:
                due = now
            self._read()
            while due <= now:
                self._frame, due = self._frame + 1, due + FRAME_SECONDS
                for _, listener in self._lines.values():
                    listener.turn(self._frame)
            for future, (true, deadline) in self._awaited.items():
                if not future.done() and (true() or now > deadline):
                    future.set_result(None)
            await asyncio.sleep(due - time.monotonic())

    def _read(self) -> None:
        """Whatever has come: a packet of each line, and once more for those that have another one."""
        while ready := self._poll.poll(0):
            for number, _ in ready:
                _read(*self._lines[number])

    def close(self) -> None:
        """Every line ends."""
        for line, _ in list(self._lines.values()):
            line.close()
        self._poll.close()
        self.stamped.close()


def _read(line: Line, listener: Listener) -> bool:
    """One packet, if there is one."""
    try:
        data, extra, _, _ = line.socket.recvmsg(_LARGEST, _STAMP_SPACE)
    except OSError:
        return False
    listener.hear(data, _instant(extra))
    return True


def _instant(extra: list[tuple[int, int, bytes]]) -> float:
    seconds, nanoseconds = _STAMP.unpack(extra[0][2])
    return float(seconds + nanoseconds / 1e9)


async def _is_stamping(line: socket.socket) -> None:
    """Wait for the kernel, which begins to note times a moment after somebody first asks for it, and goes on while
    somebody does; until then what it says is when a packet was read.
    """
    for _ in range(_TRIES):
        line.sendto(b"?", line.getsockname())
        sent_at = time.time()
        await asyncio.sleep(FRAME_SECONDS)
        with contextlib.suppress(BlockingIOError):
            _, extra, _, _ = line.recvmsg(_LARGEST, _STAMP_SPACE)
            if _instant(extra) <= sent_at:
                return


@asynccontextmanager
async def media() -> AsyncIterator[Media]:
    """It, at work."""
    found = Media()
    await _is_stamping(found.stamped)
    clock = asyncio.get_running_loop().create_task(found.run())
    try:
        yield found
    finally:
        clock.cancel()
        await asyncio.gather(clock, return_exceptions=True)
        found.close()
