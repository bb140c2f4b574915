"""A link without an Asterisk."""

from __future__ import annotations

from callrouter.asterisk.batch import Batch, OnResult, Request


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

    def actions(self) -> list[str]:
        """What has been written since the last look, by the name of the action."""
        written, self.written = self.written, []
        return [one.partition("\r\n")[0].removeprefix("Action: ") for one in written]
