"""From the call that asks for a delivery to the book, with nothing lost on the way.

What is asked for is in memory until the book has it, or, while PostgreSQL is away, the spool on disk. From there it
goes into the book when PostgreSQL is back, by this engine or by the next. What is added twice is kept once.
"""

from __future__ import annotations

import contextlib
from collections import deque
from itertools import islice
from typing import Final

import structlog

from callrouter.delivery.ports import Book, Delivery, Spool
from callrouter.errors import StoreError
from callrouter.logs import Outage

log = structlog.get_logger(__name__)

MAX_IN_MEMORY: Final = 50_000
"""Some 50 MB: what a minute of calls may ask for while PostgreSQL hangs, and all there is room for while both
PostgreSQL and the disk fail.
"""
AT_ONCE: Final = 1000
"""Deliveries a transaction."""


class Intake:
    """Deliveries asked for that are not in the book yet."""

    def __init__(self, book: Book, spool: Spool) -> None:
        self._book = book
        self._spool = spool
        self._in_memory: deque[Delivery] = deque()
        self._on_disk = 0
        self._read = False
        """What a predecessor left there is known."""
        self._unreadable = Outage(
            log, "notifications on disk cannot be read, and wait", "notifications on disk are read again"
        )
        self._unwritable = Outage(
            log, "notifications wait in memory alone: the disk fails", "notifications are kept on disk again"
        )

    def __len__(self) -> int:
        """How many are known of."""
        return len(self._in_memory) + self._on_disk

    def take(self, asked: Delivery) -> None:
        """Take it on; costs next to nothing."""
        if len(self._in_memory) >= MAX_IN_MEMORY:
            log.critical("a notification is lost: too many wait in memory", notification=asked)
            return
        self._in_memory.append(asked)

    async def keep(self) -> int:
        """Bring all of them into the book; how many there were.

        Raises:
            StoreError: it does not take them now.
        """
        kept = await self._unspool() if self._on_disk or not self._read else 0
        while self._in_memory:
            taken = list(islice(self._in_memory, AT_ONCE))
            await self._book.add(taken)
            self._forget(len(taken))
            kept += len(taken)
        return kept

    async def put_aside(self) -> bool:
        """Move them from memory to the disk, as long as the book takes none; False: it does not take them either."""
        taken = list(self._in_memory)
        if not taken:
            return True
        try:
            await self._spool.append(taken)
        except OSError as error:
            self._unwritable.failed(str(error), waiting=len(self))
            return False
        self._unwritable.ended()
        self._on_disk += len(taken)
        self._forget(len(taken))
        return True

    async def flush(self) -> None:
        """Keep them for the next engine, in the book or on disk; what neither takes is logged, whole."""
        try:
            await self.keep()
        except StoreError:
            if await self.put_aside():
                log.warning("notifications wait on disk for the next start", waiting=len(self))
                return
            for one in self._in_memory:
                log.critical("a notification is lost", notification=one)

    async def _unspool(self) -> int:
        await self._book.check()  # before what is on disk, which may be long, is read to no end
        try:
            found = await self._spool.read()
        except OSError as error:  # what comes in now must not wait for somebody who mends the disk
            self._unreadable.failed(str(error), waiting=len(self))
            return 0
        self._unreadable.ended()
        self._on_disk, self._read = len(found), True
        for place in range(0, len(found), AT_ONCE):
            await self._book.add(found[place : place + AT_ONCE])
        with contextlib.suppress(OSError):  # found once more by the next engine, and kept once
            await self._spool.clear()
        self._on_disk = 0
        return len(found)

    def _forget(self, many: int) -> None:
        for _ in range(many):
            self._in_memory.popleft()
