"""Runs what tells people of messages, while it holds the lease; another worker waits, and takes over when it ends.

What other systems want to know is queued beside that, each kind of it by a task of its own: however long it takes, or
fails, people are told, and the lease is renewed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from callrouter.dispatch.due_clock import DueClock
from callrouter.dispatch.sending import AGAIN_SECONDS, Sender
from callrouter.dispatch.sweeping import Sweeper
from callrouter.errors import LeaseLost, StoreError
from callrouter.logs import Outage
from callrouter.runtime.pauses import pause
from callrouter.store.database import Database
from callrouter.store.dispatch.clock_set import move_waits
from callrouter.store.dispatch.lease import LEASE_SECONDS, Lease
from callrouter.store.dispatch.outbox import expire
from callrouter.store.outgoing.telling import fail_untaken

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often it looks by itself for what has become due, and for what should have ended."""
GATHER_SECONDS: Final = 0.01
"""Between two looks, however much there is to do: what comes in the meantime is done together."""
RETRY_SECONDS: Final = 1.0
"""Pause while PostgreSQL is away."""
WAIT_SECONDS: Final = 2.0
"""How often another worker's lease is tried."""
STALE_SECONDS: Final = LEASE_SECONDS / 4
"""After so long the lease is renewed."""


@dataclass(kw_only=True)
class _Beside:
    """Something of what other systems want to know."""

    tell: Callable[[], Awaitable[int]]
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    """There may be something."""
    untold: Outage = field(
        default_factory=lambda: Outage(
            log, "other systems are not told all that they want to know", "other systems are told again"
        )
    )


class Worker:
    """One of those that there may be; one at a time works."""

    def __init__(
        self,
        *,
        database: Database,
        lease: Lease,
        sweeper: Sweeper,
        sender: Sender,
        clock: DueClock,
        due: asyncio.Event,
        seconds: Callable[[], float],
        alive: Callable[[], None] = lambda: None,
        tellers: Sequence[Callable[[], Awaitable[int]]] = (),
    ) -> None:
        """`due` is set when there is something to do; `seconds` is a clock that nobody sets; `alive` is called every
        second or two, whether there is something to do or not; `tellers` queue what other systems want to know, beside
        all else.
        """
        self._alive = alive
        self._tellers = [_Beside(tell=tell) for tell in tellers]
        self._database = database
        self._lease = lease
        self._sweeper = sweeper
        self._sender = sender
        self._clock = clock
        self._due = due
        self._seconds = seconds
        self._renewed_seconds = self._expired_seconds = self._worked_seconds = float("-inf")
        self._away = Outage(
            log, "nobody is told of messages: PostgreSQL is away", "people are told again: PostgreSQL is back"
        )

    @property
    def works(self) -> bool:
        """Whether all that was due was begun, lately."""
        return self._seconds() - self._worked_seconds < LEASE_SECONDS

    def clock_was_set(self, by: timedelta) -> None:
        """The clock was set by so much: what waits is moved with it, before anything that is due is looked for."""
        self._clock.was_set(by)

    async def run(self) -> None:
        """Work until cancelled; what is on its way then has a fate that nobody knows, as the next worker will say."""
        async with asyncio.TaskGroup() as attempts:
            for one in self._tellers:
                attempts.create_task(self._tell(one), name="what other systems want to know")
            while True:
                self._due.clear()
                self._alive()
                try:
                    works = await self._once(attempts)
                except LeaseLost as error:
                    log.warning("another worker tells people from now on", reason=str(error))
                    self._sender.forget()
                    works = False
                except StoreError as error:
                    self._away.failed(str(error))
                    self._renewed_seconds = float("-inf")
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                self._away.ended()
                if works:
                    await asyncio.sleep(GATHER_SECONDS)
                    await pause(LOOK_SECONDS, self._due)
                else:
                    await asyncio.sleep(WAIT_SECONDS)

    async def close(self) -> None:
        """After `run`: write down what has ended, and let another worker begin at once."""
        with suppress(StoreError):
            await self._sender.settle()
            await self._lease.release()

    async def _once(self, attempts: asyncio.TaskGroup) -> bool:
        """Do what there is to do; False: it is another worker's."""
        if self._seconds() - self._renewed_seconds >= STALE_SECONDS:
            held_before = self._lease.is_held
            since = self._seconds()
            if not await self._lease.take():
                self._clock.moved(self._clock.set_by)  # what waits is written by another clock
                return False
            self._renewed_seconds = since
            if not held_before:
                log.info("this worker tells people of messages from now on")
                await self._move_waits(None)
                await self._expire(all_of_them=True)
        # First: what has ended while PostgreSQL was away has no unknown fate, and by the clock of before.
        await self._sender.settle()
        self._clock.now()  # which says whether it was set
        if self._clock.set_by:
            await self._move_waits(self._clock.set_by)
        if self._seconds() - self._expired_seconds >= LOOK_SECONDS:
            await self._expire(all_of_them=False)
            self._expired_seconds = self._seconds()
        await self._sweeper.sweep()
        await self._sender.start(attempts)
        for one in self._tellers:  # once rules were looked up: some are confidential
            one.turn.set()
        self._worked_seconds = self._seconds()
        return True

    async def _tell(self, one: _Beside) -> None:
        """Queue what there is after each round of ours, until cancelled."""
        while True:
            await one.turn.wait()
            one.turn.clear()
            try:
                if await one.tell():
                    self._due.set()
            except LeaseLost:
                self._renewed_seconds = float("-inf")  # the next round asks whose it is
                self._due.set()
            except StoreError as error:
                one.untold.failed(str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                one.untold.ended()

    async def _move_waits(self, by: timedelta | None) -> None:
        moved = await move_waits(self._database, self._lease, self._clock.shown(), by)
        self._clock.moved(by or timedelta())
        if moved:
            log.warning("the clock was set: what is waited for is as long as before", messages=moved)

    async def _expire(self, *, all_of_them: bool) -> None:
        now = self._clock.now()
        again_at = now + timedelta(seconds=AGAIN_SECONDS)
        lost = await expire(self._database, self._lease, now, all_of_them=all_of_them, again_at=again_at)
        if lost:
            log.warning("whether something was taken is not known", many=lost)
        if untaken := await fail_untaken(self._database, self._lease, now):
            log.warning("nobody was rung for messages: no engine places calls", many=untaken)
