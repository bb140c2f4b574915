"""Two agents of two teams on a real Asterisk, the first of whom talks to a caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callrouter.core.agents.standing import Agent, Crew, Member
from callrouter.core.call import Call, CallState, Leg, LegPurpose, replace
from callrouter.core.dialling import Dialling
from callrouter.core.nodes import AnswerNode, HangupNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.core.transfers.targets import TransferRules
from tests.asterisk.agents.workplace import Workplace, a_pbx, at_work, with_wrap_up
from tests.asterisk.callers import Callers
from tests.asterisk.engine_room import DID, EngineRoom, plan_of
from tests.asterisk.test_switch import ONE_SECOND
from tests.asterisk.transfers.desk_phones import DeskPhones

QUEUES = "[team](team)\n[legal](team)\n"
DOCTOR = "+33639980002"
"""Answers at once, and talks for half a minute (engine_room, EXTENSIONS)."""
RULES = TransferRules(
    contacts={"doctor": DOCTOR}, dialling=Dialling(countries=frozenset({"FR"}), prefixes=("+3363998",)), region="FR"
)


def a_plan(*, wrap_up: float = 0.0) -> Plan:
    """A team; a word; and the end."""
    plan = plan_of(
        AnswerNode(name="answer", exits={"next": "team"}),
        QueueNode(name="team", queue="team", max_wait_seconds=60, exits={"overflow": "word"}),
        PlayNode(name="word", sounds=ONE_SECOND, interruptible=False, exits={"next": "bye"}),
        HangupNode(name="bye"),
        fallback="word",
    )
    return replace(with_wrap_up(plan, wrap_up) if wrap_up else plan, transfers=RULES)


def crew() -> Crew:
    """agent-1 (101) of `team`, agent-2 (102) of `legal`."""
    agents = {
        name: Agent(name=name, title=name, phone=name, number=number, places=(Member(queue=queue, log_in=True),))
        for name, number, queue in (("agent-1", "101", "team"), ("agent-2", "102", "legal"))
    }
    return Crew(agents=agents, pauses=("lunch",), queues=frozenset({"team", "legal"}))


@dataclass(frozen=True, kw_only=True)
class Desks:
    """What a test looks at and turns."""

    place: Workplace
    room: EngineRoom

    @property
    def phones(self) -> DeskPhones:
        """The agents'."""
        assert isinstance(self.place.phones, DeskPhones)
        return self.place.phones

    @property
    def call(self) -> Call:
        """The caller's."""
        return next(live.call for live in self.room.calls)

    def channel(self, phone: str) -> str:
        """The first of a telephone's channels."""
        shown = self.room.pbx.cli("core show channels concise").splitlines()
        return min(line.split("!")[0] for line in shown if line.startswith(f"PJSIP/{phone}-"))

    def uri(self, target: str, host: str = "") -> str:
        """A target at this PBX, or at another one."""
        return f"sip:{target}@{host or f'{self.room.pbx.sip_host}:{self.room.pbx.sip_port}'}"


@asynccontextmanager
async def talking(
    folder: Path,
    plan: Plan | None = None,
    *,
    seconds: float = 25,
    voices: Mapping[str, float] | None = None,
    sequences: Mapping[str, int] | None = None,
) -> AsyncIterator[Desks]:
    """agent-1 talks to a caller, who would stay for so long; `voices` and `sequences` are the agents' (`Carrier`)."""
    telephones = a_pbx(
        folder, ("agent-1", "agent-2"), QUEUES, telephones=DeskPhones, voices=voices, sequences=sequences
    )
    async with (
        telephones as there,
        at_work(*there, crew(), plan or a_plan()) as (place, room),
    ):
        for name in ("agent-1", "agent-2"):
            place.roster.log_in(name, name)
        await place.has("agent-1")
        await place.has("agent-2", "legal")
        with Callers(place.pbx, folder) as callers:
            callers.call("talk", DID, hold_ms=int(seconds * 1000))
            await room.reached(lambda call: call.state is CallState.CONNECTED)
            yield Desks(place=place, room=room)


def agents_of(call: Call) -> list[Leg]:
    """The conversations with agents."""
    return [leg for leg in call.legs if leg.purpose is LegPurpose.AGENT]


def consultations_of(call: Call) -> list[Leg]:
    """Whom agents consulted."""
    return [leg for leg in call.legs if leg.purpose is LegPurpose.CONSULTATION]
