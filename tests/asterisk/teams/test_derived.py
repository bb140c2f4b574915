"""Whom a client wants of a team, from its file to the telephones of a real Asterisk; without an engine, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.teams.applier import Applier
from callrouter.asterisk.teams.console import Console
from callrouter.asterisk.teams.document import Teams, folder_teams
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.asterisk.waiting.looks import look
from callrouter.core.inputs import QueueLook
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.folder.derived_bound import derived_of
from callrouter.dialplan.folder.files import load_shared
from callrouter.dialplan.shared.derived import derived_queues
from callrouter.testing import TUESDAY_10
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, EngineRoom, engine_room, until
from tests.patience import START_SECONDS

RING_SECONDS = 3
CLIENT = """client: {name}
numbers: ["{number}"]
timezone: Europe/Paris
language: fr
fallback: {{ queue: sales }}
{agents}
start: hello
nodes:
  hello: {{ answer: {{ next: desk }} }}
  desk: {{ queue: {{ name: sales, max_wait: 60s, overflow: bye }} }}
  bye: {{ hangup: {{}} }}
"""
WANTS = {
    "plain": "",
    "bruno-first": "agents: { sales: { prefer: [bruno] } }",
    "bruno-for-long": f"agents: {{ sales: {{ prefer: [bruno], next_level: {RING_SECONDS + 1}s }} }}",
    "never-anne": "agents: { sales: { never: [anne] } }",
    "never-anne-either": "agents: { sales: { never: anne } }",
}
"""By client, what it wants of the team."""


def wanted(
    folder: Path, members: str = "anne, bruno", wants: Mapping[str, str] = WANTS
) -> tuple[Teams, dict[str, Plan]]:
    """What a PBX is to have for these clients, and their plans."""
    (folder / "shared").mkdir(parents=True, exist_ok=True)
    team = f"{{ members: [{members}], ring: {RING_SECONDS}s, strategy: leastrecent, weight: 2, "
    team += "accepted: { short-ring: a test has no time } }"
    (folder / "shared" / "queues.yaml").write_text(f"queues:\n  sales: {team}\n")
    for place, (name, agents) in enumerate(wants.items()):
        text = CLIENT.format(name=name, number=f"01 99 00 00 {10 + place}", agents=agents)
        (folder / f"{name}.yaml").write_text(text)
    catalogue, shared = load_directory(folder, PaperSpeech(), now=TUESDAY_10), load_shared(folder)
    assert [str(issue) for issue in catalogue.issues] == []
    queues = {**shared.queues, **derived_queues(shared.queues, derived_of(catalogue.plans))}
    return folder_teams(queues, shared.phones), dict(catalogue.plans)


def number(client: str) -> str:
    """What its callers dial."""
    return f"+331990000{10 + [*WANTS].index(client)}"


@dataclass
class Site:
    """A PBX with the folder's queues, its telephones, and the clients' plans."""

    pbx: Pbx
    phones: Carrier
    habits: dict[str, Habit]
    applier: Applier
    teams: Teams
    plans: dict[str, Plan]

    async def served(self, room: EngineRoom, seconds: float = 20) -> tuple[str, float]:
        """Who takes the next caller, and after how many seconds; then the agent hangs up."""
        await room.call("leave-30")
        call = await room.reached(lambda call: call.agent is not None, seconds)
        self.phones.hang_up()
        await until(lambda: "0 active channels" in self.pbx.cli("core show channels count"), 5)
        # The state of a telephone comes to app_queue by itself, a little later.
        await until(lambda: "(In use)" not in self.pbx.cli("queue show"), 5)
        return call.agent or "", call.queue_visits[0].waiting_seconds(TUESDAY_10)


@asynccontextmanager
async def a_site(folder: Path, habits: dict[str, Habit], *, rendered: Teams | None = None) -> AsyncIterator[Site]:
    """`rendered`: what the PBX has to begin with, where it is not yet what it is to have."""
    teams, plans = wanted(folder / "clients")
    phones = await Carrier.open(habits)
    pbx = Pbx.start(
        folder / "pbx",
        agents=0,
        teams=rendered or teams,
        agent_contacts=dict.fromkeys(teams.phones, phones.contact),
        extra_conf={"extensions": EXTENSIONS},
    )
    with pbx:
        pbx.cli("module load res_clioriginate.so")
        etc = pbx.run_dir / "etc"
        try:
            await until(lambda: pbx.cli("pjsip show contacts").count(" Avail ") == len(habits), START_SECONDS)
            yield Site(pbx, phones, habits, Applier(PbxFolder(etc), Console(etc)), teams, plans)
        finally:
            await phones.close()


async def test_the_preferred_agent_is_rung_first_though_another_was_idle_longer(tmp_path: Path) -> None:
    """The team rings who was idle longest. The record says the team's name, whichever queue it was."""
    async with a_site(tmp_path, {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}) as site:
        async with engine_room(site.pbx, site.plans["plain"]) as room:
            before = [(await site.served(room))[0] for _ in range(2)]
        async with engine_room(site.pbx, site.plans["bruno-first"]) as room:
            preferred = [(await site.served(room))[0] for _ in range(3)]
            call = room.ended[-1]
        async with engine_room(site.pbx, site.plans["plain"]) as room:
            idle_longest = (await site.served(room))[0]

    assert sorted(before) == ["anne", "bruno"]
    assert (preferred, idle_longest) == (["bruno"] * 3, "anne")
    assert [visit.queue for visit in call.queue_visits] == ["sales"]
    assert [(offer.queue, offer.agent) for offer in call.offers] == [("sales", "bruno")]


async def test_others_are_taken_in_at_once_or_after_the_clients_time(tmp_path: Path) -> None:
    """The preferred agent is away: without a time the others are rung at once, with one not before it is over."""
    async with a_site(tmp_path, {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}) as site:
        site.pbx.cli("queue pause member PJSIP/bruno")
        async with engine_room(site.pbx, site.plans["bruno-first"]) as room:
            at_once = await site.served(room)
        async with engine_room(site.pbx, site.plans["bruno-for-long"]) as room:
            later = await site.served(room)

    assert (at_once[0], later[0]) == ("anne", "anne")
    assert at_once[1] < 2.5
    assert RING_SECONDS + 1 <= later[1] < RING_SECONDS + 4


async def test_who_is_never_wanted_is_not_rung_when_alone_free(tmp_path: Path) -> None:
    """Neither for a caller who waits, nor while the engine is dead; a caller of somebody else has them at once."""
    async with a_site(tmp_path, {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}) as site:
        site.pbx.cli("queue pause member PJSIP/bruno")
        async with engine_room(site.pbx, site.plans["never-anne"]) as room:
            await Fallbacks(room.link, "FR").publish(site.plans.values(), complete=True, afresh=True)
            await room.call("leave-6", number("never-anne"))
            await until(lambda: bool(room.ended), 15)
            alone = (room.ended[0].disposition, room.ended[0].agent, [*site.phones.dialled])
        async with engine_room(site.pbx, site.plans["plain"]) as room:
            other = (await site.served(room))[0]
        rung = len(site.phones.dialled)
        # No engine any more: Asterisk's fallback does what the files say.
        await EngineRoom.call(room, "leave-30", number("never-anne"))
        await until(lambda: "sales.-anne has 1 calls" in site.pbx.cli("queue show sales.-anne"), 20)
        await asyncio.sleep(2.5)
        in_vain = [*site.phones.dialled[rung:]]
        site.pbx.cli("queue unpause member PJSIP/bruno")
        await until(lambda: len(site.phones.dialled) > rung, 5)
        with_bruno = [*site.phones.dialled[rung:]]
        published = site.pbx.cli("database get callrouter/fallback " + number("never-anne-either"))

    assert alone == ("abandoned", None, [])
    assert other == "anne"
    assert (in_vain, with_bruno) == ([], ["bruno"])
    assert "queue:sales.-anne" in published


async def test_what_clients_want_changes_while_callers_wait(tmp_path: Path) -> None:
    """A new derived queue does not touch who waits in the team's; one that goes is drained first."""
    habits = {"anne": Habit.RINGS, "bruno": Habit.RINGS}
    async with a_site(tmp_path, habits) as site:
        fewer, _ = wanted(tmp_path / "fewer", wants={name: WANTS[name] for name in ("plain", "never-anne")})
        more, _ = wanted(tmp_path / "more", wants=WANTS | {"never-bruno": "agents: { sales: { never: [bruno] } }"})
        async with engine_room(site.pbx, site.plans["plain"]) as plain:
            await plain.call("leave-40")
            await until(lambda: "sales has 1 calls" in site.pbx.cli("queue show sales"), 5)
            await asyncio.to_thread(site.applier.apply, more)
            kept = site.pbx.cli("queue show sales")
            new = site.pbx.cli("queue show sales.-bruno")
        async with engine_room(site.pbx, site.plans["bruno-first"]) as room:
            await room.call("leave-40", number("bruno-first"))
            await until(lambda: "sales.bruno has 1 calls" in site.pbx.cli("queue show sales.bruno"), 5)
            await asyncio.to_thread(site.applier.apply, fewer)
            for _ in range(2):
                await asyncio.to_thread(site.applier.drain)
            waits = site.pbx.cli("queue show sales.bruno")
            habits.update(anne=Habit.ANSWERS, bruno=Habit.ANSWERS)
            call = await room.reached(lambda call: call.agent is not None)
        for _ in range(2):
            await asyncio.to_thread(site.applier.drain)
        gone, settled = site.pbx.cli("queue show sales.bruno"), site.applier.is_settled

    assert "sales has 1 calls" in kept
    assert ("PJSIP/anne" in new, "PJSIP/bruno" in new) == (True, False)
    assert "sales.bruno has 1 calls" in waits
    assert call.agent in ("anne", "bruno")
    assert ("No such queue" in gone, settled) == (True, True)


async def test_they_are_compared_and_looked_at_with_their_team(tmp_path: Path) -> None:
    """The comparison finds nothing otherwise, and weights as the team's; a look counts the callers of all of them."""
    seen: list[Mapping[str, QueueLook]] = []
    async with a_site(tmp_path, {"anne": Habit.RINGS, "bruno": Habit.RINGS}) as site:
        plans = site.plans
        async with engine_room(site.pbx, plans["never-anne"]) as room:
            check = QueueCheck(
                room.link,
                lambda: plans,
                lambda: site.teams,
                due=asyncio.Event(),
                link_up=lambda: True,
                on_checked=lambda *_: None,
            )
            await check.look()
            as_it_should_be = (check.missing, check.differences)
            await room.call("leave-9", number("never-anne"))
            await room.call("leave-9", number("never-anne"))
            await until(lambda: "sales.-anne has 2 calls" in site.pbx.cli("queue show sales.-anne"), 5)
            names = [team.name for team in site.teams.teams if team.name != "sales"]
            look(room.link, ("sales",), seen.append, lambda _: names)
            await until(lambda: bool(seen), 3)
            site.pbx.cli("queue remove member PJSIP/bruno from sales.bruno")
            (site.pbx.run_dir / "etc" / "callrouter" / "queues.conf").write_text("[sales](team)\n")
            site.pbx.cli("queue reload all")
            await check.look()

    assert as_it_should_be == ({}, {})
    assert sorted(names) == ["sales.-anne", "sales.bruno", f"sales.bruno.{RING_SECONDS + 1}s"]
    assert (seen[0]["sales"].waiting, seen[0]["sales"].agents) == (2, 2)
    assert "sales.bruno" in check.missing
