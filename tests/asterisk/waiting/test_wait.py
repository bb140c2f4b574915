"""What callers hear who wait: over the music, never more than before, and no longer than they wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from callrouter.core.effects import Announced, Sound
from callrouter.core.nodes import HangupNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, killed, plan_of, until
from tests.asterisk.waiting.room import callers, hang_up, in_line, joined, press, tone, waiting_pbx
from tests.asterisk.wire import WireCaller, wire_caller

CALLER = "<sip:+33612340099@127.0.0.1>"
FIRST, SECOND, THIRD, LONG, BYE = 620, 940, 1330, 1700, 2100
EVERY = 2.0


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with queues."""
    with waiting_pbx(tmp_path_factory.mktemp("told")) as running:
        yield running


def plan(folder: Path, queue: str = "patient", seconds: float = 0.6, comfort: tuple[Sound, ...] = ()) -> Plan:
    """Callers are told their place by a tone; key 1 leads to another one."""
    places = tuple(tone(folder, hertz, seconds) for hertz in (FIRST, SECOND, THIRD))
    return plan_of(
        QueueNode(
            name="line",
            queue=queue,
            max_wait_seconds=60,
            keys=("1",),
            announced=None if comfort else Announced(every_seconds=EVERY, places=places),
            comfort=tuple((message,) for message in comfort),
            comfort_seconds=EVERY,
            exits={"key:1": "word", "overflow": "bye"},
        ),
        PlayNode(name="word", sounds=(tone(folder, BYE, 1.0),), exits={"next": "bye"}),
        HangupNode(name="bye"),
    )


async def joins(room: EngineRoom, caller: WireCaller, place: int) -> str:
    """A caller with an ear joins the line at this place; their call's id."""
    before = set(room.switch.lines)
    caller.invite(DID, CALLER)
    await caller.answered()
    await joined(room, place)
    return next(call_id for call_id in room.switch.lines if call_id not in before)


async def hears(caller: WireCaller, hertz: int, since: float = 0.0, seconds: float = 6) -> float:
    """Wait for a tone; when it began."""
    async with asyncio.timeout(seconds):
        while not (began := caller.ear.whistled(hertz, since)):
            await asyncio.sleep(0.2)
    return began[0]


def now() -> float:
    """The loop's clock."""
    return asyncio.get_running_loop().time()


async def test_a_caller_hears_their_place_as_it_gets_better(pbx: Pbx, tmp_path: Path) -> None:
    """Third, second, first; over the music, without a gap, and without leaving the line."""
    async with engine_room(pbx, plan(tmp_path)) as room, wire_caller(pbx) as caller:
        first, second = await callers(room, 2)
        third = await joins(room, caller, 3)
        for leaves, hertz in ((first, THIRD), (second, SECOND)):
            await hears(caller, hertz)
            assert (await in_line(room))[-1] == third
            await hang_up(room, leaves)
        last = await hears(caller, FIRST)
        ear = caller.ear

        assert ear.whistled(THIRD)[-1] < ear.whistled(SECOND)[0] <= ear.whistled(SECOND)[-1] < last
        assert ear.longest_gap(caller.answered_at, ear.packets[-1].at) < 0.3
        assert len(room.live[-1].queue_visits) == 1


async def test_nobody_is_told_a_worse_place_than_before(pbx: Pbx, tmp_path: Path) -> None:
    """Whoever is passed by somebody of a higher priority hears nothing, until their place is as good again."""
    async with engine_room(pbx, plan(tmp_path)) as room, wire_caller(pbx) as caller:
        mine = await joins(room, caller, 1)
        await hears(caller, FIRST)
        await callers(room, 1)
        passes = (await in_line(room))[1]
        wanted = {"Caller": room.switch.lines[passes].channel.channel, "Queue": "patient", "Priority": "9"}
        await room.link.send("QueueChangePriorityCaller", {**wanted, "Immediate": "yes"})
        assert await in_line(room) == [passes, mine]
        since = now() + 1.0
        await asyncio.sleep(2.5 * EVERY)
        assert [caller.ear.whistled(hertz, since) for hertz in (FIRST, SECOND, THIRD)] == [[], [], []]
        await hang_up(room, passes)

        assert await hears(caller, FIRST, now())


async def test_what_is_said_ends_when_an_agent_answers(pbx: Pbx, tmp_path: Path) -> None:
    """The agent comes in the middle of a sentence, as soon as without it; in the conversation it is not heard."""
    async with engine_room(pbx, plan(tmp_path, "answered", seconds=20.0)) as room, wire_caller(pbx) as caller:
        await asyncio.to_thread(pbx.cli, "queue pause member Local/slow-agent@test-phone/n queue answered")
        await asyncio.to_thread(pbx.cli, "dialplan set global TALK 6")
        caller.invite(DID, CALLER)
        await caller.answered()
        await hears(caller, FIRST)
        free_at = now()
        await asyncio.to_thread(pbx.cli, "queue unpause member Local/slow-agent@test-phone/n queue answered")
        call = await room.reached(lambda one: bool(one.queue_visits and one.queue_visits[0].answered_at), 10)
        answered_at = now()
        offered_at = call.clocks.offered_at
        assert offered_at is not None
        await asyncio.sleep(2.0)

        assert answered_at - free_at < 1.3 + 1.5 + 0.7
        assert caller.ear.whistled(FIRST, answered_at + 0.5) == []
        assert room.pbx.cli("core show channels").count("callrouter-whisper") == 0


async def test_a_key_ends_what_is_said_and_leaves(pbx: Pbx, tmp_path: Path) -> None:
    """The next prompt is heard by itself."""
    async with engine_room(pbx, plan(tmp_path, seconds=20.0)) as room, wire_caller(pbx) as caller:
        mine = await joins(room, caller, 1)
        await hears(caller, FIRST)
        await press(room, mine, "1")
        at = await hears(caller, BYE)
        await until(lambda: bool(room.ended), 8)

        assert caller.ear.whistled(FIRST, at + 0.4) == []
        assert [visit.exit for visit in room.ended[0].visits][:1] == ["key:1"]


async def test_messages_are_played_in_turn(pbx: Pbx, tmp_path: Path) -> None:
    """And from the first again."""
    told = plan(tmp_path, comfort=(tone(tmp_path, FIRST, 0.6), tone(tmp_path, SECOND, 0.6)))
    async with engine_room(pbx, told) as room, wire_caller(pbx) as caller:
        await joins(room, caller, 1)
        await asyncio.sleep(5 * EVERY + 1)
        first, second = caller.ear.whistled(FIRST), caller.ear.whistled(SECOND)

        assert sorted((*first, *second))[:4] == [first[0], second[0], first[1], second[1]]
        assert len(first) + len(second) >= 4


async def test_nothing_is_left_of_a_sentence_whose_caller_hangs_up(pbx: Pbx, tmp_path: Path) -> None:
    """Neither a channel nor a timer."""
    async with engine_room(pbx, plan(tmp_path, seconds=20.0)) as room, wire_caller(pbx) as caller:
        await joins(room, caller, 1)
        await hears(caller, FIRST)
        caller.bye()
        await until(lambda: bool(room.ended), 5)

        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 3)
        await asyncio.sleep(EVERY)
        assert "0 active channels" in pbx.cli("core show channels count")


async def test_a_caller_of_a_dead_engine_waits_on_with_music(pbx: Pbx, tmp_path: Path) -> None:
    """They keep their place, and hear no more of it."""
    async with engine_room(pbx, plan(tmp_path)) as room, wire_caller(pbx) as caller:
        await joins(room, caller, 1)
        await hears(caller, FIRST)
        await killed(room.link)
        since = now() + 1.5
        await asyncio.sleep(1.5 + 2 * EVERY)

        assert caller.ear.whistled(FIRST, since) == []
        assert caller.ear.longest_gap(since, now()) < 0.3
        assert not caller.ended.is_set()
        assert "1. PJSIP" in pbx.cli("queue show patient")
