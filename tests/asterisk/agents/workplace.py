"""Agents at work on a real Asterisk: their telephones, the roster, and an engine for callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from callrouter.asterisk.agents.answers import Answers
from callrouter.asterisk.agents.comparison import Comparison
from callrouter.asterisk.agents.directory import RosterDirectory
from callrouter.asterisk.agents.feature_codes import FeatureCodes
from callrouter.asterisk.agents.members import Members
from callrouter.asterisk.agents.offers import Offers
from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.core.agents.sessions import Session
from callrouter.core.agents.standing import Agent, Crew, Member, PinCheck, WrapUp
from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.nodes import AnswerNode, HangupNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.errors import SpeechError
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.audit import Deed
from deploy.demo.carrier import Carrier, Habit
from deploy.demo.telephone import Codec
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, EngineRoom, engine_room, plan_of, until
from tests.patience import START_SECONDS

KNOWN_SECONDS = 9
"""A phone is asked every 5 s and given 3 s to answer (pjsip.conf)."""
PIN = "2580"
TEAM = plan_of(
    AnswerNode(name="answer", exits={"next": "team"}),
    QueueNode(name="team", queue="team", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)
QUEUES = """
[team](team)
timeout = 2
[desk](team)
timeout = 2
"""
"""`team` asks for log-ins; `desk` has its members by file."""


def crew_of(*names: str, misses: int = 0, pauses: Sequence[str] = ("lunch", "training"), penalty: int = 0) -> Crew:
    """Members of `team`, numbered 101, 102 …"""
    places = (Member(queue="team", log_in=True, misses=misses, penalty=penalty),)
    agents = {
        name: Agent(name=name, title=name, phone=name, number=str(number), language="fr", places=places)
        for number, name in enumerate(names, 101)
    }
    return Crew(agents=agents, pauses=tuple(pauses), queues=frozenset({"team"}))


def at_desk(*names: str) -> Crew:
    """Members of `desk`, who are always logged in."""
    agents = {
        name: Agent(name=name, title=name, phone=name, places=(Member(queue="desk", log_in=False),)) for name in names
    }
    return Crew(agents=agents, pauses=("lunch",), queues=frozenset({"desk"}))


@dataclass
class OnePin:
    """Everybody has the same PIN."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    locked: bool = False

    async def check(self, agent: str, pin: str) -> PinCheck:
        """As Pins."""
        self.asked.append((agent, pin))
        if self.locked:
            return PinCheck.LOCKED
        return PinCheck.RIGHT if pin == PIN else PinCheck.WRONG


def no_voice(text: str, language: str) -> Sound:
    """A machine without a speech program."""
    raise SpeechError(f"no voice for {text!r} in {language}")


@dataclass(kw_only=True)
class Workplace:
    """What a test looks at and turns."""

    pbx: Pbx
    link: AmiLink
    phones: Carrier
    roster: Roster
    comparison: Comparison
    habits: dict[str, Habit]
    pins: OnePin
    told: list[Session]
    deeds: list[Deed]
    spoken: list[tuple[str, str]]

    def members(self, queue: str = "team") -> list[str]:
        """As Asterisk shows them."""
        lines = self.pbx.cli(f"queue show {queue}").splitlines()
        return [line.strip() for line in lines if "PJSIP/" in line]

    async def has(self, what: str, queue: str = "team", seconds: float = 5) -> None:
        """Wait until a member's line holds it."""
        await until(lambda: any(what in line for line in self.members(queue)), seconds)

    def database(self, family: str) -> str:
        """What AstDB has."""
        return self.pbx.cli(f"database show callrouter {family}")

    async def key(self, phone: str, code: str, *, then: str = "") -> None:
        """The telephone dials a code; once it is asked for a PIN, it keys `then`."""
        await asyncio.to_thread(self.pbx.cli, f"channel originate PJSIP/{phone} extension {code}@callrouter-phones")
        if then:
            await until(lambda: "Read" in self._channel(phone), 5)
            channel = self._channel(phone).split("!")[0]
            for key in then:
                await self.link.send("PlayDTMF", {"Channel": channel, "Digit": key, "Duration": "80", "Receive": "1"})
                await asyncio.sleep(0.15)
        await until(lambda: not self._channel(phone), 10)

    def _channel(self, phone: str) -> str:
        shown = self.pbx.cli("core show channels concise").splitlines()
        return next((line for line in shown if line.startswith(f"PJSIP/{phone}-")), "")


There = tuple[Pbx, Carrier, dict[str, Habit]]


@asynccontextmanager
async def a_pbx(
    folder: Path,
    names: Sequence[str],
    queues: str = QUEUES,
    *,
    manager: str = "",
    telephones: type[Carrier] = Carrier,
    voices: Mapping[str, float] | None = None,
    sequences: Mapping[str, int] | None = None,
    codec: Codec = "alaw",
) -> AsyncIterator[tuple[Pbx, Carrier, dict[str, Habit]]]:
    """An Asterisk whose telephones answer, and are known to be there; `manager` is more of manager.conf, `voices`,
    `sequences` and `codec` are the telephones' (`Carrier`)."""
    habits = dict.fromkeys(names, Habit.ANSWERS)
    phones = await telephones.open(habits, voices=voices, sequences=sequences, codec=codec)
    with Pbx.start(
        folder / "pbx",
        agents=len(names),
        agent_contacts=dict.fromkeys(names, phones.contact),
        extra_conf={"extensions": EXTENSIONS, "queues": queues, "manager": manager},
    ) as pbx:
        pbx.cli("module load res_clioriginate.so")
        try:
            await until(lambda: pbx.cli("pjsip show contacts").count(" Avail ") == len(names), START_SECONDS)
            yield pbx, phones, habits
        finally:
            await phones.close()


@asynccontextmanager
async def at_work(
    pbx: Pbx, phones: Carrier, habits: dict[str, Habit], crew: Crew, plan: Plan = TEAM
) -> AsyncIterator[tuple[Workplace, EngineRoom]]:
    """An engine with a roster of these agents."""
    clock, tasks = SystemClock(), Tasks()
    told: list[Session] = []
    deeds: list[Deed] = []
    spoken: list[tuple[str, str]] = []
    pins = OnePin()
    made: list[Workplace] = []

    def say(text: str, language: str) -> Sound:
        spoken.append((text, language))
        return Sound(file="beep", seconds=0.2, text=text)

    def wire(link: AmiLink) -> None:
        members = Members(link)
        up = lambda: link.state is LinkState.UP  # noqa: E731
        roster = Roster(members, lambda: crews[0], clock=clock, tell=told.append, link_up=up)
        comparison = Comparison(roster, members, clock=clock, link_up=up)
        Offers(link, roster)
        FeatureCodes(link, roster, pins, Answers(say), note=deeds.append, start=tasks.start)
        made.append(
            Workplace(
                pbx=pbx,
                link=link,
                phones=phones,
                roster=roster,
                comparison=comparison,
                habits=habits,
                pins=pins,
                told=told,
                deeds=deeds,
                spoken=spoken,
            )
        )

    crews = [crew]
    directory = RosterDirectory(lambda: made[0].roster)
    async with engine_room(pbx, plan, wire=wire, directory=directory) as room:
        await made[0].comparison.look()
        try:
            yield made[0], room
        finally:
            await tasks.stop()


def with_wrap_up(plan: Plan, seconds: float) -> Plan:
    """The same, whose client wants its agents left alone."""
    return replace(plan, wrap_up=WrapUp(answered_seconds=seconds, transferred_seconds=seconds + 1))


__all__ = ["PIN", "TEAM", "Habit", "Mapping", "Workplace", "a_pbx", "at_desk", "at_work", "crew_of", "timedelta"]
