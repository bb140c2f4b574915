"""A team on a real Asterisk: a phone that nobody picks up, that refuses or is dead keeps no caller from the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callrouter.core.call import Call, CallState, Disposition
from callrouter.core.nodes import AnswerNode, HangupNode, QueueNode
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, EngineRoom, engine_room, plan_of, until
from tests.patience import START_SECONDS

RING_SECONDS = 2
RETRY_SECONDS = 1
KNOWN_SECONDS = 9
"""A phone is asked every 5 s and given 3 s to answer (pjsip.conf)."""
FORWARDED = """
; A caller whom somebody forwarded to us.
[test-forwarded]
exten => _+X.,1,Set(REDIRECTING(from-num,i)=0140000009)
 same => n,Set(REDIRECTING(count,i)=1)
 same => n,Goto(callrouter-entry,${EXTEN},1)
"""
PLAN = plan_of(
    AnswerNode(name="answer", exits={"next": "team"}),
    QueueNode(name="team", queue="team", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)


@asynccontextmanager
async def a_team(
    folder: Path, habits: dict[str, Habit], *, strategy: str = ""
) -> AsyncIterator[tuple[EngineRoom, Carrier]]:
    """The stock queue, with a short ring, whose members have these habits; all of them are known to be there."""
    kind = f"[team](line)\nstrategy = {strategy}" if strategy else "[team](team)"
    names = list(habits)
    phones = await Carrier.open(habits)
    members = "\n".join(f"member => PJSIP/{name},0,{name},PJSIP/{name}" for name in names)
    with Pbx.start(
        folder / "pbx",
        agents=len(names),
        agent_contacts=dict.fromkeys(names, phones.contact),
        extra_conf={"extensions": EXTENSIONS + FORWARDED, "queues": f"{kind}\ntimeout = {RING_SECONDS}\n{members}\n"},
    ) as pbx:
        pbx.cli("module load res_clioriginate.so")
        try:
            await until(lambda: all(status(pbx, name) == "Avail" for name in names), START_SECONDS)
            async with engine_room(pbx, PLAN) as room:
                yield room, phones
        finally:
            await phones.close()


def status(pbx: Pbx, phone: str) -> str:
    """What the PBX knows of a phone: Avail, Unavail, or Unknown when it has not asked it yet."""
    contact = next(line for line in pbx.cli(f"pjsip show aor {phone}").splitlines() if "Contact:  agent-" in line)
    return contact.split()[3]


async def served(room: EngineRoom, entry: str) -> Call:
    """A caller who comes in here is answered, and later all telephones hang up: how the call ended."""
    before = len(room.ended)
    where = f"Local/{DID}@{entry}/n extension listen@test-caller"
    await asyncio.to_thread(room.pbx.cli, f"channel originate {where}")
    await room.reached(lambda call: call.state is CallState.CONNECTED, 10)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(room.pbx.cli, "channel request hangup all")
    await until(lambda: len(room.ended) > before and not room.live, 10)
    return room.ended[-1]


async def served_after(room: EngineRoom, agent: str) -> float:
    """How long a new caller waits for this agent; then they hang up."""
    began = asyncio.get_running_loop().time()
    before = len(room.ended)
    await room.call()
    await room.reached(lambda call: call.agent == agent, 20)
    waited = asyncio.get_running_loop().time() - began
    await asyncio.to_thread(room.pbx.cli, "channel request hangup all")
    await until(lambda: len(room.ended) > before and not room.live, 10)
    return waited


async def test_phones_that_take_no_call_cost_one_ring_each(tmp_path: Path) -> None:
    """One rings, one refuses, one redirects: every caller, not only the first, reaches the fourth within one ring."""
    habits = {"agent-1": Habit.RINGS, "agent-2": Habit.BUSY, "agent-3": Habit.MOVED, "agent-4": Habit.ANSWERS}
    async with a_team(tmp_path, habits) as (room, phones):
        waited = [await served_after(room, "agent-4") for _ in range(3)]
        rung = len(phones.dialled)

    # A telephone that redirects leaves no mark on the caller: the next one is not told that the call comes from there.
    assert not any("diversion" in invite for invite in phones.invites)
    # app_queue looks at a waiting call once a second, and pauses `retry` after a round in which nobody answered.
    assert max(waited) < RING_SECONDS + 2 * (RETRY_SECONDS + 1) + 1.5, (waited, phones.dialled)
    assert rung <= 3 * len(habits)
    assert {call.disposition for call in room.ended} == {Disposition.ANSWERED}
    assert {visit.agent for call in room.ended for visit in call.queue_visits} == {"agent-4"}


async def test_a_forwarded_phone_does_not_count_for_its_owner(tmp_path: Path) -> None:
    """Their telephone sends callers elsewhere: nobody is rung for them, and they have answered nobody."""
    async with a_team(tmp_path, {"agent-1": Habit.MOVED}) as (room, phones):
        await room.call("leave-5")
        call = await room.the_end()

    assert set(phones.dialled) == {"agent-1"}
    assert call.disposition is Disposition.ABANDONED
    assert call.agent is None
    assert call.talk_seconds() == 0


@pytest.mark.parametrize("entry", ["callrouter-entry", "test-forwarded"])
async def test_a_phone_that_forwards_by_itself_does_not_count_for_its_owner(tmp_path: Path, entry: str) -> None:
    """It says so (181): the caller is served, by somebody; whoever answers at their own telephone is the agent."""
    habits = {"agent-1": Habit.FORWARDS}
    async with a_team(tmp_path, habits) as (room, _):
        elsewhere = await served(room, entry)
        habits["agent-1"] = Habit.ANSWERS
        at_home = await served(room, entry)

    assert (elsewhere.disposition, elsewhere.agent) == (Disposition.ANSWERED, "")
    assert elsewhere.talk_seconds() > 0
    assert (at_home.disposition, at_home.agent) == (Disposition.ANSWERED, "agent-1")


async def test_nor_does_it_while_no_engine_is_there(tmp_path: Path) -> None:
    """What Asterisk writes down for the next engine names nobody."""
    async with a_team(tmp_path, {"agent-1": Habit.FORWARDS}) as (room, phones):
        with Callers(room.pbx, tmp_path) as callers:
            await room.link.close()
            await asyncio.to_thread(room.pbx.cli, f"database put callrouter/fallback {DID} queue:team")
            callers.call("listen", DID)
            await until(lambda: bool(phones.dialled), 15)
            await until(lambda: "(in call)" in room.pbx.cli("queue show team"), 5)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(room.pbx.cli, "channel request hangup all")
            await until(lambda: "1 results" in room.pbx.cli("database show callrouter/ended"), 10)
            written = await asyncio.to_thread(room.pbx.cli, "database show callrouter/ended")

    assert "|_forwarded/" in written


async def test_an_agent_who_misses_a_ring_stays_in_the_team(tmp_path: Path) -> None:
    """The only agent does not pick up the first time: they are rung again, and nobody has to unpause them."""
    habits = {"agent-1": Habit.RINGS}
    async with a_team(tmp_path, habits) as (room, phones):
        await room.call()
        await until(lambda: len(phones.dialled) == 2, 15)
        habits["agent-1"] = Habit.ANSWERS
        served = await room.reached(lambda call: call.agent == "agent-1", 15)
        shown = await asyncio.to_thread(room.pbx.cli, "queue show team")

    assert served.agent == "agent-1"
    assert "paused" not in shown


async def test_a_dead_phone_is_known_and_not_rung(tmp_path: Path) -> None:
    """A phone that stops answering is unavailable within 8 s, costs no caller anything, and is back once it answers."""
    habits = {"agent-1": Habit.ANSWERS, "agent-2": Habit.ANSWERS}
    async with a_team(tmp_path, habits) as (room, phones):
        habits["agent-1"] = Habit.DEAD
        await until(lambda: status(room.pbx, "agent-1") == "Unavail", KNOWN_SECONDS)
        waited = [await served_after(room, "agent-2") for _ in range(2)]
        rung = set(phones.dialled)
        habits["agent-1"] = Habit.ANSWERS
        await until(lambda: status(room.pbx, "agent-1") == "Avail", KNOWN_SECONDS)
        await served_after(room, "agent-1")

    assert rung == {"agent-2"}
    assert max(waited) < 1.5


DEAD = ("agent-1", "agent-4", "agent-7")
REJECTS, RINGS = "agent-2", "agent-5"
GOOD = ("agent-3", "agent-6", "agent-8", "agent-9", "agent-10")
TEN_PHONES = {f"agent-{number}": Habit.ANSWERS for number in range(1, 11)} | {
    REJECTS: Habit.BUSY,
    RINGS: Habit.RINGS,
}


def longest_wait(ringing: int) -> float:
    """Seconds in which each phone that only rings has been rung once, and the next one has picked up.

    A refusal costs nothing: the next one is rung at once. After a ring app_queue pauses `retry`; it looks at a waiting
    call once a second, and whoever picks up does so after 0.7 s.
    """
    return ringing * (RING_SECONDS + RETRY_SECONDS) + 0.7 + 1.5


async def test_ten_phones_of_which_five_take_calls(tmp_path: Path) -> None:
    """Three are dead, one rejects, one only rings: no caller waits longer than one ring of each, nor do the first."""
    habits = dict(TEN_PHONES)
    async with a_team(tmp_path, habits) as (room, phones):
        habits |= dict.fromkeys(DEAD, Habit.DEAD)
        dying = await all_served(room, 1)
        await until(lambda: all(status(room.pbx, name) == "Unavail" for name in DEAD), KNOWN_SECONDS)
        phones.dialled.clear()
        one_by_one = [(await all_served(room, 1))[0] for _ in range(6)]
        at_once = await all_served(room, len(GOOD))
        rung = set(phones.dialled)

    assert max(dying) < longest_wait(ringing=1 + len(DEAD))
    assert max(one_by_one) < longest_wait(ringing=1), one_by_one
    assert max(at_once) < longest_wait(ringing=1), at_once
    assert rung == {*GOOD, REJECTS, RINGS}
    assert {call.agent for call in room.ended[-len(GOOD) :]} == set(GOOD)
    assert {call.disposition for call in room.ended} == {Disposition.ANSWERED}


async def all_served(room: EngineRoom, callers: int) -> list[float]:
    """So many call at once; how long each waits until somebody takes their call. Then all hang up."""
    began, before = asyncio.get_running_loop().time(), len(room.ended)
    for _ in range(callers):
        await room.call()
    waited: dict[str, float] = {}

    def look() -> bool:
        now = asyncio.get_running_loop().time()
        waited.update({call.call_id: now - began for call in room.live if call.agent and call.call_id not in waited})
        return len(waited) == callers

    await until(look, 40)
    await asyncio.to_thread(room.pbx.cli, "channel request hangup all")
    await until(lambda: len(room.ended) == before + callers and not room.live, 10)
    return list(waited.values())


async def test_phones_that_register_are_asked_too(tmp_path: Path) -> None:
    """An agent's phone without a fixed address has the same rule."""
    with Pbx.start(tmp_path / "pbx", agents=2, agent_contacts={"agent-1": "127.0.0.1:9"}) as pbx:
        shown = [pbx.cli(f"pjsip show aor {name}") for name in ("agent-1", "agent-2")]

    assert all("qualify_frequency    : 5" in text for text in shown), shown
