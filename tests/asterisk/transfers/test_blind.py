"""Blind transfers by REFER on a real Asterisk: every target, each refusal, and what the record says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.core.call import CallState, Disposition, EndedBy, LegPurpose, QueueOutcome
from callrouter.core.facts import CallTransferred
from deploy.demo.carrier import Habit
from tests.asterisk.engine_room import killed, until
from tests.asterisk.transfers.desks import DOCTOR, a_plan, agents_of, talking


@pytest.mark.parametrize("target", ["agent-2", "102", "colleague.agent-2"])
async def test_to_a_colleague(tmp_path: Path, target: str) -> None:
    """They have the caller, and their own talk time; when they hang up the journey ends as one that was answered."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(1)
        desks.place.phones.refer("agent-1", desks.uri(target))
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        await until(lambda: not desks.place.phones.talks("agent-1"), 3)
        await asyncio.sleep(2)
        desks.place.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    first, second = agents_of(call)
    assert (first.party, first.ended_by, second.party, second.ended_by) == ("agent-1", None, "agent-2", EndedBy.AGENT)
    assert first.talk_seconds() == pytest.approx(1, abs=0.5)
    assert second.talk_seconds() == pytest.approx(2, abs=0.5)
    assert (call.disposition, call.agent) == (Disposition.ANSWERED, "agent-2")
    assert [visit.exit for visit in call.visits] == ["next", "transferred", "end"]


async def test_to_a_team(tmp_path: Path) -> None:
    """The caller waits there and is answered there; both queue visits stand in the one journey."""
    async with talking(tmp_path) as desks:
        desks.place.phones.refer("agent-1", desks.uri("team.legal"))
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        await asyncio.sleep(1)
        desks.place.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [(visit.queue, visit.outcome) for visit in call.queue_visits] == [
        ("team", QueueOutcome.ANSWERED),
        ("legal", QueueOutcome.ANSWERED),
    ]
    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]


@pytest.mark.parametrize("target", ["doctor", "+33639980002", "0639980002"])
async def test_outside(tmp_path: Path, target: str) -> None:
    """A contact of the client's, and a number that it may have dialled."""
    async with talking(tmp_path) as desks:
        desks.place.phones.refer("agent-1", desks.uri(target))
        await desks.room.reached(lambda call: call.state is CallState.CONNECTED and bool(call.dials), 6)
        await asyncio.sleep(1)
        desks.place.pbx.cli("channel request hangup all")
        call = await desks.room.the_end(6)

    contact = next(leg for leg in call.legs if leg.purpose is LegPurpose.CONTACT)
    assert (contact.party, call.disposition) == ("doctor" if target == "doctor" else DOCTOR, Disposition.ANSWERED)
    assert contact.talk_seconds() == pytest.approx(1, abs=0.6)


async def test_back_into_the_tree(tmp_path: Path) -> None:
    """The tree goes on at that node, as if it led there."""
    async with talking(tmp_path) as desks:
        desks.place.phones.refer("agent-1", desks.uri("word"))
        call = await desks.room.the_end(6)

    assert [(visit.node, visit.exit) for visit in call.visits[1:]] == [
        ("team", "transferred"),
        ("word", "next"),
        ("bye", "end"),
    ]
    assert call.disposition is Disposition.ANSWERED


@pytest.mark.parametrize(
    ("target", "host", "why"),
    [
        ("0899123456", "", "it is neither a fixed line nor a mobile, and may cost more than a call"),
        ("nobody", "", "nobody is called so, and it is no telephone number"),
        ("agent-2", "192.0.2.7", "it is at another PBX"),
    ],
)
async def test_who_is_refused_comes_back(tmp_path: Path, target: str, host: str, why: str) -> None:
    """The agent's telephone rings again, and they have the caller; nothing is ever dialled."""
    async with talking(tmp_path) as desks:
        await asyncio.sleep(0.5)
        desks.place.phones.refer("agent-1", desks.uri(target, host))
        await desks.room.reached(lambda call: bool(call.dials) and call.state is CallState.CONNECTED, 6)
        await asyncio.sleep(0.5)
        desks.place.phones.bye("agent-1")
        call = await desks.room.the_end(6)
        told = [fact for fact in desks.room.seen if isinstance(fact, CallTransferred)]

    assert [(one.by, one.refusal) for one in told] == [("agent-1", why)]
    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-1"]
    assert desks.place.phones.dialled == ["agent-1", "agent-1"]


async def test_a_colleague_who_is_not_there(tmp_path: Path) -> None:
    """Busy: the caller comes back to who gave them away; they do not answer either: the client's fallback."""
    async with talking(tmp_path) as desks:
        desks.place.habits["agent-2"] = desks.place.habits["agent-1"] = Habit.BUSY
        desks.place.phones.refer("agent-1", desks.uri("agent-2"))
        call = await desks.room.the_end(8)

    assert desks.place.phones.dialled == ["agent-1", "agent-2", "agent-1"]
    assert [visit.exit for visit in call.visits] == ["next", "transferred", "given back", "failed", "next", "end"]
    assert call.disposition is Disposition.ANSWERED


async def test_both_are_left_alone_afterwards(tmp_path: Path) -> None:
    """Wrap-up: of who transferred, with its own time, and of the colleague, who is of another team."""
    async with talking(tmp_path, a_plan(wrap_up=20)) as desks:
        desks.place.phones.refer("agent-1", desks.uri("agent-2"))
        await desks.place.has("paused:wrap_up")
        await desks.room.reached(lambda call: call.agent == "agent-2", 6)
        desks.place.phones.bye("agent-2")
        await desks.place.has("paused:wrap_up", "legal")
        left = desks.place.database("wrap_up")

    assert "wrap_up/agent-1" in left
    assert "wrap_up/agent-2" in left


async def test_without_an_engine_colleagues_only(tmp_path: Path) -> None:
    """The caller is rung through to a colleague's telephone when the lease is over; nobody else is reached."""
    async with talking(tmp_path) as desks:
        await killed(desks.room.link)
        desks.place.phones.refer("agent-1", desks.uri("agent-2"))
        await until(lambda: desks.place.phones.talks("agent-2"), AFTER_ROUTINE_LEASE_SECONDS + 4)
        desks.place.phones.bye("agent-2")
        await until(lambda: "0 active channels" in desks.place.pbx.cli("core show channels count"), 6)

    assert desks.place.phones.dialled == ["agent-1", "agent-2"]
