"""Delivers what calls ask for, without any call waiting for it.

A delivery is a row before it is tried, and stays one until it is made; while PostgreSQL is away it waits on disk. An
engine that ends meanwhile leaves it to the next. So it is made at least once, and its id, which is sent along, lets the
receiver drop a repetition. What fails is tried again after growing pauses, some nine hours long, and then given up.

How one attempt is made is the channel's business (`delivery.channel`). The queue sees to all else: that it ends by its
deadline, that it is noted, and that neither a dead destination nor a fault of one channel holds up the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from callrouter.core.facts import Fact, NotificationAsked
from callrouter.delivery.backoff import next_attempt
from callrouter.delivery.channel import Channel, Channels, Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.intake import Intake
from callrouter.delivery.ports import Attempt, Book, Delivery, DeliveryMeter, Spool
from callrouter.delivery.slots import SLOTS, Slots, Turn
from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.runtime.pauses import pause
from callrouter.runtime.ports import Clock

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
"""How often what waits for its next attempt is looked for."""
RETRY_SECONDS: Final = 1.0
"""Pause while PostgreSQL is away."""
PAGE: Final = 2 * SLOTS
"""Deliveries looked at a time."""


class DeliveryQueue:
    """An observer of facts, and a task (`run`) that delivers."""

    interests: Final[frozenset[type[Fact]]] = frozenset({NotificationAsked})

    def __init__(
        self, *, book: Book, spool: Spool, channels: Channels, clock: Clock, meter: DeliveryMeter | None = None
    ) -> None:
        self._book = book
        self._channels = channels
        self._clock = clock
        self._meter = meter
        self._intake = Intake(book, spool)
        self._away = Outage(
            log, "notifications wait: PostgreSQL is away", "notifications go on: PostgreSQL is back", level="warning"
        )
        self._undelivered: dict[tuple[str, str], Outage] = {}
        """By client and contact: those who cannot be reached now."""
        self._slots = Slots()
        self._in_hand: set[str] = set()
        """Ids of those under way, or concluded and not settled yet: in the book they look as if they were due."""
        self._concluded: list[Attempt] = []
        """Not settled yet."""
        self._wake = asyncio.Event()

    def observe(self, facts: Sequence[Fact]) -> None:
        """Take note of what is to be delivered; costs next to nothing."""
        for fact in facts:
            if type(fact) is NotificationAsked:
                self.take(_delivery(fact))

    def take(self, asked: Delivery) -> None:
        """Deliver what no call's tree asked for; costs next to nothing."""
        self._intake.take(asked)
        self._wake.set()

    @property
    def backlog(self) -> int:
        """Those not in the book yet."""
        return len(self._intake)

    @property
    def under_way(self) -> int:
        """Attempts under way, and those whose end is not in the book yet."""
        return len(self._in_hand)

    async def run(self) -> None:
        """Keep and deliver until cancelled; attempts under way are cancelled too, and made again by the next engine."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._wake.clear()
                try:
                    # This first: while PostgreSQL is away it says so before the spool, which may be long, is read.
                    await self._start_due(attempts)
                    if await self._intake.keep():
                        continue
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
        try:
            await self._settle()
        except StoreError as error:
            log.warning("deliveries made are made once more", many=len(self._concluded), reason=str(error))

    async def _start_due(self, attempts: asyncio.TaskGroup) -> None:
        """Begin what is due, the oldest first, until the slots are full or nothing is left that may have one."""
        await self._settle()
        while self._slots.free:
            page = await self._book.due(
                self._clock.now(), PAGE, in_hand=frozenset(self._in_hand), passing_over=self._slots.without_room()
            )
            for delivery in page:
                self._begin(delivery, attempts)
            await self._settle()
            if len(page) < PAGE:
                break

    async def _settle(self) -> None:
        if concluded := tuple(self._concluded):
            await self._book.settle(concluded)
            del self._concluded[: len(concluded)]
            self._in_hand.difference_update(attempt.delivery_id for attempt in concluded)

    def _begin(self, delivery: Delivery, attempts: asyncio.TaskGroup) -> None:
        """Give it a slot and a task; what can have neither fails at once, or is left in the book for later."""
        found = self._destination(delivery)
        if not isinstance(found, tuple):
            self._conclude(delivery, found)
            return
        channel, destination = found
        match self._slots.take(destination, delivery.address):
            case Turn.TAKEN:
                self._in_hand.add(delivery.delivery_id)
                name = f"{channel.name} {delivery.delivery_id}"
                attempts.create_task(self._attempt(channel, destination, delivery), name=name)
            case Turn.RESTING:
                # It counts as an attempt: so that what is for a dead destination is given up at the same time.
                reason = self._slots.refusal(destination)
                self._conclude(delivery, FailedForNow(reason=reason, destination_answers=False))
            case Turn.NO_ROOM:
                pass

    def _destination(self, delivery: Delivery) -> tuple[Channel, str] | FailedForNow | FailedForGood:
        """Who delivers it, and to where; or why nobody does."""
        try:
            channel = self._channels.of(delivery.address)
            wrong = self._channels.check(delivery.address)
            if channel is None or wrong is not None:
                return FailedForGood(reason=wrong or "")
            return channel, channel.destination(delivery.address)
        except Exception:
            return _fault(delivery)

    async def _attempt(self, channel: Channel, destination: str, delivery: Delivery) -> None:
        try:
            outcome = await _send(channel, delivery)
        except BaseException:
            self._slots.give_back(destination, answers=None)
            self._in_hand.discard(delivery.delivery_id)
            raise
        self._slots.give_back(destination, answers=_answers(outcome))
        self._conclude(delivery, outcome)
        self._wake.set()

    def _conclude(self, delivery: Delivery, outcome: Outcome) -> None:
        attempts, now = delivery.attempts + 1, self._clock.now()
        error = None if isinstance(outcome, Delivered) else outcome.reason
        next_at = None
        if isinstance(outcome, FailedForNow):
            next_at = next_attempt(now, attempts, outcome.retry_after_seconds)
        if self._meter is not None:
            self._meter.observe_delivery("delivered" if error is None else "failed" if next_at else "given_up")
        self._log(delivery, attempts, error, given_up=next_at is None)
        self._in_hand.add(delivery.delivery_id)
        self._concluded.append(
            Attempt(delivery_id=delivery.delivery_id, attempts=attempts, at=now, error=error, next_at=next_at)
        )

    def _log(self, delivery: Delivery, attempts: int, error: str | None, *, given_up: bool) -> None:
        whose = {"client": delivery.client, "contact": delivery.contact}
        key = delivery.client, delivery.contact
        if error is None:
            if (outage := self._undelivered.pop(key, None)) is not None:
                outage.ended(**whose)
        elif given_up:
            log.warning(
                "a notification was not delivered: it is given up",
                notification=delivery.delivery_id,
                **whose,
                attempts=attempts,
                reason=error,
            )
        else:
            if key not in self._undelivered:
                self._undelivered[key] = Outage(
                    log, "notifications are not delivered", "notifications are delivered again", level="warning"
                )
            self._undelivered[key].failed(error, notification=delivery.delivery_id, **whose)


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


async def _send(channel: Channel, delivery: Delivery) -> Outcome:
    try:
        async with asyncio.timeout(channel.deadline_seconds):
            return await channel.send(delivery)
    except TimeoutError:
        reason = f"{channel.name} had not ended after {channel.deadline_seconds:g} s"
        return FailedForNow(reason=reason, destination_answers=False)
    except Exception:
        return _fault(delivery)


def _fault(delivery: Delivery) -> FailedForNow:
    """A fault of ours, caught where it is handled: it must not hold up the others."""
    log.exception("a delivery failed in an unforeseen way", notification=delivery.delivery_id)
    return FailedForNow(reason="it failed in an unforeseen way", destination_answers=None)


def _answers(outcome: Outcome) -> bool | None:
    """Whether the destination is there; None: who fails for good was perhaps not even asked."""
    match outcome:
        case Delivered():
            return True
        case FailedForNow(destination_answers=answers):
            return answers
        case FailedForGood():
            return None
