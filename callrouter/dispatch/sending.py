"""Sends what is due to whom it is for, each destination in its turn, and writes down how each attempt ended.

How often, how many at a time and when again is said here; how one is sent, the channels say (`delivery.channel`), and
how it reads, `Write`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

import structlog

from callrouter.core.dispatch import Means, What
from callrouter.delivery.backoff import PAUSES_SECONDS, next_attempt
from callrouter.delivery.channel import Channel, Channels, Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.ports import Delivery
from callrouter.delivery.slots import SLOTS, Slots, Turn
from callrouter.dispatch.enclosing import Links, enclosed_in
from callrouter.dispatch.parcels import LivePlan, parcel_of
from callrouter.dispatch.sparing import Sparing
from callrouter.dispatch.undelivered import Undelivered
from callrouter.runtime.ports import Clock
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.dispatch.limits import MOST_SMS, WITHIN_SECONDS, hold_back, room_of
from callrouter.store.dispatch.outbox import OnItsWay, Queued, Sent, find_queued, mark, settle, unknown
from callrouter.store.messages import messages_of
from callrouter.store.tables import DeliveryKind, DeliveryState

log = structlog.get_logger(__name__)

PER_SLOT: Final = 2
PAGE: Final = PER_SLOT * SLOTS
"""Tellings looked at a time: two for each slot that is free, since some may have no room with theirs."""
MOST_IN_ONE: Final = 50
"""Messages of one digest; more come as another one."""
SOON_SECONDS: Final = (15.0, 60.0, 300.0)
"""Pauses after an attempt that failed for now, where something else follows: after the last of them it has failed, and
that begins. Where nothing follows, it is tried for some nine hours (`delivery.backoff`).
"""
HOURS: Final = timedelta(seconds=sum(PAUSES_SECONDS))
"""What is one of a sequence, and is older, is tried once and not again."""
AGAIN_SECONDS: Final = 15.0
"""Before a telling whose fate is unknown is repeated."""
MARGIN_SECONDS: Final = 5.0
"""Beyond a channel's own deadline, after which nobody knows what became of an attempt."""

Write = Callable[[Means, Parcel], str]
"""What is sent of a parcel; may block, to read a recording."""


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """Tellings that go together."""

    told: tuple[Queued, ...]
    channel: Channel | None
    """None: nobody is asked, and `refused` says why."""
    destination: str = ""
    """That a slot was taken for; empty: none was."""
    refused: FailedForNow | FailedForGood | None = None


@dataclass(kw_only=True)
class Sender:
    """Of one worker. `start` begins what is due; whatever has ended is written down with the next one."""

    database: Database
    lease: Lease
    plans: LivePlan
    clock: Clock
    channels: Channels
    write: Write
    links: Links
    recordings: Path
    wake: Callable[[], None]
    """Called when an attempt has ended."""
    _slots: Slots = field(default_factory=Slots)
    _in_hand: set[str] = field(default_factory=set)
    """Of deliveries under way, or concluded and not written down yet."""
    _concluded: list[Sent] = field(default_factory=list)
    _sequences: Sparing = field(default_factory=Sparing)
    """How often those that go one after the other are looked through."""
    _later: asyncio.TimerHandle | None = None
    """That has them looked through, where they were not."""
    _undelivered: Undelivered = field(default_factory=Undelivered)
    _known: dict[str, tuple[Channel, str]] = field(default_factory=dict)
    """By address, who delivers there and to where, as the settings say; clients' documents have hundreds of them."""

    @property
    def under_way(self) -> int:
        """Tellings under way, and those whose end is not written down."""
        return len(self._in_hand)

    async def start(self, attempts: asyncio.TaskGroup) -> None:
        """Begin what is due, until there is no room, or nothing left that may be begun.

        Raises:
            LeaseLost: another worker sends.
            StoreError: PostgreSQL does not answer.
        """
        await self.settle()
        while free := self._slots.free:
            many = min(PAGE, PER_SLOT * free)
            page = await self._page(many)
            now_or_later = await self._within_limits(tuple(_together(page)))
            begun = [one for told in now_or_later if (one := self._claimed(told)) is not None]
            await self._begin(begun, attempts)
            await self.settle()
            if len(page) < many or not begun:
                break

    async def _page(self, many: int) -> Sequence[Queued]:
        """So many at most of those that are due. A receiver that is down may have a great many sequences wait, and to
        look through them must not put off what is told to others."""
        find = partial(
            find_queued,
            self.database,
            self.clock.now(),
            many,
            in_hand=frozenset(self._in_hand),
            passing_over=self._slots.without_room(),
        )
        if wait_seconds := self._sequences.wait_seconds:
            loop = asyncio.get_running_loop()
            if self._later is None or self._later.when() <= loop.time():
                self._later = loop.call_later(wait_seconds, self.wake)
            return await find(sequences=False)
        with self._sequences.done():
            return await find()

    async def settle(self) -> None:
        """Write down how attempts ended.

        Raises:
            LeaseLost: another worker sends.
            StoreError: PostgreSQL does not answer.
        """
        if concluded := tuple(self._concluded):
            await settle(self.database, self.lease, concluded, self.clock.now())
            del self._concluded[: len(concluded)]
            self._in_hand.difference_update(one.delivery_id for one in concluded)

    def forget(self) -> None:
        """How attempts ended is another worker's to say from now on."""
        self._in_hand.difference_update(one.delivery_id for one in self._concluded)
        self._concluded.clear()

    async def _within_limits(self, page: Sequence[tuple[Queued, ...]]) -> Sequence[tuple[Queued, ...]]:
        """Those that may be sent now; the others are held back. A digest is one SMS, and is not torn apart."""
        addresses = {told[0].address for told in page if told[0].means is Means.SMS}
        if not addresses:
            return page
        now = self.clock.now()
        rooms = await room_of(self.database, addresses, now)
        left = {address: room.left for address, room in rooms.items()}
        sent: list[tuple[Queued, ...]] = []
        held: list[tuple[Queued, datetime]] = []
        for told in page:
            address = told[0].address
            if address not in addresses:
                sent.append(told)
                continue
            many = left.setdefault(address, MOST_SMS)
            left[address] = many - 1
            if many > 0:
                sent.append(told)
                continue
            room = rooms.get(address)
            until = room.until if room else now + timedelta(seconds=WITHIN_SECONDS)
            held += [(one, until) for one in told]
        await hold_back(self.database, self.lease, held, now)
        return sent

    def _claimed(self, told: tuple[Queued, ...]) -> _Attempt | None:
        """With a slot, or with the reason why it fails; None: there is no room for it now."""
        address = told[0].address
        found = self._known.get(address) or self._destination(told)
        if isinstance(found, FailedForNow | FailedForGood):
            return _Attempt(told=told, channel=None, refused=found)
        channel, destination = self._known[address] = found
        match self._slots.take(destination, address):
            case Turn.TAKEN:
                return _Attempt(told=told, channel=channel, destination=destination)
            case Turn.RESTING:
                reason = self._slots.refusal(destination)
                refused = FailedForNow(reason=reason, destination_answers=False)
                return _Attempt(told=told, channel=None, refused=refused)
            case Turn.NO_ROOM:
                return None

    def _destination(self, told: tuple[Queued, ...]) -> tuple[Channel, str] | FailedForNow | FailedForGood:
        """Who delivers it, and to where; or why nobody does."""
        address = told[0].address
        try:
            channel = self.channels.of(address)
            wrong = self.channels.check(address)
            if channel is None or wrong is not None:
                return FailedForGood(reason=wrong or "nothing delivers there")
            return channel, channel.destination(address)
        except Exception:
            return _fault(told)

    async def _begin(self, begun: Sequence[_Attempt], attempts: asyncio.TaskGroup) -> None:
        """Mark them, and begin those that nobody has withdrawn meanwhile."""
        taken = [one for attempt in begun for one in attempt.told]
        now = self.clock.now()
        deadline = max((one.channel.deadline_seconds for one in begun if one.channel), default=0.0)
        until = now + timedelta(seconds=deadline + MARGIN_SECONDS)
        made = enclosed_in([one.told for one in begun], self.links, now)
        try:
            # First all that may fail: whatever is marked and not sent has a fate that nobody knows.
            written = [one for one in taken if one.body is None]
            messages = await messages_of(self.database, [one.message_id for one in written])
            plans = {client: await self.plans(client) for client in dict.fromkeys(one.client for one in written)}
            marked = await mark(self.database, self.lease, taken, now, until, made.kept) if taken else []
        except BaseException:
            for attempt in begun:
                self._give_back(attempt, answers=None)
            raise
        by_id = {one.queued.delivery_id: one for one in marked}
        for attempt in begun:
            told = tuple(by_id[one.delivery_id] for one in attempt.told if one.delivery_id in by_id)
            if not told:
                self._give_back(attempt, answers=None)
                continue
            self._in_hand.update(one.queued.delivery_id for one in told)
            if attempt.channel is None or attempt.refused is not None:
                self._conclude(told, attempt.refused or _fault(attempt.told))
                continue
            first, parcel = told[0].queued, None
            if first.body is None:
                parcel = parcel_of(told, messages, plans[first.client], made, self.recordings)
            name = f"{attempt.channel.name} {first.delivery_id}"
            attempts.create_task(self._attempt(attempt, attempt.channel, told, parcel), name=name)

    async def _attempt(
        self, attempt: _Attempt, channel: Channel, told: tuple[OnItsWay, ...], parcel: Parcel | None
    ) -> None:
        try:
            outcome = await self._send(channel, told[0].queued, parcel)
        except BaseException:
            self._give_back(attempt, answers=None)
            self._in_hand.difference_update(one.queued.delivery_id for one in told)
            raise
        self._give_back(attempt, answers=_answers(outcome))
        self._conclude(told, outcome)
        self.wake()

    async def _send(self, channel: Channel, queued: Queued, parcel: Parcel | None) -> Outcome:
        """`parcel` is None where the body stands in the row."""
        try:
            body = (queued.body or "") if parcel is None else await self._written(queued.means, parcel)
        except Exception:
            return FailedForGood(reason=_fault((queued,)).reason)
        delivery = Delivery(
            delivery_id=queued.delivery_id,
            call_id=queued.call_id,
            client=queued.client,
            contact=queued.contact,
            address=queued.address,
            body=body,
            asked_at=queued.queued_at,
            secret=queued.secret if parcel is None else parcel.secret,
        )
        try:
            async with asyncio.timeout(channel.deadline_seconds):
                return await channel.send(delivery)
        except TimeoutError:
            reason = f"{channel.name} had not ended after {channel.deadline_seconds:g} s"
            return FailedForNow(reason=reason, destination_answers=False, fate_unknown=True)
        except Exception:
            return _fault((queued,))

    async def _written(self, means: Means, parcel: Parcel) -> str:
        if means is Means.EMAIL:  # a recording is read, and encoded
            return await asyncio.to_thread(self.write, means, parcel)
        return self.write(means, parcel)

    def _conclude(self, told: Sequence[OnItsWay], outcome: Outcome) -> None:
        now = self.clock.now()
        for one in told:
            attempts = one.queued.attempts + 1
            sent = _sent(one.queued, attempts, outcome, now)
            self._concluded.append(sent)
            self._undelivered.note(one.queued, sent, attempts)

    def _give_back(self, attempt: _Attempt, *, answers: bool | None) -> None:
        if attempt.destination:
            self._slots.give_back(attempt.destination, answers=answers)


def _together(page: Sequence[Queued]) -> Iterator[tuple[Queued, ...]]:
    """Tellings of one digest are one; every other one is by itself."""

    def of(one: Queued) -> tuple[str, ...]:
        return (one.batch, one.address) if one.batch else ("", one.delivery_id)

    for _, group in groupby(page, of):
        told = tuple(group)
        for place in range(0, len(told), MOST_IN_ONE):
            yield told[place : place + MOST_IN_ONE]


def _sent(one: Queued, attempts: int, outcome: Outcome, now: datetime) -> Sent:
    """What becomes of a telling after so many attempts."""
    match outcome:
        case Delivered(answer=answer, receipt_id=receipt_id):
            return Sent(
                delivery_id=one.delivery_id,
                state=DeliveryState.ACCEPTED,
                what=What.CODE_SENT if one.kind is DeliveryKind.CODE else What.SENT,
                answer=answer,
                receipt_id=receipt_id,
            )
        case FailedForGood(reason=reason):
            return _failed(one, reason)
        case FailedForNow(reason=reason, fate_unknown=True) if one.means is not Means.WEBHOOK:
            return unknown(one, attempts, now + timedelta(seconds=AGAIN_SECONDS), reason)
        case FailedForNow(reason=reason, retry_after_seconds=after_seconds):
            return _later(one, reason, _next(one, attempts, now, after_seconds))


def _next(one: Queued, attempts: int, now: datetime, after_seconds: float) -> datetime | None:
    if one.sequence and now - one.queued_at > HOURS:
        return None  # it waited behind others: all of a receiver that is gone would take days
    if one.last or one.body is not None or one.kind is DeliveryKind.NOTICE:
        return next_attempt(now, attempts, after_seconds)
    if attempts > len(SOON_SECONDS):
        return None
    return now + timedelta(seconds=max(SOON_SECONDS[attempts - 1], min(after_seconds, SOON_SECONDS[-1])))


def _later(one: Queued, reason: str, next_at: datetime | None) -> Sent:
    if next_at is None:
        return _failed(one, reason)
    return Sent(
        delivery_id=one.delivery_id,
        state=DeliveryState.QUEUED,
        what="again",
        answer=reason,
        next_attempt_at=next_at,
    )


def _failed(one: Queued, reason: str) -> Sent:
    what = What.CODE_FAILED if one.kind is DeliveryKind.CODE else What.FAILED
    return Sent(delivery_id=one.delivery_id, state=DeliveryState.FAILED, what=what, answer=reason)


def _fault(told: Sequence[Queued]) -> FailedForNow:
    """A fault of ours, caught where it is handled: it must not hold up the others."""
    log.exception("a telling failed in an unforeseen way", delivery=told[0].delivery_id)
    reason = "it failed in an unforeseen way: the worker's log says how"
    return FailedForNow(reason=reason, destination_answers=None)


def _answers(outcome: Outcome) -> bool | None:
    """Whether the destination is there; None: who fails for good was perhaps not even asked."""
    match outcome:
        case Delivered():
            return True
        case FailedForNow(destination_answers=answers):
            return answers
        case FailedForGood():
            return None
