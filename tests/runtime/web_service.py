"""A web service on the loopback that behaves as badly as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

GOOD = b'{"customer": {"name": "Jeanne \\u0000\\r\\n \\"Moreau\\"", "vip": true, "files": [12, "A-7"]}, "deep": {}}'

ANSWERS = {
    "good": (b"200 OK", GOOD, b"Set-Cookie: session=1\r\n"),
    "fail": (b"500 Broken", b"{}"),
    "missing": (b"404 Not Found", b"{}"),
    "redirect": (b"302 Found", b"", b"Location: http://169.254.169.254/latest/meta-data/\r\n"),
    "nested": (b"200 OK", b"[" * 60_000),
    "long": (b"200 OK", b"bell\x07and\r\n\r\n  line " + b"x" * 9_000),
    "html": (b"200 OK", b"<html>"),
}
"""Status, body and headers."""


@dataclass
class WebService:
    """What it was asked, and how it answers: by the first segment of the path."""

    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    away: bool = False
    retry_after: str = ""
    held: asyncio.Event | None = None

    @property
    def host(self) -> str:
        """As an allow-list names it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        """An address of it."""
        return f"http://{self.host}/{path}"

    def hold(self) -> asyncio.Event:
        """Answer nobody until this is set."""
        self.held = asyncio.Event()
        return self.held

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            self.asked.append(head + await reader.readexactly(length))
            if self.held is not None:
                await self.held.wait()
            await self._answer(head.split(b" ")[1].split(b"?")[0].strip(b"/").split(b"/")[0].decode(), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, how: str, writer: asyncio.StreamWriter) -> None:
        if self.away:
            how = "fail"
        match how:
            case "slow":
                await asyncio.sleep(30)
            case "drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "busy":
                _write(writer, b"503 Busy", b"{}", b"Retry-After: %b\r\n" % self.retry_after.encode())
            case "huge":
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                for _ in range(64):
                    writer.write(b"x" * 4096)
                    await writer.drain()
            case "garbage":
                writer.write(b"\x00\xff nonsense\r\n\r\n")
            case _ if how in ANSWERS:
                _write(writer, *ANSWERS[how])
            case _:
                pass
        await writer.drain()


def _write(writer: asyncio.StreamWriter, status: bytes, body: bytes, headers: bytes = b"") -> None:
    writer.write(
        b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, headers, len(body), body)
    )


@asynccontextmanager
async def web_service() -> AsyncIterator[WebService]:
    """It, on a free port."""
    service = WebService()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
