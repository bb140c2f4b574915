"""Before the clients' files are loaded a call begins with the plan that was live last: it waits for no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core import engine
from callrouter.core.call import Call, CallerId
from callrouter.core.effects import Effect
from callrouter.core.inputs import CallerHungUp, CallOffered, ControlLost, DigitPressed, Input
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, Loader, PaperSpeech
from callrouter.dialplan.folder.catalogue import unknown_plan
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.first_calls import FirstCalls
from callrouter.runtime.ports import Inbox
from callrouter.runtime.reload import ServedPlans
from callrouter.runtime.tasks import Tasks

from .test_driver import plan

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
DID, NEW_DID = "+33199000010", "+33199000099"
LAST = plan()


class Room:
    """A start: the folder is not loaded, and of one number it is known what was live."""

    def __init__(self, folder: Path) -> None:
        sounds = PaperSpeech()
        nothing = Catalogue(plans={}, unknown=unknown_plan(sounds), loaded_at=AT)
        self.calls = LiveCalls()
        self.plans = ServedPlans(nothing, Loader(folder, sounds), self.calls, now=lambda: AT, is_loaded=False)
        self.told: list[tuple[str, Plan] | Input] = []
        self.released: list[str] = []
        self.made = asyncio.Event()
        """Set when the plan that was live last is made again."""
        self.first = FirstCalls(self, self.Driver(self), self.plans, self.find, tasks=Tasks())

    class Driver:
        """Writes down what it is told, and the plan that it would take."""

        def __init__(self, room: Room) -> None:
            self._room = room

        def offer(self, offered: CallOffered) -> None:
            self._room.told.append((offered.call_id, self._room.plans.for_did(offered.did)))

        def tell(self, call_id: str, told: Input) -> None:
            self._room.told.append(told)

    async def find(self, did: str) -> Plan | None:
        await self.made.wait()
        return LAST if did == DID else None

    def loaded(self) -> None:
        self.plans.begin(Catalogue(plans={}, unknown=self.plans.catalogue.unknown, loaded_at=AT))

    # As a Switch.

    def tells(self, inbox: Inbox) -> None: ...

    def perform(self, call: Call, state: bytes, effects: Sequence[Effect]) -> None: ...

    def keep(self, call: Call, state: bytes) -> None: ...

    def release(self, call_id: str) -> None:
        self.released.append(call_id)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def call(call_id: str = "1", did: str = DID) -> CallOffered:
    return CallOffered(call_id=call_id, did=did, caller=CallerId(), at=AT)


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_call_begins_with_what_was_live_though_nothing_is_loaded(room: Room) -> None:
    room.made.set()
    room.first.offer(call())
    await some_turns()

    assert room.told == [("1", LAST)]
    assert not room.plans.loaded.is_set()


async def test_what_is_heard_meanwhile_is_told_in_order(room: Room) -> None:
    keys: list[Input] = [DigitPressed(digit=key, at=AT) for key in "12"]
    room.first.offer(call())
    for key in keys:
        room.first.tell("1", key)
    room.first.tell("another", keys[0])
    assert room.told == [keys[0]], "of other calls it is told at once"
    room.made.set()
    await some_turns()

    assert room.told[1:] == [("1", LAST), *keys]


async def test_a_number_nobody_had_waits_for_the_folder(room: Room) -> None:
    room.made.set()
    room.first.offer(call(did=NEW_DID))
    await some_turns()
    assert room.told == []
    room.loaded()
    await some_turns()

    assert room.told == [("1", room.plans.catalogue.unknown)]


@pytest.mark.parametrize(
    "end",
    [CallerHungUp(at=AT, by_caller=True), ControlLost(reason="its lease ran out", at=AT)],
    ids=["hung up", "taken back"],
)
async def test_a_call_that_is_over_is_not_begun(room: Room, end: Input) -> None:
    """Asterisk's journal gives it its record."""
    room.first.offer(call(did=NEW_DID))
    room.first.tell("1", end)
    room.made.set()
    room.loaded()
    await some_turns()

    assert (room.told, room.released) == ([], ["1"])


async def test_once_loaded_calls_are_the_drivers(room: Room) -> None:
    room.loaded()
    room.first.offer(call())

    assert room.told == [("1", room.plans.catalogue.unknown)]


async def test_the_folder_wins_over_what_was_live(room: Room) -> None:
    """A number may be another client's by now: what its first call had is forgotten with the load."""
    room.made.set()
    room.first.offer(call())
    await some_turns()
    room.loaded()

    assert room.plans.for_did(DID) is room.plans.catalogue.unknown


async def test_a_live_call_keeps_its_plan_over_the_load(room: Room) -> None:
    """Found by version, as those are that call walks after a reload."""
    room.calls.add(LiveCall(engine.start(LAST, call()).call, LAST))
    room.loaded()

    assert room.plans.plan(LAST.client, LAST.version) is LAST


async def test_a_reload_waits_for_the_first_load(room: Room) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await room.plans.reload()
