"""Conversations while the engine is killed: holds, recordings, supervisors, and callers who are given away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callrouter.asterisk.agents.directory import RosterDirectory
from callrouter.core.call import CallState, Disposition, EndedBy, LegPurpose
from callrouter.core.inputs import SupervisionMode
from callrouter.core.plan import Plan
from tests.asterisk.adoption.successors import taken_over
from tests.asterisk.engine_room import EngineRoom, engine_room, killed, until
from tests.asterisk.supervision.test_recordings import PLAN as RECORDED
from tests.asterisk.supervision.test_recordings import stamps
from tests.asterisk.transfers.desks import Desks, a_plan, agents_of, talking


async def kill(desks: Desks) -> str:
    """The engine, without a farewell; returns the call's id."""
    call_id = desks.call.call_id
    await killed(desks.room.link)
    return call_id


@asynccontextmanager
async def successor(desks: Desks, plan: Plan, *, knows_agents: bool = True) -> AsyncIterator[EngineRoom]:
    """The next engine; it learns a second later where agents are, where it does not know it at once."""
    since = asyncio.get_running_loop().time()

    def known() -> bool:
        return knows_agents or asyncio.get_running_loop().time() > since + 1.0

    directory = RosterDirectory(lambda: desks.place.roster, known)
    async with engine_room(
        desks.place.pbx, plan, directory=directory, epoch=2, dial="Local/{number}@test-phone/n"
    ) as room:
        await room.adoption.finish(await room.adoption.run())
        yield room


async def test_a_caller_on_hold(tmp_path: Path) -> None:
    """Since when, is known; who takes them back is heard, and who hung up."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(1)
        desks.phones.hold("agent-1", on=True)
        await desks.room.reached(lambda call: any(leg.held_at for leg in call.legs), 5)
        await kill(desks)
        await asyncio.sleep(1)
        async with successor(desks, a_plan()) as room:
            desks.phones.hold("agent-1", on=False)
            await room.reached(lambda call: all(leg.held_at is None for leg in call.legs), 5)
            await asyncio.sleep(1)
            desks.phones.bye("agent-1")
            call = await room.the_end(6)

    (leg,) = agents_of(call)
    assert leg.ended_by is EndedBy.AGENT
    assert 1.0 <= leg.hold_seconds <= 3.5
    assert call.held_seconds == leg.hold_seconds
    assert call.disposition is Disposition.ANSWERED


@pytest.mark.parametrize("knows_agents", [True, False], ids=["at once", "later"])
async def test_given_to_a_colleague_while_nobody_listened(tmp_path: Path, knows_agents: bool) -> None:
    """The target waits on the channel; who it is is known as soon as it is known where agents are."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(1)
        call_id = await kill(desks)
        await asyncio.sleep(0.3)
        desks.phones.refer("agent-1", desks.uri("agent-2"))
        await asyncio.sleep(1)
        async with successor(desks, a_plan(), knows_agents=knows_agents) as room:
            assert taken_over(room) == [call_id]
            await room.reached(lambda call: call.agent == "agent-2", 6)
            await asyncio.sleep(1)
            desks.phones.bye("agent-2")
            call = await room.the_end(6)

    first, second = agents_of(call)
    assert (first.party, first.ended_by, second.party, second.ended_by) == ("agent-1", None, "agent-2", EndedBy.AGENT)
    assert [visit.exit for visit in call.visits if visit.exit != "taken over"] == ["next", "transferred", "end"]


async def test_a_colleague_who_rings(tmp_path: Path) -> None:
    """They are rung on, once, and have the caller. The first agent's leg is in the first engine's own journal."""
    async with talking(tmp_path) as desks:
        desks.phones.ring_for(2.5)
        await asyncio.sleep(1)
        desks.phones.refer("agent-1", desks.uri("agent-2"))
        await desks.room.reached(lambda call: call.state is CallState.DIALLING, 4)
        await asyncio.sleep(0.3)
        await kill(desks)
        await asyncio.sleep(0.5)
        async with successor(desks, a_plan()) as room:
            call = await room.reached(lambda call: call.agent == "agent-2", 6)
            assert call.offers_made == 2
            await asyncio.sleep(1)
            desks.phones.bye("agent-2")
            call = await room.the_end(6)

    (second,) = agents_of(call)
    assert (second.number, second.party, second.ended_by) == (2, "agent-2", EndedBy.AGENT)
    assert len(call.dials) == 1


async def test_a_recording_goes_on_and_may_be_paused(tmp_path: Path) -> None:
    """It is one recording, of which the successor knows; the agent's codes act on it."""
    async with talking(tmp_path, RECORDED) as desks:
        await desks.room.reached(lambda call: any(one.runs for one in call.recordings), 5)
        await asyncio.sleep(0.5)
        await kill(desks)
        await asyncio.sleep(0.5)
        async with successor(desks, RECORDED) as room:
            desks.phones.telephone("agent-1").press("*7")
            await room.reached(lambda call: call.recordings[-1].paused_at is not None, 5)
            await asyncio.sleep(0.5)
            desks.phones.telephone("agent-1").press("*8")
            await room.reached(lambda call: call.recordings[-1].paused_at is None, 5)
            desks.phones.bye("agent-1")
            call = await room.the_end(8)

    assert stamps(call) == ["began", "paused by agent-1", "resumed by agent-1"]
    assert call.recordings_made == 1
    (recording,) = call.recordings
    assert recording.ended_at is not None
    assert recording.seconds() > 1.5


async def test_a_supervisor_listens_on_and_their_end_is_heard(tmp_path: Path) -> None:
    """Their leg is the record's, and no conversation."""
    async with talking(tmp_path) as desks:
        call_id = desks.call.call_id
        await desks.room.supervision.set(call_id, SupervisionMode.LISTEN, "agent-2")
        await desks.room.reached(lambda call: any(leg.purpose is LegPurpose.SUPERVISION for leg in call.legs), 8)
        await asyncio.sleep(0.5)
        await kill(desks)
        async with successor(desks, a_plan()) as room:
            desks.phones.bye("agent-2")
            await until(
                lambda: not any(leg.open for leg in room.live[0].legs if leg.purpose is LegPurpose.SUPERVISION), 5
            )
            assert room.live[0].state is CallState.CONNECTED
            desks.phones.bye("agent-1")
            call = await room.the_end(6)

    assert call.disposition is Disposition.ANSWERED
    assert [leg.party for leg in agents_of(call)] == ["agent-1"]
