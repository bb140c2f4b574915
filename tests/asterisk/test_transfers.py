"""Callers whom an agent gives to a colleague, on a real Asterisk: what becomes of them when the colleague is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.core.call import CallState, Disposition, QueueOutcome
from callrouter.core.nodes import AnswerNode, HangupNode, PlayNode, QueueNode, RedirectNode
from callrouter.core.plan import Plan
from callrouter.errors import ActionFailed
from deploy.demo import carrier
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, killed, plan_of, until
from tests.asterisk.test_switch import ONE_SECOND
from tests.patience import START_SECONDS

COLLEAGUE_SECONDS = 2.0
"""How long the colleague talks before they hang up."""
LEASE_SECONDS = AFTER_ROUTINE_LEASE_SECONDS
"""What a dead engine's caller has to wait for."""
ANSWER, BYE = AnswerNode(name="answer", exits={"next": "team"}), HangupNode(name="bye")
DOCTOR = RedirectNode(name="doctor", number="+33639980001", ring_seconds=20, exits={"failed": "bye"})


def team(**exits: str) -> Plan:
    """A team whose overflow rings the doctor."""
    queue = QueueNode(name="team", queue="team", max_wait_seconds=60, exits={"overflow": "doctor", **exits})
    word = PlayNode(name="word", sounds=ONE_SECOND, interruptible=False, exits={"next": "bye"})
    return plan_of(ANSWER, queue, DOCTOR, word, BYE)


@asynccontextmanager
async def transferred(folder: Path, plan: Plan) -> AsyncIterator[EngineRoom]:
    """The first agent has answered a caller and given them to the second, who has answered, too."""
    phones = await Carrier.open({"agent-1": Habit.ANSWERS, "agent-2": Habit.VOICEMAIL})
    with Pbx.start(
        folder / "pbx",
        agents=2,
        agent_contacts=dict.fromkeys(("agent-1", "agent-2"), phones.contact),
        extra_conf={"queues": "[team](team)\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"},
    ) as pbx:
        try:
            await until(lambda: pbx.cli("pjsip show contacts").count(" Avail ") == 2, START_SECONDS)
            # Nobody may take the caller a second time: the fallback's queue is the same one.
            pbx.cli(f"database put callrouter/fallback {DID} queue:team")
            async with engine_room(pbx, plan) as room:
                with Callers(pbx, folder) as callers:
                    callers.call("talk", DID, hold_ms=60_000)
                    await room.reached(lambda call: call.state is CallState.CONNECTED)
                    await blind_transfer(room)
                    await until(lambda: "agent-2" in phones.dialled, 5)
                    yield room
                    await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 15)
                    assert phones.dialled == ["agent-1", "agent-2"]
        finally:
            await phones.close()


async def blind_transfer(room: EngineRoom) -> None:
    """As soon as there is a bridge: the event of the answer comes an instant before."""
    channels = room.pbx.cli("core show channels concise").splitlines()
    agent = next(line.split("!")[0] for line in channels if line.startswith("PJSIP/agent-1"))
    async with asyncio.timeout(5):
        while True:
            try:
                await room.link.send(
                    "BlindTransfer", {"Channel": agent, "Context": "callrouter-phones", "Exten": "agent-2"}
                )
            except ActionFailed:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.fixture(autouse=True)
def _brief_colleague(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "_VOICEMAIL_SECONDS", COLLEAGUE_SECONDS)


@pytest.mark.parametrize("exits", [{}, {"done": "word"}], ids=["no_done", "done"])
async def test_a_colleague_who_hangs_up_first_ends_the_conversation(tmp_path: Path, exits: dict[str, str]) -> None:
    """The call ends, or goes on at `done`: never at `overflow`, as if nobody had answered."""
    async with transferred(tmp_path, team(**exits)) as room:
        call = await room.the_end(COLLEAGUE_SECONDS + 8)

    assert [visit.node for visit in call.visits] == ["answer", "team", *(["word", "bye"] if exits else [])]
    assert call.disposition is Disposition.ANSWERED
    assert call.queue_visits[0].outcome is QueueOutcome.ANSWERED
    assert call.dials == ()


async def test_a_colleague_who_hangs_up_first_after_the_engines_death(tmp_path: Path) -> None:
    """No silence for ever, and no second round: Asterisk ends the call by itself when the lease has run out."""
    async with transferred(tmp_path, team()) as room:
        await killed(room.link)
        await until(
            lambda: "0 active channels" in room.pbx.cli("core show channels count"),
            COLLEAGUE_SECONDS + LEASE_SECONDS + 5,
        )
