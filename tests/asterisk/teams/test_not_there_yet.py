"""Plans whose derived queues the PBX does not have, because its unit has not been heard of: who serves the callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.core.call import QueueOutcome
from deploy.demo.carrier import Habit
from tests.asterisk.engine_room import EngineRoom, engine_room, until
from tests.asterisk.teams.test_derived import Site, a_site, number, wanted


@asynccontextmanager
async def without_derived(folder: Path) -> AsyncIterator[Site]:
    """The PBX has the team, and no queue derived from it."""
    teams, _ = wanted(folder / "before", wants={"plain": ""})
    async with a_site(folder, {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}, rendered=teams) as site:
        yield site


async def test_who_prefers_agents_reaches_the_team(tmp_path: Path) -> None:
    """With an engine, and by the fallback without; what is missing is said, with what becomes of callers."""
    async with without_derived(tmp_path) as site:
        async with engine_room(site.pbx, site.plans["bruno-first"]) as room:
            agent, seconds = await site.served(room)
            check = QueueCheck(
                room.link,
                lambda: site.plans,
                lambda: site.teams,
                due=asyncio.Event(),
                link_up=lambda: True,
                on_checked=lambda *_: None,
            )
            await check.look()
            visits = room.ended[0].queue_visits
        site.pbx.cli(f"database put callrouter/fallback {number('bruno-first')} queue:sales.bruno")
        rung = len(site.phones.dialled)
        await EngineRoom.call(room, "leave-30", number("bruno-first"))
        await until(lambda: len(site.phones.dialled) > rung, 15)

    assert agent in ("anne", "bruno")
    assert seconds < 3
    assert [(visit.queue, visit.outcome) for visit in visits] == [("sales", QueueOutcome.ANSWERED)]
    assert check.trouble is not None
    assert '"sales.bruno"' in check.trouble
    assert "whoever is sent there is offered to the whole team" in check.trouble
    assert "whoever is sent there waits until it is there" in check.trouble


async def test_who_wants_somebody_never_waits_for_the_queue(tmp_path: Path) -> None:
    """Neither are they offered to that agent, nor do they overflow: the queue comes, and the others are rung."""
    async with without_derived(tmp_path) as site, engine_room(site.pbx, site.plans["never-anne"]) as room:
        await room.call("leave-30")
        await until(lambda: any("sales" in visit.queue for call in room.live for visit in call.queue_visits), 5)
        await asyncio.sleep(2)
        meanwhile = [*site.phones.dialled]
        await asyncio.to_thread(site.applier.apply, site.teams)
        call = await room.reached(lambda call: call.agent is not None, 8)

    assert meanwhile == []
    assert call.agent == "bruno"
    assert site.phones.dialled == ["bruno"]


def waiting(site: Site) -> list[str]:
    """The channels of those who wait for a queue that is not there."""
    shown = site.pbx.cli("core show channels concise").splitlines()
    return [line.split("!")[0] for line in shown if "!callrouter-queue-there!" in line]


async def test_a_queue_that_never_comes(tmp_path: Path) -> None:
    """The caller's longest wait is over in time, and the tree goes on as after any."""
    async with without_derived(tmp_path) as site, engine_room(site.pbx, site.plans["never-anne"]) as room:
        await room.call("leave-30")
        await until(lambda: bool(waiting(site)), 5)
        [entry] = waiting(site)
        await room.link.send("Setvar", {"Channel": entry, "Variable": "CR_QUEUE_WAIT", "Value": "2"})
        call = await room.the_end(6)

    assert site.phones.dialled == []
    assert [visit.outcome for visit in call.queue_visits] != [QueueOutcome.ANSWERED]
    assert call.visits[-1].node == "bye"
