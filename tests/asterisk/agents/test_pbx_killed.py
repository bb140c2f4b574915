"""A PBX that is killed: whoever was logged in, paused or in wrap-up is so again when it is back, and who waited has one
record.

A killed Asterisk runs no hangup handler, and loses about the last second of AstDB (members' pauses and the engine's
notes alike): what it has lost, the engine that lived through it knows.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from callrouter.core.agents.standing import AgentState, Standing
from callrouter.core.call import Disposition
from tests.asterisk.agents.workplace import TEAM, Workplace, a_pbx, at_work, crew_of, with_wrap_up
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EngineRoom, killed, until

CREW = ("agent-1", "agent-2", "agent-3")
WRAP_UP_SECONDS = 60
ON_DISK_SECONDS = 1.5
"""AstDB is written to the disk once a second (db.c, db_sync_thread)."""


async def all_states(place: Workplace, room: EngineRoom) -> None:
    """The first agent is in wrap-up, the second paused, the third logged out again; a caller waits for them."""
    for name in CREW:
        place.roster.log_in(name, name)
    await until(lambda: len(place.members()) == len(CREW), 5)
    place.roster.log_out("agent-3")
    place.roster.pause("agent-2", "lunch")
    await place.has("paused:lunch")
    await room.call("leave-1")
    await place.has("paused:wrap_up", seconds=12)
    await room.call("leave-90")
    await room.reached(lambda call: bool(call.queue_visits))


def standings(place: Workplace) -> dict[str, Standing]:
    return {name: place.roster.standing(place.roster.agent(name)) for name in CREW}


def shown(place: Workplace) -> dict[str, str]:
    """What Asterisk says of each member: why they are paused; nothing of whom it does not have."""
    found = {}
    for line in place.members():
        name = next(name for name in CREW if name in line)
        _, _, reason = line.partition("(paused:")
        found[name] = reason.partition(" ")[0].partition(")")[0]
    return found


async def killed_and_back(pbx: Pbx) -> None:
    await asyncio.to_thread(pbx.kill)
    await asyncio.to_thread(pbx.restart)


async def test_an_engine_that_lives_has_them_all_where_they_were(tmp_path: Path) -> None:
    """Also the pause of the last moment, which Asterisk's disk never had. No session ends, and none begins anew."""
    plan = with_wrap_up(TEAM, WRAP_UP_SECONDS)
    async with a_pbx(tmp_path, CREW) as there, at_work(*there, crew_of(*CREW), plan) as (place, room):
        await all_states(place, room)
        place.roster.pause("agent-2", "training")
        before, told, connections = standings(place), list(place.told), place.link.counters.connections
        await killed_and_back(there[0])
        await until(lambda: place.link.counters.connections > connections, 15)
        await room.switch.resync(room.calls.call_of)
        place.comparison.look_soon(afresh=True)
        await place.comparison.look()
        await place.has("paused:training")
        members, after, sessions, noted = shown(place), standings(place), list(place.told), place.database("wrap_up")
        waited = room.ended[-1]

    assert after == before
    assert [one.state for one in after.values()] == [AgentState.WRAP_UP, AgentState.PAUSED, AgentState.LOGGED_OUT]
    assert members == {"agent-1": "wrap_up", "agent-2": "training"}
    assert sessions == told
    assert noted.count("/wrap_up/") == noted.count("/wrap_up/agent-1") == 1
    assert [call.disposition for call in room.ended] == [Disposition.ANSWERED, Disposition.ABANDONED]
    assert (waited.queue_visits[0].left_at, waited.agent) == (waited.clocks.ended_at, None)


async def test_the_next_engine_has_them_too(tmp_path: Path) -> None:
    """Both are gone at once: what was on Asterisk's disk tells the next engine; a wrap-up ends when it would have."""
    plan = with_wrap_up(TEAM, WRAP_UP_SECONDS)
    async with a_pbx(tmp_path, CREW) as there:
        pbx = there[0]
        async with at_work(*there, crew_of(*CREW), plan) as (place, room):
            await all_states(place, room)
            before, sessions = standings(place), {one.session_id for one in place.told if one.ended_at is None}
            await asyncio.sleep(ON_DISK_SECONDS)
            await killed(place.link)
            await killed_and_back(pbx)
        async with at_work(*there, crew_of(*CREW), plan) as (place, _):
            await place.has("paused:wrap_up")
            members, after = shown(place), standings(place)
            again = {one.session_id for one in place.told if one.ended_at is None}
            place.roster.ready("agent-1")
            await until(lambda: shown(place)["agent-1"] == "", 5)

    assert {name: (one.state, one.phone, one.reason, one.until_at) for name, one in after.items()} == {
        name: (one.state, one.phone, one.reason, one.until_at) for name, one in before.items()
    }
    assert members == {"agent-1": "wrap_up", "agent-2": "lunch"}
    assert again <= sessions
