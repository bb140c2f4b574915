"""Announced transfers by telephone on a real Asterisk: a second call, and REFER with Replaces."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.core.call import CallState, Disposition, EndedBy, LegPurpose
from deploy.demo.carrier import Habit
from tests.asterisk.engine_room import until
from tests.asterisk.transfers.desks import Desks, a_plan, agents_of, consultations_of, talking


async def second_call(desks: Desks, target: str) -> str:
    """agent-1 dials while they have the caller; the call's name."""
    pbx = desks.room.pbx
    return await desks.phones.call("agent-1", pbx.phone_secrets["agent-1"], target, (pbx.sip_host, pbx.sip_port))


async def consult(desks: Desks, target: str, *, hold: bool = True) -> str:
    """agent-1 puts the caller on hold, unless told otherwise, and speaks to the target."""
    phones = desks.phones
    await asyncio.sleep(0.5)
    if hold:
        phones.hold("agent-1", on=True)
        await asyncio.sleep(0.5)
    name = await second_call(desks, target)
    await until(lambda: phones.talks(name), 8)
    await asyncio.sleep(1)
    return name


async def give_to_a_team_that_rings(desks: Desks) -> None:
    """agent-1 calls a team, and gives it the caller before anybody there has answered."""
    desks.phones.ring_for(2.5)
    other = await second_call(desks, "team.legal")
    await until(lambda: desks.phones.talks(other), 5)
    await asyncio.sleep(0.5)
    desks.phones.refer("agent-1", desks.uri("team.legal"), replacing=other)


async def test_a_colleague_takes_the_caller(tmp_path: Path) -> None:
    """Hold and consultation are timed and no talk of anybody; each agent has their own talk, in one journey."""
    async with talking(tmp_path) as desks:
        other = await consult(desks, "102")
        assert consultations_of(desks.call)
        desks.phones.refer("agent-1", desks.uri("102"), replacing=other)
        await desks.room.reached(lambda call: call.agent == "agent-2", 5)
        await asyncio.sleep(2)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    first, second = agents_of(call)
    (consultation,) = consultations_of(call)
    assert (first.party, first.ended_by, second.party, second.ended_by) == ("agent-1", None, "agent-2", EndedBy.AGENT)
    assert first.talk_seconds() == pytest.approx(0.5, abs=0.4)
    assert first.hold_seconds == pytest.approx(2.2, abs=0.8)
    assert consultation.party == "agent-2"
    assert consultation.talk_seconds() == pytest.approx(1, abs=0.4)
    assert second.talk_seconds() == pytest.approx(2, abs=0.5)
    assert call.talk_seconds() == pytest.approx(2.5, abs=0.8)
    assert (call.disposition, call.agent) == (Disposition.ANSWERED, "agent-2")
    assert [visit.exit for visit in call.visits] == ["next", "transferred", "end"]


async def test_the_caller_hangs_up_first(tmp_path: Path) -> None:
    """After the transfer: it is their end, and the colleague's talk."""
    async with talking(tmp_path, seconds=6) as desks:
        other = await consult(desks, "agent-2")
        desks.phones.refer("agent-1", desks.uri("agent-2"), replacing=other)
        call = await desks.room.the_end(10)

    assert agents_of(call)[-1].party == "agent-2"
    assert agents_of(call)[-1].ended_by is EndedBy.CALLER


async def test_taken_back(tmp_path: Path) -> None:
    """The agent ends the consultation, and takes the caller off hold: nothing has changed hands."""
    async with talking(tmp_path) as desks:
        other = await consult(desks, "102")
        desks.phones.bye(other)
        await asyncio.sleep(0.5)
        desks.phones.hold("agent-1", on=False)
        await asyncio.sleep(1)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    (first,) = agents_of(call)
    assert first.talk_seconds() == pytest.approx(1.6, abs=0.6)
    assert first.hold_seconds == pytest.approx(2.7, abs=0.9)
    assert [leg.party for leg in consultations_of(call)] == ["agent-2"]
    assert call.agent == "agent-1"


async def test_a_colleague_who_hangs_up_during_the_consultation(tmp_path: Path) -> None:
    """The caller is still the agent's."""
    async with talking(tmp_path) as desks:
        await consult(desks, "102")
        desks.phones.bye("agent-2")
        await until(lambda: not any(leg.open for leg in consultations_of(desks.call)), 3)
        desks.phones.hold("agent-1", on=False)
        await asyncio.sleep(0.5)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1"]


async def test_a_target_that_hangs_up_as_the_transfer_completes(tmp_path: Path) -> None:
    """The journey ends; nobody is left in silence.

    Where Asterisk hears of the hang-up first, there is nobody to give the caller to: the agent goes on with them.
    """
    async with talking(tmp_path) as desks:
        other = await consult(desks, "102")
        desks.phones.refer("agent-1", desks.uri("102"), replacing=other)
        desks.phones.bye("agent-2")
        try:
            call = await desks.room.the_end(4)
        except AssertionError:
            assert desks.phones.talks("agent-1")
            desks.phones.bye("agent-1")
            call = await desks.room.the_end(8)

    assert call.disposition is Disposition.ANSWERED


async def test_a_callee_outside_is_put_through(tmp_path: Path) -> None:
    """The agent calls the client's doctor, and gives them the caller: a contact's leg of the journey."""
    async with talking(tmp_path) as desks:
        other = await consult(desks, "doctor")
        desks.phones.refer("agent-1", desks.uri("doctor"), replacing=other)
        await desks.room.reached(lambda call: bool(call.dials), 5)
        await asyncio.sleep(1)
        await asyncio.to_thread(desks.room.pbx.cli, "channel request hangup all")
        call = await desks.room.the_end(6)

    contact = next(leg for leg in call.legs if leg.purpose is LegPurpose.CONTACT)
    assert (contact.party, call.disposition) == ("doctor", Disposition.ANSWERED)
    assert contact.talk_seconds() == pytest.approx(1, abs=0.6)


async def test_to_a_team_after_a_colleague_has_answered(tmp_path: Path) -> None:
    """app_queue books the colleague's talk nowhere (two bridges are linked); we do."""
    async with talking(tmp_path) as desks:
        other = await consult(desks, "team.legal")
        await until(lambda: desks.phones.talks("agent-2"), 8)
        await asyncio.sleep(0.5)
        desks.phones.refer("agent-1", desks.uri("team.legal"), replacing=other)
        await desks.room.reached(lambda call: call.agent == "agent-2", 5)
        await asyncio.sleep(1.5)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [leg.party for leg in agents_of(call)] == ["agent-1", "agent-2"]
    assert agents_of(call)[-1].talk_seconds() == pytest.approx(1.5, abs=0.5)


@pytest.mark.parametrize("target", ["0899123456", "nobody", "112"])
async def test_refused(tmp_path: Path, target: str) -> None:
    """The telephone is told so, nothing is dialled, and the caller stays the agent's."""
    async with talking(tmp_path) as desks:
        name = await second_call(desks, target)
        await until(lambda: desks.phones.status(name) >= 400, 5)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    assert desks.phones.dialled == ["agent-1"]
    assert not consultations_of(call)


async def test_both_are_left_alone_afterwards(tmp_path: Path) -> None:
    """Wrap-up: of who transferred when they have, of the colleague when they are done, and of neither before."""
    async with talking(tmp_path, a_plan(wrap_up=20)) as desks:
        other = await consult(desks, "102")
        desks.phones.refer("agent-1", desks.uri("102"), replacing=other)
        await desks.place.has("paused:wrap_up")
        before = desks.place.database("wrap_up")
        await asyncio.sleep(0.5)  # who hangs up in the same instant has not had the caller
        desks.phones.bye("agent-2")
        await desks.place.has("paused:wrap_up", "legal")

    assert "wrap_up/agent-2" not in before


async def test_a_colleague_who_does_not_come(tmp_path: Path) -> None:
    """Busy: the consultation is over before it began, and the record says so."""
    async with talking(tmp_path) as desks:
        desks.place.habits["agent-2"] = Habit.BUSY
        name = await second_call(desks, "102")
        await until(lambda: desks.phones.status(name) >= 400, 5)
        await asyncio.sleep(0.3)
        desks.phones.bye("agent-1")
        call = await desks.room.the_end(6)

    (consultation,) = consultations_of(call)
    assert (consultation.party, consultation.answered_at) == ("agent-2", None)


async def test_to_a_team_before_a_colleague_has_answered(tmp_path: Path) -> None:
    """The caller takes the agent's place in the queue: they wait on, and are answered there, in the same journey."""
    async with talking(tmp_path) as desks:
        await give_to_a_team_that_rings(desks)
        await desks.room.reached(lambda call: call.state is CallState.QUEUED and len(call.queue_visits) == 2, 5)
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        await asyncio.sleep(1)
        desks.phones.bye("agent-2")
        call = await desks.room.the_end(6)

    assert [(visit.queue, visit.agent) for visit in call.queue_visits] == [("team", "agent-1"), ("legal", "agent-2")]
    assert agents_of(call)[-1].talk_seconds() == pytest.approx(1, abs=0.5)
    assert call.disposition is Disposition.ANSWERED


async def test_given_away_again_after_that(tmp_path: Path) -> None:
    """The caller has no routine any more, and reaches a colleague's telephone all the same."""
    async with talking(tmp_path) as desks:
        await give_to_a_team_that_rings(desks)
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        await asyncio.sleep(0.5)
        desks.phones.refer("agent-2", desks.uri("agent-1"))
        await until(lambda: desks.phones.dialled == ["agent-1", "agent-2", "agent-1"], 5)
        await until(lambda: desks.phones.talks("agent-1"), 5)
        await asyncio.sleep(0.5)
        assert "PJSIP/trunk-" in desks.room.pbx.cli("core show channels concise")
        desks.room.pbx.cli("channel request hangup all")
        await desks.room.the_end(6)


async def test_wrap_up_of_a_team_that_answers_after_the_transfer(tmp_path: Path) -> None:
    """They have had the caller, and no consultation."""
    async with talking(tmp_path, a_plan(wrap_up=20)) as desks:
        await give_to_a_team_that_rings(desks)
        await desks.room.reached(lambda call: call.agent == "agent-2", 8)
        await asyncio.sleep(0.5)
        before = desks.place.database("wrap_up")
        desks.phones.bye("agent-2")
        await desks.place.has("paused:wrap_up", "legal")

    assert "wrap_up/agent-2" not in before
