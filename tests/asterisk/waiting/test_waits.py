"""A place in the line survives a menu."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.waiting.waits import Waits
from callrouter.core.call import QueueOutcome
from callrouter.core.effects import EnterQueue, Sound
from callrouter.core.nodes import HangupNode, MenuNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.outgoing.ports import QueueStand
from callrouter.testing import TUESDAY_10
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EngineRoom, engine_room, plan_of, until
from tests.asterisk.waiting.room import call_of, callers, in_line, press, waiting_pbx


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with a queue that nobody answers."""
    with waiting_pbx(tmp_path_factory.mktemp("kept-place")) as running:
        yield running


def plan(max_wait_seconds: float = 60, queue: str = "patient") -> Plan:
    """Key 1, or the longest wait, leads to a menu that leads back."""
    return plan_of(
        QueueNode(
            name="line",
            queue=queue,
            max_wait_seconds=max_wait_seconds,
            keys=("1",),
            exits={"key:1": "menu", "overflow": "menu"},
        ),
        MenuNode(
            name="menu",
            sounds=(Sound(file="beep", seconds=0.5),),
            keys=("9",),
            no_input_retries=0,
            timeout_seconds=1.0,
            exits={"key:9": "bye", "no_input": "line", "no_match": "line"},
        ),
        HangupNode(name="bye"),
    )


async def back(room: EngineRoom, call_id: str, visits: int) -> None:
    """They wait again."""
    await until(lambda: len(call_of(room, call_id).queue_visits) == visits, 10)
    async with asyncio.timeout(5):
        while call_id not in await in_line(room):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_caller_who_comes_back_from_a_menu_has_their_place_again(pbx: Pbx, place: int) -> None:
    """Whoever of three leaves by the key and comes back."""
    async with engine_room(pbx, plan()) as room:
        before = await callers(room, 3)
        leaves = before[place]
        await press(room, leaves, "1")
        await back(room, leaves, 2)

        assert await in_line(room) == before
        assert call_of(room, leaves).queue_visits[0].outcome is QueueOutcome.EXITED
        assert [len(call.queue_visits) for call in room.live].count(1) == 2


async def test_two_who_come_back_stand_as_they_stood_before(pbx: Pbx) -> None:
    """Although app_queue counts the wait of both from their return, and the younger one comes back first."""
    async with engine_room(pbx, plan()) as room:
        first, second, third = await callers(room, 3)
        await press(room, second, "1")
        await asyncio.sleep(0.5)
        await press(room, first, "1")
        await back(room, second, 2)
        await back(room, first, 2)

        assert await in_line(room) == [first, second, third]


async def test_the_longest_wait_keeps_the_place_too(pbx: Pbx) -> None:
    """Callers who are asked whether they go on waiting."""
    async with engine_room(pbx, plan(max_wait_seconds=3)) as room:
        first, second = await callers(room, 2)
        await back(room, first, 2)
        await until(lambda: len(call_of(room, second).queue_visits) == 2, 10)
        await back(room, second, 2)

        assert await in_line(room) == [first, second]


async def test_a_key_that_is_not_theirs_leaves_nobody(pbx: Pbx) -> None:
    """All but one do nothing."""
    async with engine_room(pbx, plan()) as room:
        (only,) = await callers(room, 1)
        for key in "0259*#":
            await press(room, only, key)
            await asyncio.sleep(0.2)

        assert await in_line(room) == [only]
        assert len(call_of(room, only).queue_visits) == 1


async def test_whoever_is_refused_stays_at_the_head(pbx: Pbx) -> None:
    """An agent refuses twice, and then takes the caller who came first."""
    await asyncio.to_thread(pbx.cli, "queue pause member Local/moody@test-phone/n queue moody")
    async with engine_room(pbx, plan(queue="moody")) as room:
        await room.call()
        await until(lambda: len(room.live) == 1, 5)
        first = room.live[0].call_id
        await asyncio.sleep(0.5)
        await room.call()
        await until(lambda: len(room.live) == 2, 5)
        await asyncio.sleep(0.5)
        assert (await in_line(room, "moody"))[0] == first
        await asyncio.to_thread(pbx.cli, "queue unpause member Local/moody@test-phone/n queue moody")
        await room.reached(lambda call: call.agent is not None, 15)

        assert [call.call_id for call in room.live if call.agent] == [first]
        assert call_of(room, first).queue_visits[0].offers == 3
        assert len(call_of(room, first).queue_visits) == 1


def test_places_are_right_after_the_clock_was_set() -> None:
    """An hour forward: whoever came before is before, whether they or the others were here all the time."""
    waits = Waits(cast("AmiLink", SimpleNamespace()))
    waits.begin("c", "1.1", lambda: "PJSIP/1", EnterQueue(queue="q", priority=0, max_wait_seconds=60), TUESDAY_10)
    by = timedelta(hours=1)
    waits.redate(by)
    places: list[int] = []
    waiting = SimpleNamespace(priority=0, channel_id="1.1", waited_seconds=30)
    stand = cast("QueueStand", SimpleNamespace(waiting=(waiting,)))
    now = TUESDAY_10 + by + timedelta(seconds=30)
    for turn_at in (TUESDAY_10 + by - timedelta(seconds=5), TUESDAY_10 + by + timedelta(seconds=5)):
        waits._found(0, turn_at, now, places.append, stand)
    assert places == [1, 2]
