"""An SMS gateway on the loopback that behaves as badly as they come: as the number says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

TOKEN = "the-gateways-token"
ANSWERS: dict[str, tuple[bytes, bytes, bytes]] = {
    "+33600000400": (b"400 Bad Request", b'{"error": "no such number"}', b""),
    "+33600000422": (b"422 Unprocessable", b"{}", b""),
    "+33600000401": (b"401 Unauthorized", b"{}", b""),
    "+33600000404": (b"404 Not Found", b"", b""),
    "+33600000429": (b"429 Too Many Requests", b"{}", b"Retry-After: 30\r\n"),
    "+33600000500": (b"500 Broken", b"{}", b""),
    "+33600000504": (b"504 Gateway Timeout", b"<html>", b""),
    "+33600000302": (b"302 Found", b"", b"Location: http://169.254.169.254/latest/meta-data/\r\n"),
    "+33600000001": (b"200 OK", b'{"id": 4711, "other": [1]}', b""),
    "+33600000002": (b"204 No Content", b"", b""),
    "+33600000003": (b"200 OK", b"[" * 60_000, b""),
    "+33600000004": (b"200 OK", b'{"id": "a\\u0000b"}', b""),
}
"""Status, body and headers, by number; others are taken by the name `sms-` and how many have been."""


@dataclass
class Gateway:
    """What it was asked."""

    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    """Texts by id: what is asked twice is sent once."""

    @property
    def host(self) -> str:
        """As an allow-list names it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """As the settings have it."""
        return f"http://{self.host}/v1/sms"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            body = await reader.readexactly(length)
            self.asked.append(head + body)
            await self._answer(json.loads(body), writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        match asked["to"]:
            case "+33600000098":  # hangs up
                return
            case "+33600000099":  # never ends
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.2)
            case number if number in ANSWERS:
                status, body, headers = ANSWERS[number]
                _write(writer, status, body, headers)
            case _:
                self.sent.setdefault(asked["id"], asked["text"])
                _write(writer, b"202 Accepted", json.dumps({"id": f"sms-{len(self.sent)}"}).encode(), b"")


def _write(writer: asyncio.StreamWriter, status: bytes, body: bytes, headers: bytes) -> None:
    writer.write(
        b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, headers, len(body), body)
    )


@asynccontextmanager
async def sms_gateway() -> AsyncIterator[Gateway]:
    """One, on a free port."""
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        server.close()
