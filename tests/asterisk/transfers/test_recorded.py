"""Callers who are recorded and given to a colleague, on a real Asterisk: who has them may pause the recording."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import Call, replace
from callrouter.core.inputs import SupervisionMode
from callrouter.core.plan import Plan
from tests.asterisk.engine_room import until
from tests.asterisk.supervision.test_recordings import PLAN, stamps
from tests.asterisk.transfers.desks import RULES, Desks, consultations_of, talking
from tests.asterisk.transfers.test_announced import consult


def recorded() -> Plan:
    """The client's callers are, and may be given to colleagues."""
    return replace(PLAN, transfers=RULES)


async def pause_and_go_on(desks: Desks) -> None:
    """agent-2 keys both codes."""
    await desks.room.reached(lambda call: call.agent == "agent-2", 8)
    await until(lambda: not desks.phones.talks("agent-1"), 5)
    await asyncio.sleep(1)
    desks.phones.telephone("agent-2").press("*7")
    await desks.room.reached(lambda call: call.recordings[-1].paused_at is not None, 5)
    await asyncio.sleep(0.5)
    desks.phones.telephone("agent-2").press("*8")
    await desks.room.reached(lambda call: call.recordings[-1].paused_at is None, 5)


async def over(desks: Desks) -> Call:
    """agent-2 hangs up."""
    desks.phones.bye("agent-2")
    return await desks.room.the_end(8)


@pytest.mark.parametrize("target", ["agent-2", "team.legal"])
async def test_given_away(tmp_path: Path, target: str) -> None:
    """By a blind transfer, to a colleague and to a team."""
    async with talking(tmp_path, recorded()) as desks:
        await asyncio.sleep(0.5)
        desks.phones.refer("agent-1", desks.uri(target))
        await pause_and_go_on(desks)
        call = await over(desks)

    assert stamps(call)[-2:] == ["paused by agent-2", "resumed by agent-2"]


@pytest.mark.parametrize("how", ["by code", "by a second call"])
async def test_announced(tmp_path: Path, how: str) -> None:
    """Once they have the caller; while they are only spoken to the code changes nothing."""
    async with talking(tmp_path, recorded()) as desks:
        if how == "by code":
            await asyncio.sleep(0.5)
            await desks.room.control.do(Control.CONSULT, desks.call.call_id, "agent-2")
            await until(lambda: any(leg.answered_at for leg in consultations_of(desks.call)), 6)
            await asyncio.sleep(0.5)
        else:
            other = await consult(desks, "agent-2")
        desks.phones.telephone("agent-2").press("*7")
        await asyncio.sleep(1.5)
        before = stamps(desks.call)
        if how == "by code":
            await desks.room.control.do(Control.COMPLETE, desks.call.call_id)
        else:
            desks.phones.refer("agent-1", desks.uri("agent-2"), replacing=other)
        await pause_and_go_on(desks)
        call = await over(desks)

    assert before == ["began"]
    assert stamps(call)[-2:] == ["paused by agent-2", "resumed by agent-2"]


async def test_taken_over(tmp_path: Path) -> None:
    """By a supervisor."""
    async with talking(tmp_path, recorded()) as desks:
        await asyncio.sleep(0.5)
        await desks.room.supervision.set(desks.call.call_id, SupervisionMode.TAKE_OVER, "agent-2")
        await pause_and_go_on(desks)
        call = await over(desks)

    assert stamps(call)[-2:] == ["paused by agent-2", "resumed by agent-2"]
