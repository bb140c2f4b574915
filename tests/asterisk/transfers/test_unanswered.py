"""Callers who were given away before anybody answered, and whom nobody answers: with an engine and without."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import CallState, DialOutcome, QueueOutcome
from tests.asterisk.engine_room import DID, killed, until
from tests.asterisk.transfers.desks import Desks, agents_of, talking

FALLBACK_SECONDS = 25.0
"""Two leases of a dead engine, and a ring."""


async def second_call(desks: Desks, target: str) -> str:
    """agent-1 puts the caller on hold and calls the target, who rings; the name of that call."""
    phones, pbx = desks.phones, desks.room.pbx
    phones.hold("agent-1", on=True)
    name = await phones.call("agent-1", pbx.phone_secrets["agent-1"], target, (pbx.sip_host, pbx.sip_port))
    await until(lambda: phones.dialled.count("agent-2") == 1 and bool(phones.ringing(name)), 9)
    await asyncio.sleep(0.5)
    return name


async def served_again(desks: Desks) -> None:
    """Whoever rings says no, and the caller reaches agent-1 by the queue of the fallback."""
    await until(lambda: not desks.phones.talks("agent-1"), 5)
    await asyncio.sleep(0.5)
    desks.phones.ring_for(0.5)
    desks.phones.decline("agent-2")
    await until(lambda: desks.phones.talks("agent-1"), FALLBACK_SECONDS)
    await asyncio.sleep(0.5)
    assert "PJSIP/trunk-" in desks.place.pbx.cli("core show channels concise")


@pytest.mark.parametrize("engine", [True, False])
async def test_by_a_second_call(tmp_path: Path, engine: bool) -> None:
    """REFER with Replaces of a call that rings: the client's fallback serves the caller."""
    async with talking(tmp_path, seconds=28) as desks:
        desks.phones.ring_for(60)
        desks.place.pbx.cli(f"database put callrouter/fallback {DID} queue:team")
        if not engine:
            await killed(desks.room.link)
        name = await second_call(desks, "agent-2")
        desks.phones.refer("agent-1", f"{desks.uri('agent-2')}?Replaces={desks.phones.ringing(name)}")
        await served_again(desks)
        if engine:
            desks.phones.bye("agent-1")
            call = await desks.room.the_end(6)
            assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-1"]
            assert [visit.exit for visit in call.visits] == ["next", "transferred", "control lost"]
            assert call.dials[0].outcome is DialOutcome.FAILED

    assert desks.phones.dialled == ["agent-1", "agent-2", "agent-1"]


async def test_of_a_team(tmp_path: Path) -> None:
    """The same where the second call waits for a team, whose last member leaves."""
    async with talking(tmp_path, seconds=28) as desks:
        desks.phones.ring_for(60)
        pbx = desks.place.pbx
        pbx.cli(f"database put callrouter/fallback {DID} queue:team")
        name = await desks.phones.call(
            "agent-1", pbx.phone_secrets["agent-1"], "team.legal", (pbx.sip_host, pbx.sip_port)
        )
        await until(lambda: desks.phones.talks(name) and "agent-2" in desks.phones.dialled, 9)
        await asyncio.sleep(0.3)
        desks.phones.refer("agent-1", desks.uri("team.legal"), replacing=name)
        await desks.room.reached(lambda call: call.state is CallState.QUEUED and len(call.queue_visits) == 2, 5)
        desks.place.roster.log_out("agent-2")
        await served_again(desks)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-1"]
    assert [visit.outcome for visit in call.queue_visits[:2]] == [QueueOutcome.ANSWERED, QueueOutcome.FAILED]


@pytest.mark.parametrize("engine", [True, False])
async def test_by_code(tmp_path: Path, engine: bool) -> None:
    """The agent hangs up while it rings: they come back to the agent with an engine, and to the fallback without."""
    async with talking(tmp_path, seconds=28) as desks:
        desks.phones.ring_for(60)
        desks.place.pbx.cli(f"database put callrouter/fallback {DID} queue:team")
        await asyncio.sleep(0.5)
        await desks.room.control.do(Control.CONSULT, desks.call.call_id, "agent-2")
        await until(lambda: "agent-2" in desks.phones.dialled, 5)
        if not engine:
            await killed(desks.room.link)
        desks.phones.bye("agent-1")
        await served_again(desks)

    assert desks.phones.dialled == ["agent-1", "agent-2", "agent-1"]
