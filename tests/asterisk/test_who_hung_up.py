"""Who ended a call, on a real Asterisk: whoever was dialled before has no say in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callrouter.core.call import DialOutcome, EndedBy, LegPurpose
from callrouter.core.nodes import AnswerNode, DialNode, HangupNode, QueueNode
from callrouter.core.rota import Contact
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, engine_room, plan_of, until

CONTACT = "+33639980001"
PLAN = plan_of(
    AnswerNode(name="answer", exits={"next": "contact"}),
    DialNode(
        name="contact",
        contacts=(Contact(name="doctor", number=CONTACT),),
        exits={"no_answer": "team"},
    ),
    QueueNode(name="team", queue="team", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)


async def test_a_caller_hangs_up_after_a_contact_without_power(tmp_path: Path) -> None:
    """They did; nobody says that it was their line that failed, because the contact's had."""
    team = "[team](team)\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"
    async with _carrier(CONTACT, Habit.DEAD) as outside, _carrier("agent-1", Habit.RINGS) as phones:
        with Pbx.start(
            tmp_path / "pbx",
            agents=1,
            agent_contacts={"agent-1": phones.contact},
            carrier=outside.contact,
            # A fifth of RFC 3261's times, so that a telephone without power is given up after 6 s and not 32.
            extra_conf={"queues": team, "pjsip": "[system](+)\ntimer_t1 = 100\ntimer_b = 6400\n"},
        ) as pbx:
            await until(lambda: " Avail " in pbx.cli("pjsip show aor agent-1"), 9)
            async with engine_room(pbx, PLAN, dial="PJSIP/{number}@trunk-out") as room:
                with Callers(pbx, tmp_path) as callers:
                    callers.call("talk", DID, hold_ms=10_000)
                    await until(lambda: bool(phones.dialled), 15)
                    call = await room.the_end(15)

    (dial,) = call.dials
    (leg,) = [one for one in call.legs if one.purpose is LegPurpose.CALLER]
    assert dial.outcome is DialOutcome.UNAVAILABLE
    assert leg.ended_by is EndedBy.CALLER


@asynccontextmanager
async def _carrier(number: str, habit: Habit) -> AsyncIterator[Carrier]:
    carrier = await Carrier.open({number: habit})
    try:
        yield carrier
    finally:
        await carrier.close()
