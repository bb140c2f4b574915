"""Somebody is told of a message by telephone: real Asterisk, SIP telephones and PostgreSQL, and engines that die.

What is said is a tone each, so that the telephones know what they hear, and what they were never sent.
"""

from __future__ import annotations

import asyncio
import os
import signal
import wave
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.pbx import message_calls
from callrouter.asterisk.pbx.message_calls import MessageCalls
from callrouter.core.dialling import Dialling
from callrouter.core.dispatch import Means, Step
from callrouter.outgoing import telling as telling_by_phone
from callrouter.outgoing.message_ports import DueTelling
from callrouter.outgoing.telling import TelephoneTellings
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.outgoing import telling as book_of_tellings
from callrouter.store.outgoing.telling import MOST_CLAIMS, MessageCallRows
from callrouter.store.tables import deliveries, dispatches, outgoing_calls
from deploy.demo import g711
from deploy.demo.carrier import Carrier, Habit
from deploy.demo.telephone import Telephone
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import cut, until
from tests.dispatch.rooms import Office, a_plan, on_duty, reach, rule
from tests.dispatch.test_killed import let_go
from tests.patience import START_SECONDS
from tests.store.dispatch import rows

PERSON, VOICEMAIL, BUSY, RINGS, DECLINES, NOBODY = (f"+3363998000{one}" for one in range(1, 7))
PIN = "4821"
TONES = {"greeting": 450.0, "pin": 750.0, "message": 850.0, "choice": 650.0, "thanks": 1050.0, "taken": 550.0}
FRANCE = Dialling(countries=frozenset({"FR"}), prefixes=("+33639980",))
HABITS = {
    PERSON: Habit.ANSWERS,
    VOICEMAIL: Habit.ANSWERS,
    BUSY: Habit.BUSY,
    RINGS: Habit.RINGS,
    DECLINES: Habit.DECLINES,
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in tests."""
    monkeypatch.setattr(telling_by_phone, "ROUND_SECONDS", 0.2)
    monkeypatch.setattr(telling_by_phone, "RING_SECONDS", 2.0)
    monkeypatch.setattr(telling_by_phone, "PUT_OFF_SECONDS", 0.3)
    monkeypatch.setattr(telling_by_phone, "KEEP_SECONDS", 1.0)
    monkeypatch.setattr(telling_by_phone, "LOST_SECONDS", 1.5)


class Tones:
    """As MessageSounds: a second of a tone for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "told"
        self.made: list[str] = []

    async def make(self, outgoing_id: str, telling: DueTelling, *, opens: bool) -> str:
        """As MessageSounds."""
        self.made.append(telling.delivery_id)
        folder = self.folder / outgoing_id
        folder.mkdir(parents=True)
        for name, hertz in TONES.items():
            with wave.open(str(folder / f"{name}.wav"), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(g711.tone(hertz, 0.8).tobytes())
        return str(folder)

    async def keep_only(self, outgoing_ids: Collection[str]) -> None:
        """As MessageSounds: they stay."""


class Open:
    """As Dialler: everybody may be rung."""

    def shown(self, client: str, did: str) -> str:
        """As Dialler."""
        return "+33199000010"

    def refusal(self, client: str, number: str) -> str:
        """As Dialler."""
        return FRANCE.refusal(number)

    def pin(self, client: str, contact: str) -> str:
        """As Dialler."""
        return PIN


@dataclass(kw_only=True)
class Town:
    """An Asterisk, its carrier, and a record."""

    pbx: Pbx
    carrier: Carrier
    database: Database
    folder: Path

    @asynccontextmanager
    async def engine(self, epoch: int = 1, *, at_once: int = 4) -> AsyncIterator[Engine]:
        """What of an engine tells people by telephone; when it ends, nothing is hung up."""
        pbx, tasks = self.pbx, Tasks()
        link = AmiLink(AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret))
        switch = MessageCalls(link, dial_pattern="PJSIP/{number}@trunk-out")
        told = TelephoneTellings(
            MessageCallRows(self.database, epoch=epoch),
            switch,
            Tones(self.folder),
            Open(),
            at_once=at_once,
            now=lambda: datetime.now(UTC),
            link_up=lambda: link.state is LinkState.UP,
        )
        switch.tells(told.heard)
        link.tells(on_state=lambda state, _: told.logged_in() if state is LinkState.UP else None)
        tasks.start(link.run(), "link")
        await until(lambda: link.state is LinkState.UP, START_SECONDS)
        tasks.start(told.run(), "tellings")
        try:
            yield Engine(link=link, tellings=told, switch=switch)
        finally:
            await link.close()
            await tasks.stop()

    async def owed(self, number: str = PERSON, message_id: str = "", **values: Any) -> tuple[str, str]:
        """A message of which somebody is to be told by telephone, now: its id, and the telling's."""
        now = datetime.now(UTC)
        if not message_id:
            message_id = await rows.take(self.database)
            stands = {"step": 1, "begun_at": now, "due_at": now + timedelta(minutes=10), "policy": {"name": "rule"}}
            await rows.stand(self.database, message_id, "running", **stands)
        values = {"means": "phone", "address": f"tel:{number}", "next_attempt_at": now, "queued_at": now} | values
        return message_id, await rows.tell(self.database, message_id, "queued", **values)

    async def state(self, delivery_id: str) -> tuple[str, str]:
        """Of a telling, with what is said of it."""
        async with self.database.connection() as connection:
            columns = deliveries.c
            found = await connection.execute(
                select(columns.state, columns.answer).where(columns.delivery_id == delivery_id)
            )
            return tuple(found.one())

    async def comes_to(self, delivery_id: str, *states: str) -> str:
        """A telling comes to one of them; what is said of it."""
        async with asyncio.timeout(2 * START_SECONDS):
            while (found := await self.state(delivery_id))[0] not in states:
                await asyncio.sleep(0.05)
        return found[1]

    async def attempts(self, delivery_id: str) -> int:
        """How often its call was written down."""
        query = select(deliveries.c.attempts).where(deliveries.c.delivery_id == delivery_id)
        async with self.database.connection() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def outcomes(self) -> list[str | None]:
        """Of all calls."""
        async with self.database.connection() as connection:
            placed = outgoing_calls.c
            return list((await connection.execute(select(placed.outcome).order_by(placed.placed_at))).scalars())

    async def telephone(self, number: str = PERSON) -> Telephone:
        """That of whoever answers at a number, once they have."""
        await until(lambda: self.carrier.talks(number), START_SECONDS)
        return self.carrier.telephone(number)

    async def hears(self, telephone: Telephone, what: str) -> None:
        """They hear it."""
        since = telephone.packets_heard
        await until(lambda: telephone.heard_tone_since(since, TONES[what]), START_SECONDS)

    async def hears_first(self, telephone: Telephone, what: str) -> None:
        """They hear it, or have heard it."""
        await until(lambda: telephone.heard_tone_since(0, TONES[what]), START_SECONDS)

    async def hears_or_ends(self, telephone: Telephone, what: str) -> None:
        """They hear it, unless the call is over."""
        since = telephone.packets_heard
        await until(
            lambda: telephone.heard_tone_since(since, TONES[what]) or not self.carrier.talks(PERSON), START_SECONDS
        )

    async def is_confidential(self, message_id: str) -> None:
        """A message is, by the rule that it goes by."""
        async with self.database.connection() as connection:
            policy = {"name": "rule", "confidential": True}
            change = update(dispatches).where(dispatches.c.message_id == message_id).values(policy=policy)
            await connection.execute(change)

    async def is_quiet(self) -> None:
        """Asterisk has no channel any more."""
        async with asyncio.timeout(START_SECONDS):
            while "0 active channels" not in await asyncio.to_thread(self.pbx.cli, "core show channels count"):
                await asyncio.sleep(0.1)


@dataclass(kw_only=True)
class Engine:
    """One, for as long as it lives."""

    link: AmiLink
    tellings: TelephoneTellings
    switch: MessageCalls


def tones_heard(telephone: Telephone) -> set[str]:
    """What was ever sent to a telephone."""
    return {name for name, hertz in TONES.items() if telephone.heard_tone_since(0, hertz)}


@pytest.fixture
async def town(tmp_path: Path, database: Database) -> AsyncIterator[Town]:
    """With telephones of every habit."""
    carrier = await Carrier.open(HABITS)
    try:
        with await asyncio.to_thread(Pbx.start, tmp_path / "pbx", carrier=carrier.contact) as pbx:
            yield Town(pbx=pbx, carrier=carrier, database=database, folder=tmp_path)
    finally:
        await carrier.close()


async def test_who_presses_1_twice_has_taken_it_on(town: Town) -> None:
    """They hear nothing of the message before the first key; the record says each step, and nobody is rung twice."""
    message_id, delivery_id = await town.owed()
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        assert "message" not in tones_heard(person)
        person.press("1")
        await town.hears_first(person, "message")
        await town.hears_first(person, "choice")
        person.press("1")
        await town.comes_to(delivery_id, "acknowledged")
        await town.hears_first(person, "thanks")
        await until(lambda: not town.carrier.talks(PERSON), START_SECONDS)
        await town.is_quiet()
        async with asyncio.timeout(START_SECONDS):
            while None in await town.outcomes():
                await asyncio.sleep(0.05)

    assert await town.outcomes() == ["answered"]
    assert town.carrier.dialled == [PERSON]
    assert "+33199000010" in town.carrier.invites[0]["from"]
    found = await rows.trail(town.database, message_id)
    assert (found.dispatch.acknowledged_by, found.dispatch.acknowledged_how) == ("doctor", "key")
    assert await rows.told(town.database, message_id) == ["rang doctor", "answered doctor", "acknowledged doctor"]


async def test_a_confidential_message_is_said_after_the_pin(town: Town) -> None:
    """A wrong one is asked for again; nothing of the message is sent before."""
    message_id, delivery_id = await town.owed()
    await town.is_confidential(message_id)
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        person.press("1")
        await town.hears_first(person, "pin")
        person.press("1234#")
        await town.hears(person, "pin")
        assert "message" not in tones_heard(person)
        person.press(f"{PIN}#")
        await town.hears_first(person, "message")
        await town.hears_first(person, "choice")
        person.press("1")
        await town.comes_to(delivery_id, "acknowledged")

    orders = await asyncio.to_thread(town.pbx.cli, "database show callrouter/telling")
    assert PIN not in orders.replace("1234", "")


async def test_whoever_has_not_the_pin_hears_nothing(town: Town) -> None:
    """Three times, and it hangs up: whoever comes next is told."""
    message_id, delivery_id = await town.owed()
    await town.is_confidential(message_id)
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        person.press("1")
        await town.hears_first(person, "pin")
        for wrong in ("0000#", "#", f"{PIN}1#"):
            await until(lambda: not person.is_busy, START_SECONDS)
            person.press(wrong)
            await town.hears_or_ends(person, "pin")
        said = await town.comes_to(delivery_id, "failed")

    assert "nobody pressed a key" in said
    assert tones_heard(person) == {"greeting", "pin"}


async def test_a_voicemail_is_told_nothing(town: Town) -> None:
    """It hears the greeting three times, and nothing else; that is no acknowledgement, and the step goes on."""
    message_id, delivery_id = await town.owed(VOICEMAIL)
    async with town.engine():
        voicemail = await town.telephone(VOICEMAIL)
        said = await town.comes_to(delivery_id, "failed")

    assert "nobody pressed a key" in said
    assert tones_heard(voicemail) == {"greeting"}
    assert [one.what for one in (await rows.trail(town.database, message_id)).events] == ["rang", "answered", "failed"]


@pytest.mark.parametrize(
    ("number", "said"),
    [(BUSY, "busy"), (RINGS, "nobody answered"), (DECLINES, "could not be reached"), (NOBODY, "could not be reached")],
)
async def test_who_does_not_answer_has_not_been_told(town: Town, number: str, said: str) -> None:
    """Busy, no answer, rejected, and no such number: the next step is due at once."""
    message_id, delivery_id = await town.owed(number)
    async with town.engine():
        assert await town.comes_to(delivery_id, "failed") == said

    found = await rows.trail(town.database, message_id)
    assert found.dispatch.due_at is not None
    assert found.dispatch.due_at <= datetime.now(UTC)
    assert town.carrier.dialled == [number]


async def test_other_keys_repeat_it_or_say_that_it_is_not_theirs(town: Town) -> None:
    """2 repeats the message, 3 ends it: it has failed, and whoever comes next is told at once."""
    message_id, delivery_id = await town.owed()
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        person.press("1")
        await town.hears_first(person, "choice")
        person.press("2")
        await town.hears(person, "message")
        await town.hears(person, "choice")
        person.press("3")
        said = await town.comes_to(delivery_id, "failed")

    assert said == book_of_tellings.NOT_THEIRS
    found = await rows.trail(town.database, message_id)
    assert found.dispatch.acknowledged_by is None


async def test_who_hears_it_and_hangs_up_has_not_taken_it_on(town: Town) -> None:
    """It is as if they had opened it."""
    message_id, delivery_id = await town.owed()
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        person.press("1")
        await town.hears_first(person, "choice")
        town.carrier.bye(PERSON)
        assert await town.comes_to(delivery_id, "viewed") == book_of_tellings.HEARD

    assert (await rows.trail(town.database, message_id)).dispatch.acknowledged_by is None


async def test_a_key_and_a_hang_up_in_one_instant_is_an_acknowledgement(town: Town) -> None:
    """Nobody waits to be thanked."""
    _, delivery_id = await town.owed()
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        person.press("1")
        await town.hears_first(person, "choice")
        person.press("1")
        await until(lambda: not person.is_busy, START_SECONDS)
        town.carrier.bye(PERSON)
        await town.comes_to(delivery_id, "acknowledged")


async def test_somebody_else_takes_it_on_while_it_rings(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The telephone stops ringing: nobody is woken for what is done."""
    message_id, delivery_id = await town.owed(RINGS)
    monkeypatch.setattr(telling_by_phone, "RING_SECONDS", 20.0)
    async with town.engine() as engine:
        await until(lambda: town.carrier.dialled == [RINGS], START_SECONDS)
        await acknowledge(town.database, message_id, by="token:desk", how="api", at=datetime.now(UTC))
        engine.tellings.heard()
        await town.comes_to(delivery_id, "withdrawn")
        await town.is_quiet()

    assert "CANCEL" in "".join(town.carrier.heard)


async def test_somebody_else_takes_it_on_while_they_listen(town: Town) -> None:
    """They are told so, and are not asked."""
    message_id, delivery_id = await town.owed()
    async with town.engine() as engine:
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        await acknowledge(town.database, message_id, by="token:desk", how="api", at=datetime.now(UTC))
        engine.tellings.heard()
        await town.hears_first(person, "taken")
        await town.comes_to(delivery_id, "withdrawn")

    assert "message" not in tones_heard(person)


async def test_no_more_are_rung_than_may_be_at_a_time(town: Town) -> None:
    """The urgent one goes first; who waits says so in the trail."""
    ordinary, told_later = await town.owed(RINGS)
    _, told_first = await town.owed(PERSON, urgent=True)
    async with town.engine(at_once=1):
        await town.telephone()
        assert (await town.state(told_later))[0] == "queued"
        async with asyncio.timeout(START_SECONDS):
            while (await town.state(told_later))[1] != telling_by_phone.NO_LINE:
                await asyncio.sleep(0.05)
        town.carrier.bye(PERSON)
        await town.comes_to(told_first, "failed")
        await town.comes_to(told_later, "failed")

    assert town.carrier.dialled == [PERSON, RINGS]
    assert "held doctor" in await rows.told(town.database, ordinary)


async def test_two_messages_are_told_one_after_the_other(town: Town) -> None:
    """Whoever is rung is busy for the second one meanwhile: it waits, and has not failed."""
    _, first = await town.owed()
    _, second = await town.owed()
    async with town.engine():
        for many in (1, 2):
            person = await town.telephone()
            assert len(town.carrier.dialled) == many
            await town.hears_first(person, "greeting")
            town.carrier.bye(PERSON)
            await until(lambda: not town.carrier.talks(PERSON), START_SECONDS)
        for one in (first, second):
            assert "nobody pressed a key" in await town.comes_to(one, "failed")

    assert town.carrier.dialled == [PERSON, PERSON]


async def test_one_number_is_not_rung_too_often(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back stays queued, until a time that its trail says."""
    monkeypatch.setattr(telling_by_phone, "MOST_CALLS", 1)
    _, first = await town.owed(BUSY)
    async with town.engine():
        await town.comes_to(first, "failed")
        message_id, second = await town.owed(BUSY)
        async with asyncio.timeout(START_SECONDS):
            while not (await town.state(second))[1]:
                await asyncio.sleep(0.05)

    assert await town.state(second) == ("queued", telling_by_phone.TOO_MANY)
    assert town.carrier.dialled == [BUSY]
    assert await rows.told(town.database, message_id) == ["held doctor"]


async def test_an_asterisk_of_the_release_before_rings_nobody(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and leaves the telling to the worker, who gives it up."""
    monkeypatch.setattr(message_calls, "CONTEXT", "callrouter-nothing")
    _, delivery_id = await town.owed()
    async with town.engine() as engine:
        await until(lambda: engine.tellings.trouble is not None, START_SECONDS)
        assert "extensions.conf is of an earlier release" in str(engine.tellings.trouble)
        assert await town.state(delivery_id) == ("queued", "")
        monkeypatch.setattr(message_calls, "CONTEXT", "callrouter-telling")
        await town.telephone()
        assert engine.tellings.trouble is None


async def test_the_engine_dies_while_they_listen_and_they_press_1(town: Town) -> None:
    """Asterisk goes on alone, and the next engine learns that they have taken it on; nobody is rung again."""
    message_id, delivery_id = await town.owed()
    async with town.engine():
        person = await town.telephone()
        await town.hears_first(person, "greeting")
    person.press("1")
    await town.hears_first(person, "choice")
    person.press("1")
    await town.hears_first(person, "thanks")
    await town.is_quiet()
    assert (await town.state(delivery_id))[0] == "sending"
    async with town.engine(epoch=2):
        await town.comes_to(delivery_id, "acknowledged")

    assert town.carrier.dialled == [PERSON]
    assert (await rows.trail(town.database, message_id)).dispatch.acknowledged_by == "doctor"


async def test_the_link_is_cut_while_it_rings(town: Town) -> None:
    """It comes back, and what they press is known."""
    _, delivery_id = await town.owed()
    async with town.engine() as engine:
        await until(lambda: town.carrier.dialled == [PERSON], START_SECONDS)
        await cut(engine.link)
        person = await town.telephone()
        await town.hears_first(person, "greeting")
        person.press("1")
        await town.hears_first(person, "choice")
        await cut(engine.link)
        person.press("1")
        await town.comes_to(delivery_id, "acknowledged")

    assert town.carrier.dialled == [PERSON]


async def test_the_pbx_is_killed_while_it_rings(tmp_path: Path, database: Database) -> None:
    """Whether somebody picked up is not known then: nobody is rung again, and the next step begins."""
    carrier = await Carrier.open(HABITS)
    first = await asyncio.to_thread(Pbx.start, tmp_path / "pbx", carrier=carrier.contact)
    town = Town(pbx=first, carrier=carrier, database=database, folder=tmp_path)
    message_id, delivery_id = await town.owed(RINGS)
    try:
        async with town.engine():
            await until(lambda: carrier.dialled == [RINGS], START_SECONDS)
            os.kill(first.pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
    finally:
        await asyncio.to_thread(first.stop)
    try:
        with await asyncio.to_thread(Pbx.start, tmp_path / "pbx2", carrier=carrier.contact) as second:
            town.pbx = second
            async with town.engine(epoch=2):
                assert "lost the call" in await town.comes_to(delivery_id, "failed")
    finally:
        await carrier.close()

    assert carrier.dialled == [RINGS]
    assert (await rows.trail(database, message_id)).dispatch.due_at is not None


def _awaits() -> Iterator[tuple[str, int]]:
    """Every step of the engine's that waits for somebody, before it and after it."""
    for name in (
        "book.due",
        "sounds.make",
        "switch.announce",
        "book.claim",
        "switch.place",
        "book.note",
        "book.conclude",
        "switch.forget",
    ):
        yield name, 0
        yield name, 1


@pytest.mark.parametrize(("where", "after"), list(_awaits()))
async def test_the_engine_dies_at_any_step(town: Town, where: str, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are rung once, and what they press is not lost; what was written down and never placed is placed by the next
    engine."""
    _, delivery_id = await town.owed()
    died = asyncio.Event()
    async with town.engine() as engine:
        part = {"book": engine.tellings._book, "switch": engine.tellings._switch, "sounds": engine.tellings._sounds}
        owner, _, name = where.partition(".")
        _mortal(monkeypatch, part[owner], name, after, died)
        person = await _pressed_through(town, died)
        await asyncio.wait_for(died.wait(), START_SECONDS)
    async with town.engine(epoch=2):
        if person is None:
            person = await _pressed_through(town, asyncio.Event(), delivery_id)
        state = await _end_of(town, delivery_id)

    assert len(town.carrier.dialled) == 1
    assert state == "acknowledged"
    never_placed = (where, after) in {("book.claim", 1), ("switch.place", 0)}
    assert await town.attempts(delivery_id) == (2 if never_placed else 1)
    assert len(await town.outcomes()) == 1


async def test_an_asterisk_that_began_anew_does_not_know_whether_it_rang(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes its rows to the disk every second: one that it does not have may have been there. Nobody is rung."""
    carrier = await Carrier.open(HABITS)
    died = asyncio.Event()
    first = await asyncio.to_thread(Pbx.start, tmp_path / "pbx", carrier=carrier.contact)
    town = Town(pbx=first, carrier=carrier, database=database, folder=tmp_path)
    _, delivery_id = await town.owed()
    try:
        async with town.engine() as engine:
            _mortal(monkeypatch, engine.tellings._switch, "place", 0, died)
            await asyncio.wait_for(died.wait(), START_SECONDS)
            os.kill(first.pid, signal.SIGKILL)
    finally:
        await asyncio.to_thread(first.stop)
    try:
        with await asyncio.to_thread(Pbx.start, tmp_path / "pbx2", carrier=carrier.contact) as town.pbx:
            async with town.engine(epoch=2):
                said = await town.comes_to(delivery_id, "failed")
    finally:
        await carrier.close()

    assert said.startswith("Asterisk lost the call")
    assert carrier.dialled == []


async def test_engines_that_die_of_it_each_time_do_not_do_so_for_ever(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, delivery_id = await town.owed()
    for epoch in range(1, MOST_CLAIMS + 1):
        died = asyncio.Event()
        async with town.engine(epoch=epoch) as engine:
            _mortal(monkeypatch, engine.tellings._switch, "place", 0, died)
            await asyncio.wait_for(died.wait(), START_SECONDS)
    async with town.engine(epoch=MOST_CLAIMS + 1):
        await town.comes_to(delivery_id, "failed")

    assert town.carrier.dialled == []


async def test_what_was_taken_on_meanwhile_is_not_placed_after_all(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id, delivery_id = await town.owed()
    died = asyncio.Event()
    async with town.engine() as engine:
        _mortal(monkeypatch, engine.tellings._switch, "place", 0, died)
        await asyncio.wait_for(died.wait(), START_SECONDS)
    await acknowledge(town.database, message_id, by="token:desk", how="api", at=datetime.now(UTC))
    async with town.engine(epoch=2):
        await town.comes_to(delivery_id, "withdrawn")

    assert town.carrier.dialled == []


def _mortal(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: int, died: asyncio.Event) -> None:
    """The engine hangs for ever there, as one that was killed does."""
    real: Callable[..., Any] = getattr(owner, name)

    async def dies(*values: Any, **more: Any) -> Any:
        if after:
            await real(*values, **more)
        died.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(owner, name, dies)


async def _pressed_through(town: Town, died: asyncio.Event, delivery_id: str = "") -> Telephone | None:
    """Whoever is rung hears it and takes it on, whatever becomes of the engine; None: nobody is rung."""

    def over() -> bool:
        return bool(town.carrier.talks(PERSON)) or (died.is_set() and not town.carrier.dialled)

    async with asyncio.timeout(2 * START_SECONDS):
        while not over():
            if delivery_id and (await town.state(delivery_id))[0] in ("failed", "acknowledged"):
                return None
            await asyncio.sleep(0.02)
    if not town.carrier.talks(PERSON):
        return None
    person = town.carrier.telephone(PERSON)
    await town.hears_first(person, "greeting")
    person.press("1")
    await town.hears_first(person, "choice")
    person.press("1")
    await town.hears_first(person, "thanks")
    return person


async def _end_of(town: Town, delivery_id: str) -> str:
    async with asyncio.timeout(2 * START_SECONDS):
        while (state := (await town.state(delivery_id))[0]) in ("queued", "sending"):
            await asyncio.sleep(0.05)
    return state


async def test_whoever_is_on_call_when_a_step_begins_is_rung(town: Town) -> None:
    """A voicemail has the first step fail; meanwhile somebody changed the rota: who is on call now is rung, and takes
    it on; nobody else is told any more. Another worker goes on in between, and changes nothing.
    """
    people = [
        reach("anna", number=VOICEMAIL),
        reach("bruno", number=BUSY),
        reach("carla", number=PERSON),
    ]
    policy = rule(
        Step(to=("anna",), by=(Means.PHONE,), wait_seconds=3600.0),
        Step(to=("duty",), by=(Means.PHONE,), wait_seconds=3600.0),
        Step(to=("bruno",), by=(Means.PHONE,), wait_seconds=3600.0),
    )
    http = GuardedHttp([], {})
    office = Office(database=town.database, http=http, folder=town.folder)
    office.plan = a_plan(*people, policy=policy, rotas={"duty": on_duty("bruno")})
    async with town.engine():
        async with office.works("one"):
            await office.message()
            voicemail = await town.telephone(VOICEMAIL)
        await let_go(town.database)
        office.plan = a_plan(*people, policy=policy, rotas={"duty": on_duty("carla")})
        async with office.works("two"):
            carla = await town.telephone(PERSON)
            await town.hears_first(carla, "greeting")
            carla.press("1")
            await town.hears_first(carla, "choice")
            carla.press("1")
            assert await office.comes("acknowledged") == ""
    await http.close()

    assert tones_heard(voicemail) == {"greeting"}
    assert town.carrier.dialled == [VOICEMAIL, PERSON]
    assert [one for one in await office.trail() if "carla" in one] == [
        "rang carla",
        "answered carla",
        "acknowledged carla",
    ]


async def test_without_an_engine_the_next_step_begins(town: Town) -> None:
    """A minute later, and what was not placed by then never is."""
    people = [reach("anna", number=PERSON), reach("bruno", number=BUSY)]
    policy = rule(
        Step(to=("anna",), by=(Means.PHONE,), wait_seconds=3600.0),
        Step(to=("bruno",), by=(Means.PHONE,), wait_seconds=3600.0),
    )
    http = GuardedHttp([], {})
    office = Office(database=town.database, http=http, folder=town.folder)
    office.plan = a_plan(*people, policy=policy)
    async with office.works() as due:
        await office.message()
        await office.has(due=due, queued=1)
        office.clock.passes(timedelta(seconds=book_of_tellings.ABSENT_SECONDS + 1))
        await office.has(due=due, failed=1, queued=1)
    async with town.engine():
        await asyncio.sleep(1.0)
    await http.close()

    assert PERSON not in town.carrier.dialled
    assert "failed anna" in await office.trail()
