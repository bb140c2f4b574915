"""Transfers by feature codes on a real Asterisk: what an agent keys in a conversation."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import CallState, Disposition, EndedBy, LegPurpose
from tests.asterisk.engine_room import until
from tests.asterisk.transfers.desks import DOCTOR, Desks, a_plan, agents_of, consultations_of, talking


async def key(desks: Desks, keys: str, phone: str = "agent-1") -> None:
    """The agent keys this, one key after the other."""
    for one in keys:
        await desks.room.link.send(
            "PlayDTMF", {"Channel": desks.channel(phone), "Digit": one, "Duration": "80", "Receive": "1"}
        )
        await asyncio.sleep(0.15)


async def test_blind(tmp_path: Path) -> None:
    """*21, the colleague's number, #."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await key(desks, "*21")
        await asyncio.sleep(0.3)
        await key(desks, "102#")
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert call.visits[1].exit == "transferred"


async def announced(desks: Desks, target: str = "102#") -> None:
    """*22: the agent speaks to the colleague."""
    await asyncio.sleep(0.5)
    await key(desks, "*22")
    await asyncio.sleep(0.3)
    await key(desks, target)
    await until(lambda: any(leg.answered_at for leg in consultations_of(desks.call)), 8)
    await asyncio.sleep(1)


@pytest.mark.parametrize("how", ["code", "hang up"])
async def test_announced_and_completed(tmp_path: Path, how: str) -> None:
    """*23, or the agent just hangs up: the colleague has the caller."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        if how == "code":
            await key(desks, "*23")
        else:
            desks.phones.bye("agent-1")
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await asyncio.sleep(1.5)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(8)

    first, second = agents_of(call)
    (consultation,) = consultations_of(call)
    assert consultation.talk_seconds() == pytest.approx(1.3, abs=0.6)
    assert first.hold_seconds > 1
    assert second.talk_seconds() == pytest.approx(1.5, abs=0.6)
    assert second.ended_by is EndedBy.AGENT
    assert call.disposition is Disposition.ANSWERED


@pytest.mark.parametrize(("how", "seconds"), [("*23", 21), ("hang up", 21), ("taken back", 20), ("caller left", 20)])
async def test_wrap_up_after_an_announced_transfer(tmp_path: Path, how: str, seconds: int) -> None:
    """As long as the client says for transfers, if it was one."""
    async with talking(tmp_path, a_plan(wrap_up=20), seconds=8 if how == "caller left" else 25) as desks:
        await announced(desks)
        if how == "*23":
            await key(desks, "*23")
        elif how == "taken back":
            await key(desks, "*24")
            await until(lambda: not any(leg.open for leg in consultations_of(desks.call)), 5)
            await asyncio.sleep(0.5)
        elif how == "caller left":
            await desks.room.the_end(12)
            await asyncio.sleep(0.5)  # the agent's channel is told
        if how != "*23":
            desks.phones.bye("agent-1")
        await desks.place.has("paused:wrap_up")
        left = desks.place.database("wrap_up")

    (until_at, since) = re.findall(r"wrap_up/agent-1\s*: (\d+):(\d+):", left)[0]
    assert int(until_at) - int(since) == seconds


async def test_announced_and_taken_back(tmp_path: Path) -> None:
    """*24: the agent has the caller again, and the hold is over."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        await key(desks, "*24")
        await until(lambda: not any(leg.open for leg in consultations_of(desks.call)), 5)
        await asyncio.sleep(1.5)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    (first,) = agents_of(call)
    assert first.talk_seconds() == pytest.approx(2.5, abs=0.8)
    assert first.hold_seconds == pytest.approx(3, abs=1.5)
    assert call.agent == "agent-1"


@pytest.mark.parametrize("code", ["*21", "*22"])
async def test_to_a_number_outside(tmp_path: Path, code: str) -> None:
    """One of the client's contacts, by the digits of their number; at once, or after the agent has spoken to them."""
    async with talking(tmp_path) as desks:
        if code == "*22":
            await announced(desks, "0639980002#")
            spoken_to = [leg.party for leg in consultations_of(desks.call)]
            await key(desks, "*23")
        else:
            await asyncio.sleep(0.5)
            await key(desks, code)
            await asyncio.sleep(0.3)
            await key(desks, "0639980002#")
            spoken_to = []
        await desks.room.reached(lambda call: call.state is CallState.CONNECTED and bool(call.dials), 8)
        await until(lambda: not desks.phones.talks("agent-1"), 5)
        await asyncio.sleep(1)
        desks.place.pbx.cli("channel request hangup all")
        call = await desks.room.the_end(6)

    contact = next(leg for leg in call.legs if leg.purpose is LegPurpose.CONTACT)
    assert (contact.party, call.agent, call.disposition) == (DOCTOR, "agent-1", Disposition.ANSWERED)
    assert contact.talk_seconds() == pytest.approx(1, abs=0.7)
    assert spoken_to == ([DOCTOR] if code == "*22" else [])


async def test_a_colleague_who_hangs_up(tmp_path: Path) -> None:
    """The agent has the caller again."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        desks.phones.bye("agent-2")
        await until(lambda: not any(leg.open for leg in consultations_of(desks.call)), 5)
        await asyncio.sleep(1)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1"]


async def test_refused(tmp_path: Path) -> None:
    """A number that the client may not have dialled: the agent has the caller again, and nothing was dialled."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        await key(desks, "*22")
        await asyncio.sleep(0.3)
        await key(desks, "0899123456#")
        await asyncio.sleep(3)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert desks.phones.dialled == ["agent-1"]
    assert [leg.party for leg in agents_of(call)] == ["agent-1"]


async def test_an_agent_who_hangs_up_before_the_colleague_answers(tmp_path: Path) -> None:
    """The caller hears it ring, and has the colleague when they pick up."""
    async with talking(tmp_path) as desks:
        desks.phones.ring_for(3)
        await asyncio.sleep(0.5)
        await key(desks, "*22")
        await asyncio.sleep(0.3)
        await key(desks, "102#")
        await until(lambda: bool(consultations_of(desks.call)), 8)
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-1")
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        await asyncio.sleep(1)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(8)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert agents_of(call)[-1].talk_seconds() == pytest.approx(1, abs=0.5)


async def test_a_team_whose_colleague_answers_after_the_agent_has_hung_up(tmp_path: Path) -> None:
    """Their conversation is in the books, and the agent who gave the caller away is not rung again."""
    async with talking(tmp_path) as desks:
        desks.phones.ring_for(3)
        await asyncio.sleep(0.5)
        await desks.room.control.do(Control.CONSULT, desks.call.call_id, "team.legal")
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-1")
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        rung = list(desks.phones.dialled)
        await asyncio.sleep(1)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(8)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert agents_of(call)[-1].talk_seconds() == pytest.approx(1, abs=0.5)
    assert (call.disposition, call.agent) == (Disposition.ANSWERED, "agent-2")
    assert rung == desks.phones.dialled == ["agent-1", "agent-2"]


async def test_nobody_keys_a_swap(tmp_path: Path) -> None:
    """It would put the colleague on hold in no record: *25 is only digits, and the caller still waits."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        await key(desks, "*25")
        await asyncio.sleep(1)
        bridges = [line.split()[0] for line in desks.room.pbx.cli("bridge show all").splitlines() if " 2 " in line]
        peers = "".join(desks.room.pbx.cli(f"bridge show {bridge}") for bridge in bridges)
        desks.phones.bye("agent-2")
        await asyncio.sleep(1)
        desks.phones.bye("agent-1")
        await desks.room.the_end(8)

    assert "PJSIP/agent-1-" in peers
    assert "PJSIP/trunk-" not in peers


@pytest.mark.parametrize("apart_ms", [0, 2])
@pytest.mark.parametrize("last", ["agent-1", "agent-2"])
async def test_both_hang_up_in_one_instant(tmp_path: Path, last: str, apart_ms: int) -> None:
    """Asterisk leaves the caller with nobody, in a bridge of one: they go on as after any conversation."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        desks.phones.bye("agent-1" if last == "agent-2" else "agent-2")
        await asyncio.sleep(apart_ms / 1000)
        desks.phones.bye(last)
        call = await desks.room.the_end(4)

    assert call.disposition is Disposition.ANSWERED
    assert agents_of(call)[-1].ended_by is EndedBy.AGENT
