"""An agent consults somebody while their caller is on hold, and the engine is killed: the record goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callrouter.asterisk.agents.directory import RosterDirectory
from callrouter.core.call import Disposition, EndedBy
from tests.asterisk.engine_room import EngineRoom, engine_room, killed, until
from tests.asterisk.transfers.desks import Desks, a_plan, agents_of, consultations_of, talking
from tests.asterisk.transfers.test_announced import consult
from tests.asterisk.transfers.test_codes import announced, key

GONE_SECONDS = 1.0
"""For which no engine is there."""


@asynccontextmanager
async def another(desks: Desks) -> AsyncIterator[EngineRoom]:
    """It takes over what there is."""
    directory = RosterDirectory(lambda: desks.place.roster)
    async with engine_room(desks.room.pbx, a_plan(), epoch=2, directory=directory) as room:
        await room.adoption.finish(await room.adoption.run())
        yield room


async def test_a_consultation_that_ends_under_the_next_engine(tmp_path: Path) -> None:
    """It has its end; the caller is the agent's, and their hold and talk are counted as the telephones have them."""
    async with talking(tmp_path) as desks:
        other = await consult(desks, "102")
        await killed(desks.room.link, GONE_SECONDS)
        async with another(desks) as room:
            await asyncio.sleep(1)
            desks.phones.bye(other)
            await asyncio.sleep(0.5)
            desks.phones.hold("agent-1", on=False)
            await asyncio.sleep(1)
            desks.phones.bye("agent-1")
            call = await room.the_end(8)

    (first,) = agents_of(call)
    (consultation,) = consultations_of(call)
    assert call.disposition is Disposition.ANSWERED
    assert (first.party, first.ended_by) == ("agent-1", EndedBy.AGENT)
    assert first.talk_seconds() == pytest.approx(1.6, abs=0.8)
    assert consultation.party == "agent-2"
    assert not consultation.open
    assert consultation.ended_at is not None
    assert consultation.talk_seconds() == pytest.approx(3.2, abs=0.8)


async def test_a_consultation_that_ended_while_no_engine_was_there(tmp_path: Path) -> None:
    async with talking(tmp_path) as desks:
        await consult(desks, "102")
        await killed(desks.room.link, GONE_SECONDS)
        desks.phones.bye("agent-2")
        await asyncio.sleep(0.5)
        async with another(desks) as room:
            desks.phones.hold("agent-1", on=False)
            await asyncio.sleep(1)
            desks.phones.bye("agent-1")
            call = await room.the_end(8)

    (consultation,) = consultations_of(call)
    assert not consultation.open
    assert consultation.ended_at is not None
    assert [leg.party for leg in agents_of(call)] == ["agent-1"]


async def test_a_caller_who_is_given_away_under_the_next_engine(tmp_path: Path) -> None:
    """The announced transfer completes: the colleague has the caller, in one journey."""
    async with talking(tmp_path) as desks:
        other = await consult(desks, "102")
        await killed(desks.room.link, GONE_SECONDS)
        async with another(desks) as room:
            await asyncio.sleep(0.5)
            desks.phones.refer("agent-1", desks.uri("102"), replacing=other)
            await asyncio.sleep(2)
            desks.phones.bye("agent-2")
            call = await room.the_end(8)

    assert call.disposition is Disposition.ANSWERED
    assert not any(leg.open for leg in call.legs)
    assert call.agent == "agent-2"


@pytest.mark.parametrize("how", ["code", "hang up"])
async def test_one_by_feature_code_is_completed_under_the_next_engine(tmp_path: Path, how: str) -> None:
    """*23, or the agent just hangs up: the colleague has the caller, and the hold was the agent's."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        await killed(desks.room.link, GONE_SECONDS)
        async with another(desks) as room:
            now = replace(desks, room=room)
            if how == "code":
                await key(now, "*23")
            else:
                desks.phones.bye("agent-1")
            await room.reached(lambda call: call.agent == "agent-2", 6)
            await asyncio.sleep(1.5)
            desks.phones.bye("agent-2")
            call = await room.the_end(8)

    first, second = agents_of(call)
    (consultation,) = consultations_of(call)
    assert not any(leg.open for leg in call.legs)
    assert consultation.talk_seconds() == pytest.approx(2.4, abs=0.9)
    assert first.hold_seconds > 1
    assert second.talk_seconds() == pytest.approx(1.5, abs=0.6)
    assert second.ended_by is EndedBy.AGENT


async def test_one_by_feature_code_is_taken_back_under_the_next_engine(tmp_path: Path) -> None:
    """*24: the hold is over."""
    async with talking(tmp_path) as desks:
        await announced(desks)
        await killed(desks.room.link, GONE_SECONDS)
        async with another(desks) as room:
            now = replace(desks, room=room)
            await key(now, "*24")
            await until(lambda: not any(leg.open for leg in consultations_of(now.call)), 5)
            await asyncio.sleep(1.5)
            desks.phones.bye("agent-1")
            call = await room.the_end(6)

    (first,) = agents_of(call)
    assert first.talk_seconds() == pytest.approx(2.5, abs=0.8)
    assert first.hold_seconds == pytest.approx(4, abs=1.5)
    assert call.agent == "agent-1"


async def test_a_caller_whom_both_leave_under_the_next_engine_goes_on(tmp_path: Path) -> None:
    async with talking(tmp_path) as desks:
        await announced(desks)
        await killed(desks.room.link, GONE_SECONDS)
        async with another(desks) as room:
            desks.phones.bye("agent-1")
            desks.phones.bye("agent-2")
            call = await room.the_end(6)

    assert call.disposition is Disposition.ANSWERED
    assert not any(leg.open for leg in call.legs)
