"""Priorities on a real Asterisk: by node, and by how long somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.core.effects import Rising
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.core.numbers import CallerList
from callrouter.core.plan import Plan
from callrouter.core.waiting.priority import ListPriority
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, plan_of
from tests.asterisk.waiting.room import callers, hang_up, in_line, joined, waiting_pbx

VIP = "+33612340009"
"""As engine_room's `visible` callers show themselves."""


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with queues."""
    with waiting_pbx(tmp_path_factory.mktemp("rises")) as running:
        yield running


def plan(after: float) -> Plan:
    """Callers rise from 1 to 4; those of a list have 9."""
    line = QueueNode(
        name="line",
        queue="patient",
        priority=1,
        max_wait_seconds=60,
        list_priorities=(ListPriority(callers=CallerList(name="vip", numbers=frozenset({VIP})), priority=9),),
        rising=Rising(after_seconds=after, to=4),
        exits={"overflow": "bye"},
    )
    return plan_of(line, HangupNode(name="bye"))


async def give(room: EngineRoom, call_id: str, priority: int) -> None:
    """Somebody of a higher priority, as if they had come with it."""
    channel = room.switch.lines[call_id].channel.channel
    wanted = {"Queue": "patient", "Caller": channel, "Priority": str(priority), "Immediate": "yes"}
    await room.link.send("QueueChangePriorityCaller", wanted)


async def priorities(room: EngineRoom) -> list[str]:
    """Of those who wait, in order."""
    answer = await room.link.collect("QueueStatus", {"Queue": "patient"})
    return [event["Priority"] for event in answer if event["Event"] == "QueueEntry"]


async def test_callers_who_rise_stay_in_the_order_in_which_they_came(pbx: Pbx) -> None:
    """They pass whoever has less, and nobody older who has risen, nor anybody who has more."""
    async with engine_room(pbx, plan(after=4.0)) as room:
        first, second = await callers(room, 2)
        vip = f"channel originate Local/visible{DID}@test-caller/n extension listen@test-caller"
        await asyncio.to_thread(pbx.cli, vip)
        third, *others = await joined(room, 3)
        assert others == [first, second]
        assert await priorities(room) == ["9", "1", "1"]
        await asyncio.sleep(4.5)

        assert await in_line(room) == [third, first, second]
        assert await priorities(room) == ["9", "4", "4"]


async def test_whoever_has_waited_passes_those_who_have_less_then(pbx: Pbx) -> None:
    """A caller of priority 2 came later and stands before; after their time the older one passes them."""
    async with engine_room(pbx, plan(after=4.0)) as room:
        (first,) = await callers(room, 1)
        await callers(room, 1)
        second = (await joined(room, 2))[1]
        await give(room, second, 2)
        assert await in_line(room) == [second, first]
        async with asyncio.timeout(6):
            while await in_line(room) != [first, second]:
                await asyncio.sleep(0.1)
        await hang_up(room, first)
