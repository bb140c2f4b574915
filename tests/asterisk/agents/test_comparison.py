"""What Asterisk lost, did alone, or was told by hand, and what the files changed: the roster finds out, and mends
it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from callrouter.asterisk.agents import comparison
from callrouter.core.agents.standing import AgentState, Crew
from deploy.demo.carrier import Habit
from tests.asterisk.agents.workplace import KNOWN_SECONDS, a_pbx, at_desk, at_work, crew_of
from tests.asterisk.engine_room import until

TWO = ("agent-1", "agent-2")
DESK = "[desk](team)\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"


async def test_the_next_engine_knows_where_everybody_stands(tmp_path: Path) -> None:
    """State, reason, since when: nobody has to log in again, and the record goes on with the same sessions."""
    async with a_pbx(tmp_path, TWO) as there:
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            place.roster.log_in("agent-1", "agent-2")
            place.roster.pause("agent-1", "lunch")
            await place.has("paused:lunch")
            before, told = place.roster.standing(place.roster.agent("agent-1")), list(place.told)
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            after = place.roster.standing(place.roster.agent("agent-1"))
            place.roster.ready("agent-1")
            ended = place.told[-1]

    assert after == before
    assert [one.session_id for one in place.told] == [*(one.session_id for one in told), told[-1].session_id]
    assert ended.ended_at is not None


async def test_a_pbx_that_starts_again_has_them_back(tmp_path: Path) -> None:
    """Members, pauses of those of queues.conf, and penalties, which Asterisk forgets (`QueuePenalty` is not kept)."""
    crew, desk = crew_of("agent-2", penalty=3), at_desk("agent-1")
    both = type(crew)(agents={**crew.agents, **desk.agents}, pauses=crew.pauses)
    queues = f"[team](team)\n{DESK}"
    async with a_pbx(tmp_path, TWO, queues) as there, at_work(*there, both) as (place, _):
        pbx = there[0]
        place.roster.log_in("agent-2", "agent-2")
        place.roster.pause("agent-1", "lunch")
        await place.has("paused:lunch", "desk")
        await place.has("with penalty 3")
        connections = place.link.counters.connections
        await asyncio.to_thread(pbx.restart)
        await until(lambda: place.link.counters.connections > connections, 15)
        place.comparison.look_soon(afresh=True)
        pbx.cli("queue set penalty 9 on PJSIP/agent-2 in team")
        await place.comparison.look()
        await place.has("paused:lunch", "desk")
        await place.has("with penalty 3")

    assert place.roster.standing(place.roster.agent("agent-1")).state is AgentState.PAUSED


async def test_what_agents_key_in_without_an_engine(tmp_path: Path) -> None:
    """Asterisk pauses, resumes and logs out by itself; nobody logs in; the next engine has all of it, as of when it
    was.
    """
    async with a_pbx(tmp_path, TWO) as there:
        pbx = there[0]
        pbx.cli("dialplan set global CR_ADMISSION 0.3")
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            for name in TWO:
                place.roster.log_in(name, name)
            await until(lambda: len(place.members()) == 2, 5)
        await alone(place.pbx, "agent-1", "*122")
        await alone(place.pbx, "agent-2", "*11")
        paused = place.members()
        await alone(place.pbx, "agent-2", "*13")  # nobody is back without a PIN
        still = place.members()
        await alone(place.pbx, "agent-2", "*10")
        asked = place.database("asked")
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            await until(lambda: len(place.members()) == 1, 5)
            standings = {name: place.roster.standing(place.roster.agent(name)) for name in TWO}
            left = place.database("asked")
            ended = [(one.agent, one.kind) for one in place.told if one.ended_at]

    assert any("paused:training" in line for line in paused)
    assert any("agent-2" in line and "paused:logged_out" in line for line in still)
    assert "pause:02:" in asked
    assert "log_out:0:" in asked
    assert "0 results" in left
    assert (standings["agent-1"].state, standings["agent-1"].reason) == (AgentState.PAUSED, "training")
    assert standings["agent-2"].state is AgentState.LOGGED_OUT
    assert ended == [("agent-2", "login")]


async def alone(pbx: object, phone: str, code: str) -> None:
    """A telephone dials a code, and nobody but Asterisk is there."""
    cli = pbx.cli  # type: ignore[attr-defined]
    await asyncio.to_thread(cli, f"channel originate PJSIP/{phone} extension {code}@callrouter-phones")
    await asyncio.sleep(1.5)
    await until(lambda: f"PJSIP/{phone}-" not in cli("core show channels concise"), 12)


async def test_by_hand_at_the_console(tmp_path: Path) -> None:
    """A pause is taken for theirs; a member who is not logged in is none; who is taken out comes back."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        pbx = there[0]
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        pbx.cli("queue pause member PJSIP/agent-1 queue team reason fire-drill")
        pbx.cli("queue add member PJSIP/agent-2 to team penalty 0 as agent-2")
        await place.comparison.look()
        await until(lambda: len(place.members()) == 1, 5)
        paused = place.roster.standing(place.roster.agent("agent-1"))
        place.roster.ready("agent-1")
        pbx.cli("queue remove member PJSIP/agent-1 from team")
        await place.comparison.look()
        await until(lambda: len(place.members()) == 1, 5)

    assert (paused.state, paused.reason) == (AgentState.PAUSED, "fire-drill")


async def test_who_left_the_files_is_taken_out(tmp_path: Path) -> None:
    """While nobody looked: the telephone they were logged in at is free, and rings for the next one only."""
    async with a_pbx(tmp_path, TWO) as there:
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            place.roster.log_in("agent-1", "agent-2")
            await place.has("agent-1 (PJSIP/agent-2)")
        async with at_work(*there, crew_of("agent-2")) as (place, _):
            await until(lambda: not place.members(), 5)
            place.roster.log_in("agent-2", "agent-2")
            await place.has("agent-2")
            members = place.members()

    assert len(members) == 1
    assert "agent-1" not in members[0]


async def test_a_telephone_that_vanishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is seen to be gone; who is logged in there is logged out once it stays away."""
    monkeypatch.setattr(comparison, "PHONE_GONE", timedelta(seconds=1))
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        place.habits["agent-1"] = Habit.DEAD
        await until(lambda: "Unavail" in place.pbx.cli("pjsip show contacts"), KNOWN_SECONDS)
        await place.comparison.look()
        gone = dict(place.roster.gone_since)
        await asyncio.sleep(1.1)
        await place.comparison.look()
        standing = place.roster.standing(place.roster.agent("agent-1"))

    assert set(gone) == {"agent-1"}
    assert standing.state is AgentState.LOGGED_OUT
    assert place.told[-1].ended_by == "phone gone"


async def test_while_nobody_knows_who_answers_everybody_stays(tmp_path: Path) -> None:
    """An engine that starts with files that are wrong takes nobody out, and forgets nobody."""
    async with a_pbx(tmp_path, TWO) as there:
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            place.roster.log_in("agent-1", "agent-1")
            await place.has("agent-1")
        async with at_work(*there, Crew()) as (place, _):
            await place.comparison.look()
            members = place.members()
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            after = place.roster.standing(place.roster.agent("agent-1"))

    assert len(members) == 1
    assert after.phone == "agent-1"
