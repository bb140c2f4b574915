"""Tells clients' systems what the calls asked for, without any call waiting for it.

A notification is a row before it is sent, and stays one until it is delivered; while PostgreSQL is away it waits on
disk. An engine that ends meanwhile leaves it to the next. So it is delivered at least once; `Idempotency-Key` lets the
receiver drop a repetition. What fails is tried again after growing pauses, some nine hours long, and then given up; a
receiver the operator does not allow is never asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from callrouter.core.effects import HttpRequest
from callrouter.core.facts import Fact, NotificationAsked
from callrouter.errors import StoreError
from callrouter.runtime.outgoing import Outgoing, RequestFailed
from callrouter.runtime.ports import Clock, OutgoingMeter

log = structlog.get_logger(__name__)

PAUSES_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 21_600.0)
"""After the first failed attempt, the second …; after the last of them it is given up."""
TIMEOUT_SECONDS = 10.0
AT_ONCE = 8
"""Deliveries at a time."""
LOOK_SECONDS = 2.0
"""How often what waits for its next attempt is looked for."""
RETRY_SECONDS = 1.0
"""Pause while PostgreSQL is away."""
MAX_IN_MEMORY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A notification that is not delivered yet."""

    notification_id: str
    call_id: str
    client: str
    contact: str
    url: str
    body: str
    asked_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How trying to deliver went."""

    notification_id: str
    attempts: int
    """All of them, this one included."""
    at: datetime
    error: str | None
    """None: delivered."""
    next_at: datetime | None = None
    """None: there will be no other."""


class NotificationBook(Protocol):
    """Where notifications are kept; each method raises StoreError while it cannot be reached."""

    async def add(self, asked: Sequence[Pending]) -> None:
        """Keep them; one that is there already stays as it is."""
        ...

    async def due(self, now: datetime, limit: int) -> list[Pending]:
        """Those to be tried now, the oldest first."""
        ...

    async def settle(self, attempt: Attempt) -> None:
        """Note how an attempt went."""
        ...


class Shelf(Protocol):
    """Where notifications wait while the book cannot be reached; each method raises OSError when the disk fails."""

    async def put(self, asked: Sequence[Pending]) -> None:
        """Behind what is there."""
        ...

    async def look(self) -> list[Pending]:
        """What is there."""
        ...

    async def clear(self) -> None:
        """All of it is in the book."""
        ...


class Notifier:
    """An observer of facts, and a task (`run`) that delivers."""

    interests: Final[frozenset[type[Fact]]] = frozenset({NotificationAsked})

    def __init__(
        self,
        *,
        book: NotificationBook,
        outgoing: Outgoing,
        clock: Clock,
        shelf: Shelf,
        meter: OutgoingMeter | None = None,
    ) -> None:
        self._book = book
        self._shelf = shelf
        self._looked = False
        """What a predecessor left on the shelf is known."""
        self._shelved = 0
        """How many of those asked for, from the first on, stand on the shelf."""
        self._outgoing = outgoing
        self._clock = clock
        self._meter = meter
        self._asked: deque[Pending] = deque()
        self._wake = asyncio.Event()

    def observe(self, facts: Sequence[Fact]) -> None:
        """Take note of what is to be delivered; costs next to nothing."""
        for fact in facts:
            if type(fact) is NotificationAsked:
                self._take(fact)

    @property
    def backlog(self) -> int:
        """Those not kept yet."""
        return len(self._asked)

    async def run(self) -> None:
        """Keep and deliver until cancelled.

        Raises:
            OSError: what a predecessor left cannot be read; it is begun again, and what is asked for waits in memory.
        """
        await self._look()
        while True:
            try:
                await self._keep()
                delivered = await self._deliver_due()
            except StoreError as error:
                log.warning("notifications wait: PostgreSQL is away", waiting=len(self._asked), reason=str(error))
                try:
                    await self._put_aside()
                except OSError as failed:
                    log.error("notifications wait in memory alone: the disk fails", reason=str(failed))  # noqa: TRY400
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not delivered:
                await self._pause()

    async def flush(self) -> None:
        """Keep what is still in memory, for the next engine to deliver; what neither PostgreSQL nor the disk takes is
        logged.
        """
        try:
            await self._keep()
        except StoreError:
            try:
                await self._put_aside()
            except OSError as error:
                for one in self._asked:
                    log.critical("a notification is lost", notification=one, reason=str(error))
            else:
                log.warning("notifications wait on disk for the next start", waiting=len(self._asked))

    async def _look(self) -> None:
        if not self._looked:
            found = await self._shelf.look()
            self._asked.extendleft(reversed(found))
            self._looked, self._shelved = True, len(found)

    async def _put_aside(self) -> None:
        asked = list(self._asked)
        if len(asked) > self._shelved:
            await self._shelf.put(asked[self._shelved :])
            self._shelved = len(asked)

    def _take(self, fact: NotificationAsked) -> None:
        asked, call = fact.notification, fact.call
        if len(self._asked) >= MAX_IN_MEMORY:
            log.error("a notification is lost: too many wait for PostgreSQL", notification=asked.notification_id)
            return
        self._asked.append(
            Pending(
                notification_id=asked.notification_id,
                call_id=call.call_id,
                client=call.client,
                contact=asked.contact,
                url=asked.url,
                body=asked.body,
                asked_at=asked.asked_at,
            )
        )
        self._wake.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _keep(self) -> None:
        taken = list(self._asked)
        if taken:
            await self._book.add(taken)
            for _ in taken:
                self._asked.popleft()
            if self._shelved:
                self._shelved = 0
                with contextlib.suppress(OSError):  # told once more by the next engine, and kept once
                    await self._shelf.clear()

    async def _deliver_due(self) -> int:
        due = await self._book.due(self._clock.now(), AT_ONCE)
        # Each result is noted as it comes, whatever becomes of the others.
        for finished in asyncio.as_completed([self._deliver(one) for one in due]):
            await self._book.settle(await finished)
        return len(due)

    async def _deliver(self, one: Pending) -> Attempt:
        request = HttpRequest(method="POST", url=one.url, body=one.body)
        error: RequestFailed | None = None
        try:
            await self._outgoing.send(request, TIMEOUT_SECONDS, {"Idempotency-Key": one.notification_id})
        except RequestFailed as failed:
            error = failed
        attempts, now = one.attempts + 1, self._clock.now()
        next_at = None
        if error is not None and not error.forbidden and attempts <= len(PAUSES_SECONDS):
            pause = PAUSES_SECONDS[attempts - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - spreads retries
            next_at = now + timedelta(seconds=pause)
        if self._meter is not None:
            self._meter.observe_delivery("delivered" if error is None else "failed" if next_at else "given_up")
        if error is not None:
            log.warning(
                "a notification was not delivered" + ("" if next_at else ": it is given up"),
                notification=one.notification_id,
                client=one.client,
                contact=one.contact,
                attempts=attempts,
                reason=str(error),
            )
        return Attempt(
            notification_id=one.notification_id,
            attempts=attempts,
            at=now,
            error=str(error) if error else None,
            next_at=next_at,
        )
