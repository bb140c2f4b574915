"""Teams and telephones change on a real Asterisk that serves calls: whoever waits, talks or is registered stays."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.queue_differences import differences_of
from callrouter.asterisk.teams.applier import Applier
from callrouter.asterisk.teams.console import Console
from callrouter.asterisk.teams.document import Member, Team, Teams
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.core.nodes import HangupNode
from callrouter.errors import ConsoleAway, NotApplied
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import engine_room, plan_of, until
from tests.patience import START_SECONDS

LIVE_SECONDS = 0.5
"""What an apply may take at the most: half of what a saved file may."""
CALLERS = """
[callers]
exten => _[a-z].,1,Answer()
 same => n,MSet(CR_QUEUE=${EXTEN},CR_QUEUE_OPTIONS=c,CR_QUEUE_WAIT=40)
 same => n,Gosub(callrouter-queue,s,1)
 same => n,Set(GLOBAL(LEFT)=${EXTEN}:${QUEUESTATUS})
 same => n,Hangup()
"""


def team(name: str, *agents: str, ring_seconds: int = 2, strategy: str = "rrmemory") -> Team:
    return Team(
        name=name,
        members=tuple(Member(agent=agent, phone=agent) for agent in agents),
        strategy=strategy,
        ring_seconds=ring_seconds,
        retry_seconds=1,
        wrap_up_seconds=0,
        max_callers=0,
    )


def teams(*several: Team, phones: tuple[str, ...] = ("anne", "bruno")) -> Teams:
    return Teams(teams=several, phones=phones)


@dataclass
class Site:
    """A PBX, its telephones, and the unit that applies."""

    pbx: Pbx
    phones: Carrier
    applier: Applier
    folder: PbxFolder

    async def apply(self, wanted: Teams, *, afresh: bool = False) -> float:
        """Seconds that it took."""
        began = time.monotonic()
        await asyncio.to_thread(self.applier.apply, wanted, afresh=afresh)
        return time.monotonic() - began

    def call(self, queue: str) -> None:
        self.pbx.cli(f"channel originate Local/{queue}@callers/n application Wait 60")

    def shown(self, queue: str) -> str:
        return self.pbx.cli(f"queue show {queue}")

    def waits(self, queue: str, callers: int = 1) -> bool:
        return f"{queue} has {callers} calls" in self.shown(queue)

    def talks(self, phone: str) -> bool:
        """Whether somebody talks to whoever answered at this telephone."""
        lines = self.pbx.cli("core show channels concise").splitlines()
        return any(line.startswith(f"PJSIP/{phone}-") and "!Up!" in line for line in lines)

    @property
    def left(self) -> str:
        """The queue that somebody left last, and why."""
        shown = self.pbx.cli("dialplan show globals")
        return next((line.strip() for line in shown.splitlines() if line.strip().startswith("LEFT=")), "")


@asynccontextmanager
async def a_site(folder: Path, habits: dict[str, Habit], at_start: Teams) -> AsyncIterator[Site]:
    phones = await Carrier.open(habits)
    pbx = Pbx.start(
        folder / "pbx",
        agents=0,
        teams=at_start,
        agent_contacts=dict.fromkeys(at_start.phones, phones.contact),
        extra_conf={"extensions": CALLERS},
    )
    with pbx:
        pbx.cli("module load res_clioriginate.so")
        etc = pbx.run_dir / "etc"
        try:
            await until(lambda: known(pbx) == len(at_start.phones), START_SECONDS)
            yield Site(pbx, phones, Applier(PbxFolder(etc), Console(etc)), PbxFolder(etc))
        finally:
            await phones.close()


def known(pbx: Pbx) -> int:
    """Telephones that are there."""
    return pbx.cli("pjsip show contacts").count(" Avail ")


def contacts(pbx: Pbx) -> dict[str, str]:
    """Where each telephone is, by its name."""
    return dict(re.findall(r"Contact:  ([a-z0-9-]+)/(sip:\S+)", pbx.cli("pjsip show contacts")))


async def test_every_setting_is_live_at_once(tmp_path: Path) -> None:
    """A new queue, an agent more with a telephone of their own, a ring time, a strategy, a bound."""
    async with a_site(tmp_path, {}, teams(team("night", "anne"), phones=("anne",))) as site:
        began = len(site.pbx.log())
        changed = replace(team("night", "anne", "carl", strategy="ringall"), max_callers=7, wrap_up_seconds=20)
        took = await site.apply(teams(changed, team("day", "anne"), phones=("anne", "carl")))
        night, day = site.shown("night"), site.shown("day")
        phone, extension = (
            site.pbx.cli("pjsip show endpoint carl"),
            site.pbx.cli("dialplan show carl@callrouter-phones"),
        )
        secret = site.pbx.cli("pjsip show auth carl")
        log = site.pbx.log()[began:]

    assert "(max 7) in 'ringall' strategy" in night
    assert "carl (PJSIP/carl)" in night
    assert "anne (PJSIP/anne)" in day
    assert "Endpoint:  carl" in phone
    assert "PJSIP/carl" in extension
    assert "username" in secret
    assert not [line for line in log.splitlines() if " WARNING" in line or " ERROR" in line]
    assert took < LIVE_SECONDS


async def test_levels_decide_whom_a_caller_is_offered_to_first(tmp_path: Path) -> None:
    """Without a time the next level is rung at once when nobody before it is free; with one, not before that is over.
    Every queue's own: a caller of another one is not held to it."""
    habits = {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}
    levelled = replace(team("night", "bruno", "anne"), levels={"bruno": 3})
    async with a_site(tmp_path, habits, teams(levelled, team("day", "bruno"))) as site:
        both = await offered(site, "night")
        site.pbx.cli("queue pause member PJSIP/anne")
        at_once = await offered(site, "night")
        took = await site.apply(teams(replace(levelled, next_level_seconds=2), team("day", "bruno")))
        later = await offered(site, "night")
        other = await offered(site, "day")
        written = (site.folder.path / "queuerules.conf").read_text()
        status = await queue_status(site.pbx)

    assert both[0] == "anne"
    assert at_once[0] == later[0] == other[0] == "bruno"
    assert at_once[1] < 2.5
    assert 4 <= later[1] < 7
    assert other[1] < 2.5
    assert "[night]\npenaltychange => 2,1\npenaltychange => 4,2" in written
    assert took < LIVE_SECONDS
    assert list(differences_of(levelled, status)) == []
    assert list(differences_of(replace(levelled, levels={}, weight=2), status)) == [
        "its weight is 0, and not 2",
        "bruno is of level 3, and not 1",
    ]


async def offered(site: Site, queue: str) -> tuple[str, float]:
    """Who takes a new caller, and after how many seconds; then they hang up."""
    began = time.monotonic()
    site.call(queue)
    await until(lambda: site.talks("anne") or site.talks("bruno"), 15)
    took, who = time.monotonic() - began, "anne" if site.talks("anne") else "bruno"
    site.phones.hang_up()
    await until(lambda: "0 active channels" in site.pbx.cli("core show channels count"), 5)
    return who, took


async def test_an_order_that_is_new_waits_for_a_restart(tmp_path: Path) -> None:
    """Members of a queue that becomes linear stand in no order: that is found, and so is that it is over."""
    names = ("zoe", "mia", "anne", "bruno")
    async with a_site(tmp_path, {}, teams(team("night", *names), phones=names)) as site:
        linear = team("night", *names, strategy="linear")
        await site.apply(teams(linear, phones=names))
        found = list(differences_of(linear, await queue_status(site.pbx)))
        site.pbx.restart()
        after = list(differences_of(linear, await queue_status(site.pbx)))
        turned = team("night", *names[::-1], strategy="linear")
        await site.apply(teams(turned, phones=names))
        at_once = list(differences_of(turned, await queue_status(site.pbx)))

    assert ["order of the file" in one for one in found] == [True]
    assert (after, at_once) == ([], [])


async def queue_status(pbx: Pbx) -> list[AmiMessage]:
    """What AMI shows of the queue."""
    async with engine_room(pbx, plan_of(HangupNode(name="bye"))) as room:
        return await room.link.collect("QueueStatus", [("Queue", "night")])


async def test_whoever_waits_keeps_their_place_and_is_served_by_the_new_team(tmp_path: Path) -> None:
    """The first of two in the line is the first to reach the agent who is new."""
    habits = {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}
    async with a_site(tmp_path, habits, teams(team("night", "anne"))) as site:
        site.pbx.cli("queue pause member PJSIP/anne")
        site.call("night")
        await until(lambda: site.waits("night"), 5)
        site.call("night")
        await until(lambda: site.waits("night", 2), 5)
        first = next(line for line in site.shown("night").splitlines() if line.strip().startswith("1. "))
        await site.apply(teams(team("night", "anne", "bruno", strategy="ringall")))
        still = site.waits("night", 2)
        await until(lambda: site.talks("bruno"), 5)
        second = next(line for line in site.shown("night").splitlines() if line.strip().startswith("1. "))
        shown = site.shown("night")

    assert still
    assert "anne (PJSIP/anne) (ringinuse disabled) (paused" in shown
    assert first.split()[1] != second.split()[1]


async def test_a_conversation_outlives_its_queue_its_agent_and_their_telephone(tmp_path: Path) -> None:
    """All of them go from the file and from Asterisk: the conversation goes on, and the telephone's BYE ends it."""
    habits = {"anne": Habit.ANSWERS, "bruno": Habit.ANSWERS}
    async with a_site(tmp_path, habits, teams(team("night", "anne"), team("day", "bruno"))) as site:
        site.call("night")
        await until(lambda: site.talks("anne"), 10)
        await site.apply(teams(team("day", "bruno"), phones=("bruno",)))
        await asyncio.to_thread(site.applier.drain)
        gone, endpoint = site.shown("night"), site.pbx.cli("pjsip show endpoint anne")
        await asyncio.sleep(2)
        talks_on = site.talks("anne")
        site.phones.hang_up()
        await until(lambda: site.left == "LEFT=night:CONTINUE", 3)

    assert "No such queue" in gone
    assert "Unable to find object" in endpoint
    assert talks_on


async def test_a_queue_is_drained_before_it_goes(tmp_path: Path) -> None:
    """Whoever waits in it is served by its members; nobody new gets in once it is empty; then it is gone."""
    habits = {"anne": Habit.RINGS}
    async with a_site(tmp_path, habits, teams(team("night", "anne"), phones=("anne",))) as site:
        site.call("night")
        await until(lambda: site.waits("night"), 5)
        await site.apply(teams(phones=("anne",)))
        for _ in range(3):
            await asyncio.to_thread(site.applier.drain)
        waits, settled = site.waits("night"), site.applier.is_settled
        habits["anne"] = Habit.ANSWERS
        await until(lambda: site.talks("anne"), 10)
        await asyncio.to_thread(site.applier.drain)
        site.call("night")  # closed: goes on at once
        await until(lambda: site.left == "LEFT=night:JOINEMPTY", 3)
        await asyncio.to_thread(site.applier.drain)
        gone, done = "No such queue" in site.shown("night"), site.applier.is_settled

    assert (waits, settled) == (True, False)
    assert (gone, done) == (True, True)


async def test_a_queue_that_a_tree_still_names_stays(tmp_path: Path) -> None:
    """Its file may have gone while a client's tree, which is refused for it, is served as it was."""
    async with a_site(tmp_path, {}, teams(team("night", "anne"), phones=("anne",))) as site:
        await site.apply(Teams(phones=("anne",), still_named=("night",)))
        await asyncio.to_thread(site.applier.drain)
        there, settled = site.shown("night"), site.applier.is_settled
        await site.apply(Teams(phones=("anne",)))
        await asyncio.to_thread(site.applier.drain)
        gone = site.shown("night")

    assert "anne (PJSIP/anne)" in there
    assert settled
    assert "No such queue" in gone


async def test_registrations_and_who_has_logged_in_stay(tmp_path: Path) -> None:
    """Everything is read afresh: a registered telephone and a member who was added at run time are still there."""
    async with a_site(tmp_path, {}, teams(team("night", "anne"), phones=("anne",))) as site:
        with Callers(site.pbx, tmp_path) as sipp:
            await site.apply(teams(team("night", "anne"), phones=("anne", "carl")))
            sipp.register("carl", json.loads(site.folder.site().secrets.read_text())["carl"])
            await until(lambda: "Contact:  carl/sip:carl@" in site.pbx.cli("pjsip show contacts"), 5)
        site.pbx.cli("queue add member PJSIP/carl to night penalty 3 as carl")
        before = contacts(site.pbx)
        took = await site.apply(teams(team("night", "anne"), phones=("anne", "carl")), afresh=True)
        after, shown = contacts(site.pbx), site.shown("night")

    assert before == after
    assert set(after) == {"anne", "carl"}
    assert "carl (PJSIP/carl) with penalty 3" in shown
    assert took < LIVE_SECONDS


async def test_a_phone_that_is_there_stays_available(tmp_path: Path) -> None:
    """A reload of the telephones does not make one unavailable until it is asked again: no offer is missed for it."""
    async with a_site(tmp_path, {"anne": Habit.ANSWERS}, teams(team("night", "anne"), phones=("anne",))) as site:
        seen: set[str] = set()
        for number in range(10):
            await site.apply(teams(team("night", "anne"), phones=("anne", f"new-{number}")))
            seen |= {line.strip() for line in site.shown("night").splitlines() if "PJSIP/anne" in line}

    assert all("(Not in use)" in line for line in seen), seen


async def test_a_pbx_alone_has_what_it_had(tmp_path: Path) -> None:
    """After a restart of Asterisk, with nobody to tell it anything; and what came while it was away is there too."""
    async with a_site(tmp_path, {}, teams(team("night", "anne"), phones=("anne",))) as site:
        await site.apply(teams(team("night", "anne", "carl"), phones=("anne", "carl")))
        site.pbx.stop()
        with pytest.raises(ConsoleAway):
            await site.apply(teams(team("night", "carl"), phones=("anne", "carl")))
        site.pbx.restart()
        shown = site.shown("night")

    assert "carl (PJSIP/carl)" in shown
    assert "anne" not in shown


async def test_what_asterisk_does_not_take_changes_nothing(tmp_path: Path) -> None:
    """A console that shows no new queue: the files of before are back, and the reason is a sentence."""
    async with a_site(tmp_path, {}, teams(team("night", "anne"), phones=("anne",))) as site:

        class Blind(Console):
            def waiting(self) -> dict[str, int]:
                return {"night": 0}

        blind = Applier(site.folder, Blind(site.pbx.run_dir / "etc"))
        before = (site.folder.path / "queues.conf").read_text()
        with pytest.raises(NotApplied, match="has no queue day"):
            await asyncio.to_thread(blind.apply, teams(team("night", "anne"), team("day", "anne"), phones=("anne",)))
        after, shown = (site.folder.path / "queues.conf").read_text(), site.shown("day")

    assert after == before
    assert "No such queue" in shown
