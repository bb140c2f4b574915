"""Notifications on disk while PostgreSQL takes none: one a line. An engine that ends meanwhile leaves them to the next.

A line is a row of the table that they once had, as JSON. A notification that stands here twice, or here and in
PostgreSQL, is kept once: the book goes by its id.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from callrouter.delivery.ports import Delivery
from callrouter.store.writing.files import write_whole

log = structlog.get_logger(__name__)

COLUMNS: Final = {
    "delivery_id": "notification_id",
    "call_id": "call_id",
    "client": "client",
    "contact": "contact",
    "address": "url",
    "body": "body",
    "asked_at": "asked_at",
}
"""Where each field of a delivery stands."""
_UNTRIED: Final = {"attempts": 0}
"""What the release before reads besides."""


class NotificationSpool:
    """One file; each method does its work in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def append(self, asked: Sequence[Delivery]) -> None:
        """Put them on the disk, after what is there. Raises OSError: the disk does not take them."""
        lines = b"".join([_line(one) for one in asked])
        await asyncio.to_thread(self._append, lines)

    async def read(self) -> list[Delivery]:
        """What is there. Raises OSError: it cannot be read."""
        return await asyncio.to_thread(self._read)

    async def clear(self) -> None:
        """All of it is safe elsewhere. Raises OSError: it cannot be removed."""
        await asyncio.to_thread(self._path.unlink, missing_ok=True)

    def _append(self, lines: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            write_whole(descriptor, lines)
        finally:
            os.close(descriptor)

    def _read(self) -> list[Delivery]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found: list[Delivery] = []
        for line in lines:
            try:
                found.append(_delivery(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a machine that died cut it
                text = line.decode("utf-8", "replace")
                log.error("a notification on disk cannot be read", line=text, reason=str(error))  # noqa: TRY400
        return found


def _line(one: Delivery) -> bytes:
    return msgspec.json.encode({column: getattr(one, name) for name, column in COLUMNS.items()} | _UNTRIED) + b"\n"


def _delivery(line: bytes) -> Delivery:
    row = msgspec.json.decode(line, type=dict[str, object])
    return msgspec.convert({name: row[column] for name, column in COLUMNS.items() if column in row}, Delivery)
