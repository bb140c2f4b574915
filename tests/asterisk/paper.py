"""A link without an Asterisk."""

from __future__ import annotations

import asyncio

from callrouter.asterisk.batch import Batch, Headers, OnResult, Request
from callrouter.asterisk.codec import AmiMessage


class Paper:
    """A link on which everything is written down."""

    command_prefix = b""

    def __init__(self) -> None:
        self.written: list[str] = []

    def batch(self) -> Batch:
        """As AmiLink."""
        return Batch(self)

    def next_id(self, kind: bytes) -> bytes:
        """As Outlet."""
        return kind

    def submit(self, data: bytes, requests: dict[bytes, Request], results: dict[bytes, OnResult]) -> None:
        """As Outlet."""
        self.written += data.decode().split("\r\n\r\n")[:-1]

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        """Nothing is found."""
        found: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        found.set_result([])
        return found

    def actions(self) -> list[str]:
        """What has been written since the last look, by the name of the action."""
        written, self.written = self.written, []
        return [one.partition("\r\n")[0].removeprefix("Action: ") for one in written]
