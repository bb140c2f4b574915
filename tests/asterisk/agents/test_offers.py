"""Who lets a call ring, or refuses it, on a real Asterisk; and what an agent's telephone shows of a call."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from callrouter.core.agents.standing import TOO_MANY_MISSED, AgentState
from callrouter.core.call import replace
from callrouter.core.effects import Sound
from deploy.demo.carrier import Habit
from tests.asterisk.agents.workplace import TEAM, a_pbx, at_work, crew_of
from tests.asterisk.callers import Callers
from tests.asterisk.engine_room import DID, until

TWO = ("agent-1", "agent-2")
LEAST_RECENT = "[team](line)\nstrategy = leastrecent\ntimeout = 2\n"
"""Rings the same agent again and again: only an answered call changes whose turn it is (app_queue.c, calc_metric)."""


async def test_the_same_call_goes_to_another_one_first(tmp_path: Path) -> None:
    """Even where Asterisk's strategy would ring the same agent again; who missed it is back for the next call."""
    async with a_pbx(tmp_path, TWO, LEAST_RECENT) as there, at_work(*there, crew_of(*TWO)) as (place, room):
        place.habits["agent-1"] = Habit.RINGS
        place.habits["agent-2"] = Habit.BUSY
        for name in TWO:
            place.roster.log_in(name, name)
        await until(lambda: len(place.members()) == 2, 5)
        await room.call("leave-60")
        await until(lambda: len(place.phones.dialled) >= 5, 30)
        rung = list(place.phones.dialled)
        place.habits["agent-1"] = Habit.ANSWERS
        await room.reached(lambda call: call.agent == "agent-1", 20)
        await until(lambda: not any("paused" in line for line in place.members()), 6)

    assert all(first != second for first, second in pairwise(rung)), rung
    assert place.roster.standing(place.roster.agent("agent-2")).state is AgentState.READY
    assert {one.kind for one in place.told} == {"login"}


async def test_the_only_one_is_rung_again_at_once(tmp_path: Path) -> None:
    """Nobody else is free: nothing is gained by leaving them out."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, room):
        place.habits["agent-1"] = Habit.RINGS
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        await room.call("leave-20")
        began = asyncio.get_running_loop().time()
        await until(lambda: len(place.phones.dialled) == 2, 10)
        waited = asyncio.get_running_loop().time() - began

    assert waited < 2 + 1 + 1.5  # a ring, the pause, and app_queue's look once a second


async def test_so_many_in_a_row_are_a_pause(tmp_path: Path) -> None:
    """Three, refused or rung out; an answer in between counts them anew."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO, misses=3)) as (place, room):
        place.habits["agent-1"] = Habit.BUSY
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        await room.call("leave-30")
        await until(lambda: len(place.phones.dialled) == 2, 10)
        place.habits["agent-1"] = Habit.ANSWERS
        await room.reached(lambda call: call.agent == "agent-1", 10)
        await asyncio.to_thread(there[0].cli, "channel request hangup all")
        await until(lambda: not room.live, 5)
        place.habits["agent-1"] = Habit.BUSY
        before = len(place.phones.dialled)
        await room.call("leave-30")
        await place.has(f"paused:{TOO_MANY_MISSED}", seconds=15)
        rung = len(place.phones.dialled) - before
        paused = next(one for one in place.told if one.kind == "pause")

    assert rung == 3
    assert paused.reason == TOO_MANY_MISSED


async def test_an_agent_sees_for_whom_they_answer(tmp_path: Path) -> None:
    """In the display name, before the caller's own, and in headers; the caller's number stays the number."""
    plan = replace(
        TEAM,
        name='Étude "Noir", Lenoir: notaires?',
        answer_phrase="Étude Lenoir, bonjour",
        phrase_sounds=(Sound(file="beep", seconds=0.2, text="Étude Lenoir, bonjour"),),
    )
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO), plan) as (place, room):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        with Callers(there[0], tmp_path) as callers:
            callers.call("talk", DID, hold_ms=8000, number="+33612345678", name="Jean: (a?)")
            call = await room.reached(lambda call: call.agent == "agent-1")
        invite = place.phones.invites[0]

    assert invite["from"].startswith(r'"Étude \"Noir\", Lenoir: notaires? – Jean: (a?)" <sip:+33612345678@')
    assert invite["x-callrouter-call"] == call.call_id
    assert invite["x-callrouter-client"] == "test"
    assert invite["x-callrouter-phrase"] == "Étude Lenoir, bonjour"
    assert invite["x-callrouter-whisper"] == "Étude Lenoir, bonjour"
    assert call.caller.name == "Jean: (a?)"


async def test_of_who_hides_only_the_client_is_shown(tmp_path: Path) -> None:
    """No number, and nothing in its place."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, room):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        caller = f"Local/withheld{DID}@test-caller/n extension leave-5@test-caller"
        await asyncio.to_thread(there[0].cli, f"channel originate {caller}")
        await room.reached(lambda call: call.agent == "agent-1")
        shown = place.phones.invites[0]["from"]

    assert shown.startswith('"Test" <sip:unavailable@')
