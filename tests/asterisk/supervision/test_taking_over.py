"""A supervisor who takes over, on a real Asterisk: the call is theirs, and both are left alone afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import Disposition
from callrouter.core.inputs import SupervisionMode
from tests.asterisk.engine_room import until
from tests.asterisk.transfers.desks import Desks, a_plan, agents_of, talking


async def take_over(desks: Desks) -> None:
    """agent-2, who is of another team, has the caller."""
    await asyncio.sleep(0.5)
    await desks.room.supervision.set(desks.call.call_id, SupervisionMode.TAKE_OVER, "agent-2")
    await desks.room.reached(lambda call: call.agent == "agent-2", 8)
    await until(lambda: not desks.phones.talks("agent-1"), 5)


async def test_both_are_left_alone_afterwards(tmp_path: Path) -> None:
    """The first agent at once, as after a transfer; who took over when they are done."""
    async with talking(tmp_path, a_plan(wrap_up=20)) as desks:
        await take_over(desks)
        await desks.place.has("paused:wrap_up")
        first = desks.place.database("wrap_up/agent-1")
        before = desks.place.members("legal")
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-2")
        await desks.place.has("paused:wrap_up", "legal")
        second = desks.place.database("wrap_up/agent-2")
        call = await desks.room.the_end(6)

    assert not any("paused" in line for line in before)
    assert (seconds_of(first), seconds_of(second)) == (21, 20)
    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert (call.agent, call.disposition) == ("agent-2", Disposition.ANSWERED)


@pytest.mark.parametrize("listening", [False, True], ids=["at once", "after having listened"])
async def test_a_caller_on_hold_is_taken_over(tmp_path: Path, listening: bool) -> None:
    """The agent's telephone holds them; the hold ends with the agent's part, and the conversation goes on."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        if listening:
            await desks.room.supervision.set(desks.call.call_id, SupervisionMode.LISTEN, "agent-2")
            await until(lambda: desks.phones.talks("agent-2"), 8)
        desks.phones.hold("agent-1", on=True)
        await desks.room.reached(lambda call: bool(call.holds), 5)
        await asyncio.sleep(1)
        await take_over(desks)
        await asyncio.sleep(2)
        assert desks.phones.talks("agent-2")
        assert desks.call.agent == "agent-2"
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert [hold.ended_at is not None for hold in call.holds] == [True]


def seconds_of(row: str) -> int:
    """A wrap-up's, of `<until>:<since>:<call>`."""
    until_at, since, _ = row.split(": ", 1)[1].split(":")
    return int(until_at) - int(since)


@pytest.mark.parametrize("control", [Control.TRANSFER, Control.CONSULT])
async def test_programs_control_who_took_over(tmp_path: Path, control: Control) -> None:
    """As they would the agent."""
    async with talking(tmp_path) as desks:
        await take_over(desks)
        await asyncio.sleep(0.5)
        await desks.room.control.do(control, desks.call.call_id, "colleague.agent-1")
        await until(lambda: desks.phones.talks("agent-1"), 8)
        if control is Control.CONSULT:
            await asyncio.sleep(0.5)
            await desks.room.control.do(Control.COMPLETE, desks.call.call_id)
        await desks.room.reached(lambda call: call.agent == "agent-1", 8)
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2", "agent-1"]
