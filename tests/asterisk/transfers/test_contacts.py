"""Contacts who have the caller, on a real Asterisk: the caller is given to somebody else, taken back, or freed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import Call, CallState, Disposition, EndedBy, LegPurpose
from callrouter.errors import ConversationRefused
from tests.asterisk.engine_room import until
from tests.asterisk.transfers.desks import Desks, agents_of, talking
from tests.asterisk.transfers.test_announced import consult
from tests.asterisk.transfers.test_control import do


async def with_the_doctor(desks: Desks, how: str = "blind") -> None:
    """agent-1 has given the caller to the client's doctor, who talks."""
    await asyncio.sleep(0.5)
    if how == "blind":
        desks.phones.refer("agent-1", desks.uri("doctor"))
    else:
        other = await consult(desks, "doctor")
        desks.phones.refer("agent-1", desks.uri("doctor"), replacing=other)
    await desks.room.reached(lambda call: call.state is CallState.CONNECTED and bool(call.dials), 8)
    await until(lambda: not desks.phones.talks("agent-1"), 5)
    await asyncio.sleep(0.5)


def contact_of(call: Call) -> tuple[str, EndedBy | None, bool]:
    """Their leg: who, by whom it ended, and whether it is open."""
    leg = next(leg for leg in call.legs if leg.purpose is LegPurpose.CONTACT)
    return leg.party, leg.ended_by, leg.open


@pytest.mark.parametrize("how", ["blind", "announced"])
async def test_given_to_a_team(tmp_path: Path, how: str) -> None:
    """One journey; the contact is freed, and the team has the caller."""
    async with talking(tmp_path) as desks:
        await with_the_doctor(desks, how)
        await do(desks, Control.TRANSFER, "team.legal")
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        await asyncio.sleep(0.5)
        left = desks.room.pbx.cli("core show channels concise")
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert "33639980002" not in left
    assert contact_of(call) == ("doctor", None, False)
    assert [visit.queue for visit in call.queue_visits] == ["team", "legal"]
    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert call.disposition is Disposition.ANSWERED


async def test_taken_back(tmp_path: Path) -> None:
    """By the agent who gave them away: their telephone rings."""
    async with talking(tmp_path) as desks:
        await with_the_doctor(desks)
        await do(desks, Control.TAKE_BACK)
        await desks.room.reached(lambda call: len(agents_of(call)) == 2, 8)
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-1"]
    assert contact_of(call) == ("doctor", None, False)
    assert desks.phones.dialled == ["agent-1", "agent-1"]


async def test_hung_up(tmp_path: Path) -> None:
    """The conversation is over as if the doctor had hung up."""
    async with talking(tmp_path) as desks:
        await with_the_doctor(desks)
        await do(desks, Control.HANG_UP)
        call = await desks.room.the_end(6)
        await until(lambda: "0 active channels" in desks.room.pbx.cli("core show channels count"), 5)

    assert contact_of(call)[2] is False
    assert [visit.exit for visit in call.visits] == ["next", "transferred", "end"]
    assert call.disposition is Disposition.ANSWERED


async def test_what_cannot_be_done_says_why_and_changes_nothing(tmp_path: Path) -> None:
    """Nobody is there who could hold, consult or key."""
    async with talking(tmp_path) as desks:
        await with_the_doctor(desks)
        for control, detail in [
            (Control.HOLD, ""),
            (Control.RESUME, ""),
            (Control.CONSULT, "102"),
            (Control.COMPLETE, ""),
            (Control.KEYPAD, "1"),
        ]:
            with pytest.raises(ConversationRefused, match="the caller talks to doctor, outside"):
                await do(desks, control, detail)
        with pytest.raises(ConversationRefused, match="nobody is called so"):
            await do(desks, Control.TRANSFER, "nobody")
        desks.place.roster.log_out("agent-1")
        with pytest.raises(ConversationRefused, match="agent agent-1 is not logged in"):
            await do(desks, Control.TAKE_BACK)
        await asyncio.sleep(0.5)
        still = desks.call.state
        await do(desks, Control.HANG_UP)
        await desks.room.the_end(6)

    assert still is CallState.CONNECTED


async def test_an_agents_conversation_is_hung_up(tmp_path: Path) -> None:
    """As if the agent had; not while their caller is on hold by code, who would be given away."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await do(desks, Control.HOLD)
        with pytest.raises(ConversationRefused, match="take them back first"):
            await do(desks, Control.HANG_UP)
        await do(desks, Control.RESUME)
        await asyncio.sleep(0.5)
        await do(desks, Control.HANG_UP)
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1"]
    assert call.disposition is Disposition.ANSWERED
