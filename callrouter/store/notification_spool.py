"""Notifications on disk while PostgreSQL takes none: one a line. An engine that ends meanwhile leaves them to the next.

A notification that stands here twice, or here and in PostgreSQL, is kept once: the book goes by its id.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from callrouter.delivery.queue import Pending
from callrouter.store.spool import write_whole

log = structlog.get_logger(__name__)


class NotificationShelf:
    """One file; each method does its work in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, asked: Sequence[Pending]) -> None:
        """Put them on the disk, behind what is there. Raises OSError: the disk does not take them."""
        lines = b"".join([msgspec.json.encode(one) + b"\n" for one in asked])
        await asyncio.to_thread(self._append, lines)

    async def look(self) -> list[Pending]:
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

    def _read(self) -> list[Pending]:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found: list[Pending] = []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line, type=Pending))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a machine that died cut it
                text = line.decode("utf-8", "replace")
                log.error("a notification on disk cannot be read", line=text, reason=str(error))  # noqa: TRY400
        return found
