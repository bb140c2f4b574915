"""What calls ask for, on its way to the queue: no call waits for it, and nothing of it is lost.

It is a row of the queue before it is tried; while PostgreSQL is away it waits on disk. An engine that ends meanwhile
leaves it to the next. The queue is the worker's (`callrouter.dispatch`), which sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from callrouter.core.facts import Fact, NotificationAsked
from callrouter.delivery.intake import Intake
from callrouter.delivery.ports import Book, Delivery, Spool
from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
"""How often what could not be read from the disk is tried again."""
RETRY_SECONDS: Final = 1.0
"""Pause while PostgreSQL is away."""


class Asking:
    """An observer of facts, and a task (`run`) that queues what they ask for."""

    interests: Final[frozenset[type[Fact]]] = frozenset({NotificationAsked})

    def __init__(self, *, book: Book, spool: Spool) -> None:
        self._intake = Intake(book, spool)
        self._away = Outage(
            log, "notifications wait: PostgreSQL is away", "notifications go on: PostgreSQL is back", level="warning"
        )
        self._wake = asyncio.Event()

    def observe(self, facts: Sequence[Fact]) -> None:
        """Take note of what is to be delivered; costs next to nothing."""
        for fact in facts:
            if type(fact) is NotificationAsked:
                self.take(_delivery(fact))

    def take(self, asked: Delivery) -> None:
        """Queue what no call's tree asked for; costs next to nothing."""
        self._intake.take(asked)
        self._wake.set()

    @property
    def backlog(self) -> int:
        """Those not in the queue yet."""
        return len(self._intake)

    async def run(self) -> None:
        """Queue them until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._intake.keep()
            except StoreError as error:
                self._away.failed(str(error), waiting=self.backlog)
                await self._intake.put_aside()
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._away.ended(waiting=self.backlog)
                await pause(LOOK_SECONDS, self._wake)

    async def flush(self) -> None:
        """After `run`: leave everything in order for the next engine."""
        await self._intake.flush()


def _delivery(fact: NotificationAsked) -> Delivery:
    asked, call = fact.notification, fact.call
    return Delivery(
        delivery_id=asked.notification_id,
        call_id=call.call_id,
        client=call.client,
        contact=asked.contact,
        address=asked.url,
        body=asked.body,
        asked_at=asked.asked_at,
    )
