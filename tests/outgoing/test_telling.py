"""Sounds that take long, while calls are under way: the real record, a switch that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callrouter.errors import SpeechError
from callrouter.outgoing import telling as telling_by_phone
from callrouter.outgoing.message_ports import DueTelling
from callrouter.outgoing.order import MessageOrder, Progress
from callrouter.outgoing.telling import NO_LINE, NO_SOUNDS, TelephoneTellings
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.outgoing.telling import MessageCallRows, _fail_untaken
from tests.dispatch.rooms import Office
from tests.patience import START_SECONDS
from tests.store.dispatch import rows

NUMBERS = [f"+3363998000{one}" for one in range(1, 8)]


@dataclass
class Machine:
    """As MessageSounds: what is said to somebody is there when their event is set."""

    spoken: dict[str, asyncio.Event] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    """By number, of the last call to it."""
    kept: set[str] = field(default_factory=set)
    fails: bool = False

    async def make(self, outgoing_id: str, telling: DueTelling, *, opens: bool) -> str:
        """As MessageSounds."""
        self.begun.append(telling.number)
        self.ids[telling.number] = outgoing_id
        if telling.number in self.spoken:
            await self.spoken[telling.number].wait()
        if self.fails:
            raise SpeechError("the program had not ended after 60 s")
        return f"/told/{outgoing_id}"

    async def keep_only(self, outgoing_ids: Collection[str]) -> None:
        """As MessageSounds."""
        self.kept = set(outgoing_ids)


@dataclass
class Switch:
    """As MessageSwitch: whoever is rung listens, until the test ends."""

    placed: list[MessageOrder] = field(default_factory=list)
    rounds: int = 0

    async def can_place(self) -> bool:
        """As MessageSwitch."""
        return True

    async def announce(self, outgoing_id: str) -> None:
        """As MessageSwitch."""

    async def was_never_placed(self, outgoing_id: str) -> bool:
        """As MessageSwitch."""
        return False

    async def place(self, order: MessageOrder) -> None:
        """As MessageSwitch."""
        self.placed.append(order)

    async def progress(self) -> dict[str, Progress]:
        """As MessageSwitch."""
        self.rounds += 1
        return {}

    async def lives(self, outgoing_id: str) -> bool:
        """As MessageSwitch."""
        return True

    async def take_back(self, outgoing_id: str, at: datetime) -> None:
        """As MessageSwitch."""

    async def hang_up(self, outgoing_id: str) -> None:
        """As MessageSwitch."""

    async def forget(self, outgoing_ids: Iterable[str]) -> None:
        """As MessageSwitch."""

    @property
    def rung(self) -> list[str]:
        """Whoever was."""
        return [one.number for one in self.placed]


class Open:
    """As Dialler: everybody may be rung."""

    def shown(self, client: str, did: str) -> str:
        """As Dialler."""
        return ""

    def refusal(self, client: str, number: str) -> str:
        """As Dialler."""
        return ""

    def pin(self, client: str, contact: str) -> str:
        """As Dialler."""
        return ""


@dataclass
class Desk:
    """A record, and an engine that tells people."""

    database: Database
    machine: Machine = field(default_factory=Machine)
    switch: Switch = field(default_factory=Switch)

    @asynccontextmanager
    async def engine(self, *, at_once: int = 4) -> AsyncIterator[TelephoneTellings]:
        """For as long as it lives."""
        died: list[BaseException] = []
        tasks = Tasks(lambda _, error: died.append(error))
        told = TelephoneTellings(
            MessageCallRows(self.database, epoch=1),
            self.switch,
            self.machine,
            Open(),
            at_once=at_once,
            now=lambda: datetime.now(UTC),
            link_up=lambda: True,
        )
        tasks.start(told.run(), "tellings")
        try:
            yield told
        finally:
            await tasks.stop()
        assert died == []

    async def owed(self, number: str) -> tuple[str, str]:
        """A message of which somebody is to be told, now: its id, and the telling's."""
        now = datetime.now(UTC)
        message_id = await rows.take(self.database)
        later = now + timedelta(minutes=10)
        await rows.stand(self.database, message_id, "running", step=1, begun_at=now, due_at=later)
        values: dict[str, Any] = {"means": "phone", "address": f"tel:{number}", "next_attempt_at": now}
        return message_id, await rows.tell(self.database, message_id, "queued", queued_at=now, **values)

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return await Office.rows(self, sql)  # type: ignore[arg-type]  # it has a database

    async def rings(self, *numbers: str) -> None:
        """These and no others come to be rung, each once."""
        async with asyncio.timeout(START_SECONDS):
            while sorted(self.switch.rung) != sorted(numbers):
                assert len(self.switch.rung) <= len(numbers)
                await asyncio.sleep(0.02)

    async def goes_round(self, times: int = 3) -> None:
        """So many rounds more."""
        until = self.switch.rounds + times
        async with asyncio.timeout(START_SECONDS):
            while self.switch.rounds < until:
                await asyncio.sleep(0.02)

    async def comes(self, sql: str, *found: tuple[Any, ...]) -> None:
        """A query comes to find these."""
        async with asyncio.timeout(START_SECONDS):
            while await self.rows(sql) != list(found):
                await asyncio.sleep(0.02)


@pytest.fixture
async def desk(database: Database, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(telling_by_phone, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(telling_by_phone, "PUT_OFF_SECONDS", 0.2)
    monkeypatch.setattr(telling_by_phone, "SLOW_SECONDS", 0.2)
    monkeypatch.setattr(telling_by_phone, "KEEP_SECONDS", 0.1)
    return Desk(database)


async def test_calls_are_followed_while_others_sounds_are_made(desk: Desk) -> None:
    """A program takes a minute: the call under way is kept, whoever waits is put off, and nobody is given up."""
    first, slow, waits = NUMBERS[:3]
    desk.machine.spoken[slow] = asyncio.Event()
    async with desk.engine(at_once=2):
        await desk.owed(first)
        await desk.rings(first)
        _, slow_id = await desk.owed(slow)
        _, waits_id = await desk.owed(waits)
        ((kept, *_),) = await desk.rows("SELECT max(sending_until) FROM deliveries")
        await desk.goes_round()
        await desk.comes(f"SELECT answer FROM deliveries WHERE delivery_id = '{slow_id}'", (NO_SOUNDS,))
        await desk.comes(f"SELECT answer FROM deliveries WHERE delivery_id = '{waits_id}'", (NO_LINE,))
        async with asyncio.timeout(START_SECONDS):
            while await desk.rows("SELECT max(sending_until) FROM deliveries") <= [(kept,)]:
                await asyncio.sleep(0.02)
        async with desk.database.connection() as connection:
            # What the worker does a minute later, by the times at which each is looked at again.
            assert await _fail_untaken(connection, datetime.now(UTC) + timedelta(seconds=55)) == 0
        assert desk.switch.rung == [first]

        desk.machine.spoken[slow].set()
        await desk.rings(first, slow)

    assert await desk.rows("SELECT count(*), count(DISTINCT delivery_id) FROM outgoing_calls") == [(2, 2)]


async def test_what_is_slow_for_one_does_not_hold_up_another(desk: Desk) -> None:
    slow, *others = NUMBERS[:4]
    desk.machine.spoken[slow] = asyncio.Event()
    async with desk.engine():
        await desk.owed(slow)
        for number in others:
            await desk.owed(number)
        await desk.rings(*others)
        assert desk.machine.begun.count(slow) == 1
        await desk.goes_round()
        assert await desk.rows("SELECT count(*) FROM outgoing_calls") == [(3,)]


async def test_few_are_spoken_at_a_time(desk: Desk) -> None:
    for number in NUMBERS:
        desk.machine.spoken[number] = asyncio.Event()
        await desk.owed(number)
    async with desk.engine(at_once=7):
        async with asyncio.timeout(START_SECONDS):
            while len(desk.machine.begun) < telling_by_phone.SOUNDS_AT_ONCE:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert len(desk.machine.begun) == telling_by_phone.SOUNDS_AT_ONCE
        for one in desk.machine.spoken.values():
            one.set()
        await desk.rings(*NUMBERS)


async def test_whoever_need_not_be_told_any_more_when_the_sounds_are_there_is_not_rung(desk: Desk) -> None:
    """Somebody took the message on meanwhile; the sounds are deleted."""
    slow, other = NUMBERS[:2]
    desk.machine.spoken[slow] = asyncio.Event()
    async with desk.engine():
        message_id, delivery_id = await desk.owed(slow)
        async with asyncio.timeout(START_SECONDS):
            while not desk.machine.begun:
                await asyncio.sleep(0.02)
        await acknowledge(desk.database, message_id, by="agent", how="api", at=datetime.now(UTC))
        desk.machine.spoken[slow].set()
        await desk.owed(other)
        await desk.rings(other)

    assert desk.machine.ids[slow] not in desk.machine.kept
    assert await desk.rows(f"SELECT count(*) FROM outgoing_calls WHERE delivery_id = '{delivery_id}'") == [(0,)]


async def test_what_cannot_be_spoken_fails_and_an_engine_that_ends_leaves_nothing(desk: Desk) -> None:
    """The telling of the engine that ended is the next one's."""
    (number,) = NUMBERS[:1]
    desk.machine.spoken[number] = asyncio.Event()
    _, delivery_id = await desk.owed(number)
    async with desk.engine():
        async with asyncio.timeout(START_SECONDS):
            while not desk.machine.begun:
                await asyncio.sleep(0.02)
    state = f"SELECT state FROM deliveries WHERE delivery_id = '{delivery_id}'"
    assert await desk.rows(state) == [("queued",)]

    desk.machine.fails = True
    desk.machine.spoken[number].set()
    async with desk.engine():
        await desk.comes(state, ("failed",))
    assert desk.switch.placed == []
