"""Agents are left alone after a conversation: by Asterisk at once, until the engine, they, or Asterisk alone end
it.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from callrouter.core.agents.sessions import SessionKind
from callrouter.core.agents.standing import AgentState
from deploy.demo import carrier
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.agents.onlooker import MANAGER, Conversation, looking_on
from tests.asterisk.agents.workplace import QUEUES, TEAM, a_pbx, at_work, crew_of, with_wrap_up
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, until
from tests.asterisk.test_transfers import blind_transfer

ONE = ("agent-1",)
TWO = ("agent-1", "agent-2")
ENDS = int(os.environ.get("WRAP_UPS", "24"))
"""Conversations to end with callers waiting; `make wrap-ups` ends a thousand."""
CREW = tuple(f"agent-{number}" for number in range(1, 9))
WRAP_UP_SECONDS = 2
PAUSE_SECONDS = 0.05
"""Between the end of a conversation and the pause, at most, by Asterisk's own clock."""
USUAL_PAUSE_SECONDS = 0.01


async def test_the_next_caller_waits_until_it_is_over(tmp_path: Path) -> None:
    """A caller waits; the agent, who has just talked, is rung when the wrap-up of their client is over, and not
    before.
    """
    async with a_pbx(tmp_path, ONE) as there, at_work(*there, crew_of(*ONE), with_wrap_up(TEAM, 3)) as (place, room):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        await room.call("leave-2")
        await room.reached(lambda call: call.agent == "agent-1")
        await room.call("leave-20")
        await place.has("paused:wrap_up")
        rung = len(place.phones.dialled)
        await until(lambda: len(place.phones.dialled) > rung, 6)
        sessions = [one for one in place.told if one.kind is SessionKind.WRAP_UP]
        left = place.database("wrap_up")

    assert rung == 1
    began, ended = sessions
    assert began.call_id == ended.call_id == room.ended[0].call_id
    assert ended.ended_at is not None
    assert (ended.ended_at - ended.started_at).total_seconds() == pytest.approx(3, abs=0.3)
    assert ended.ended_by == "time"
    assert "0 results" in left


async def test_the_agent_ends_it(tmp_path: Path) -> None:
    """*13: the caller who waits is offered within a second."""
    async with a_pbx(tmp_path, ONE) as there, at_work(*there, crew_of(*ONE), with_wrap_up(TEAM, 60)) as (place, room):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        await room.call("leave-2")
        await place.has("paused:wrap_up")
        await room.call("leave-20")
        await place.key("agent-1", "*13")
        began = asyncio.get_running_loop().time()
        await room.reached(lambda call: bool(call.queue_visits) and call.queue_visits[0].offers > 0, 3)
        waited = asyncio.get_running_loop().time() - began

    assert waited < 1.5
    assert [one.ended_by for one in place.told if one.kind is SessionKind.WRAP_UP and one.ended_at] == ["agent"]


async def test_after_a_callback_too(tmp_path: Path) -> None:
    """It is known which one it follows, so that the next engine lets it run on and takes it for nothing else."""
    outgoing, number = "1795427775-7-100000", "0199000010"
    order = f"v1|callback|team|0|1|20|10|{number}|+33639980001|test||{number}|PJSIP/agent-2"
    async with a_pbx(tmp_path, TWO) as there:
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            place.roster.log_in("agent-1", "agent-1")
            await place.has("agent-1")
            for family, key, value in (
                ("callrouter/offer", number, "test|60|60|Test||"),
                (f"callrouter/outgoing/{outgoing}", "order", order),
            ):
                await place.link.send("DBPut", {"Family": family, "Key": key, "Val": value})
            far = {"Context": "callrouter-outgoing-far", "Exten": outgoing, "Priority": "1", "Async": "true"}
            await place.link.send("Originate", {"Channel": f"Local/{outgoing}@callrouter-outgoing/n", **far})
            await until(lambda: "talking" in place.pbx.cli("database show callrouter/outgoing"), 8)
            place.pbx.cli("channel request hangup all")
            await until(lambda: place.told[-1].kind is SessionKind.WRAP_UP, 5)
            (began,) = (one for one in place.told if one.kind is SessionKind.WRAP_UP)
        async with at_work(*there, crew_of(*TWO)) as (place, _):
            await place.has("paused:wrap_up")
            standing = place.roster.standing(place.roster.agent("agent-1"))

    assert began.call_id == outgoing
    assert (standing.state, standing.call_id) == (AgentState.WRAP_UP, outgoing)


async def test_a_pause_of_theirs_goes_before(tmp_path: Path) -> None:
    """Who pauses while they talk is in that pause afterwards, and in no wrap-up that would end by itself."""
    async with a_pbx(tmp_path, ONE) as there, at_work(*there, crew_of(*ONE), with_wrap_up(TEAM, 1)) as (place, room):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        await room.call("leave-3")
        await room.reached(lambda call: call.agent == "agent-1")
        place.roster.pause("agent-1", "lunch")
        await room.the_end()
        await asyncio.sleep(2)
        await place.comparison.look()
        shown, left = place.members(), place.database("wrap_up")

    assert "paused:lunch" in shown[0]
    assert "0 results" in left
    assert SessionKind.WRAP_UP not in {one.kind for one in place.told}


async def test_after_a_transfer_it_is_the_clients_other_one(tmp_path: Path) -> None:
    """Two seconds instead of one, for whoever gave the caller away; the colleague, who was in no queue, has none."""
    plan = with_wrap_up(TEAM, 1)
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*ONE), plan) as (place, room):
        place.roster.log_in("agent-1", "agent-1")
        await place.has("agent-1")
        await room.call("leave-8")
        await room.reached(lambda call: call.agent == "agent-1")
        await blind_transfer(room)
        await until(lambda: any(one.kind is SessionKind.WRAP_UP and one.ended_at for one in place.told), 6)
        ended = next(one for one in place.told if one.kind is SessionKind.WRAP_UP and one.ended_at)

    assert ended.ended_at is not None
    assert (ended.ended_at - ended.started_at).total_seconds() == pytest.approx(2, abs=0.3)


async def test_the_engine_that_was_away_goes_on_with_it(tmp_path: Path) -> None:
    """It began unheard: the next engine knows until when it lasts, and ends it then."""
    async with a_pbx(tmp_path, ONE) as there:
        async with at_work(*there, crew_of(*ONE), with_wrap_up(TEAM, 6)) as (place, room):
            place.roster.log_in("agent-1", "agent-1")
            await place.has("agent-1")
            await room.call("leave-30")
            await room.reached(lambda call: call.agent == "agent-1")
        assert "wrap_up" in there[0].cli("queue show team")
        async with at_work(*there, crew_of(*ONE)) as (place, _):
            standing = place.roster.standing(place.roster.agent("agent-1"))
            await until(lambda: not any("paused" in line for line in place.members()), 8)
            sessions = [one for one in place.told if one.kind is SessionKind.WRAP_UP]

    assert standing.state is AgentState.WRAP_UP
    assert [one.ended_by for one in sessions] == ["", "time"]
    assert sessions[0].session_id == sessions[1].session_id


ALONE = f"{QUEUES}\n[alone](team)\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"
"""An agent's queue while no engine is there."""


def caller_alone(pbx: Pbx) -> Callable[[int], str]:
    """Calls that the fallback queues, for so many seconds; the client wants two of wrap-up."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:alone")
    pbx.cli(f"database put callrouter/offer {DID} acme|2|2|Acme|Bonjour|")
    pbx.cli(f"dialplan add extension {DID},1,Set,CR_DID={DID} into callrouter-entry replace")
    pbx.cli(f"dialplan add extension {DID},2,Goto,callrouter-fallback,s,1 into callrouter-entry")
    return lambda seconds: pbx.cli(
        f"channel originate Local/{DID}@callrouter-entry/n extension leave-{seconds}@test-caller"
    )


async def test_without_an_engine_it_ends_for_who_waits_already(tmp_path: Path) -> None:
    """The fallback's callers are shown like any other, and wrap-ups begin there too. Nobody need call after them."""
    async with a_pbx(tmp_path, ONE, ALONE) as (pbx, phones, _):
        call = caller_alone(pbx)
        call(3)
        await until(lambda: "wrap_up" in pbx.cli("queue show alone"), 12)
        call(9)
        await asyncio.sleep(1)
        during = len(phones.dialled)
        await until(lambda: len(phones.dialled) > 1, 4)
        await until(lambda: "callrouter-wrap-ups-watch" not in pbx.cli("core show channels"), 3)

    assert during == 1
    assert '"Acme' in phones.invites[0]["from"]
    assert phones.invites[0]["x-callrouter-client"] == "acme"
    assert phones.invites[0]["x-callrouter-phrase"] == "Bonjour"


async def test_without_an_engine_one_that_an_engine_began_ends_too(tmp_path: Path) -> None:
    """The engine was killed meanwhile: who waited before it ran out, or comes after it, is served."""
    async with a_pbx(tmp_path, ONE, ALONE) as (pbx, phones, _):
        call = caller_alone(pbx)
        for lasts in (3, -1):
            rung = len(phones.dialled)
            pbx.cli("queue pause member PJSIP/agent-1 queue alone reason wrap_up")
            pbx.cli(f"database put callrouter/wrap_up agent-1 {int(time.time()) + lasts}:{int(time.time())}:x")
            call(9)
            await asyncio.sleep(1.5)
            assert len(phones.dialled) - rung == (1 if lasts < 0 else 0)
            await until(lambda: len(phones.dialled) > rung, 4)  # noqa: B023  # of this round
            pbx.cli("channel request hangup all")
            await until(lambda: "0 active calls" in pbx.cli("core show channels count"), 5)


class Timed(Carrier):
    """Notes when each telephone is rung."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, ring_seconds=0.1, **kwargs)  # type: ignore[arg-type]
        self.rung: list[tuple[str, float]] = []
        """Telephone, and the instant in which its INVITE was read, in seconds since 1970."""

    async def _answer_call(self, call_id: str, invite: dict[str, str], address: tuple[str, int]) -> None:
        self.rung.append((invite["number"], time.time()))
        await super()._answer_call(call_id, invite, address)


async def test_nobody_is_offered_a_call_in_a_wrap_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversation after conversation, ended by either side, with callers waiting all the time.

    What counts is what the telephones saw: an INVITE after an agent's conversation and before Asterisk has let them go
    again is an offer in a wrap-up. Conversations, their ends and the pauses are Asterisk's own words, with its own
    times; neither the roster nor the record of callrouter is asked.
    """
    monkeypatch.setattr(carrier, "_VOICEMAIL_SECONDS", 0.4)
    chance = random.Random(10)
    async with (
        a_pbx(tmp_path, CREW, manager=MANAGER, telephones=Timed) as there,
        looking_on(there[0]) as seen,
        at_work(*there, crew_of(*CREW), with_wrap_up(TEAM, WRAP_UP_SECONDS)) as (place, room),
    ):
        phones = there[1]
        assert isinstance(phones, Timed)
        for number, name in enumerate(CREW):
            place.habits[name] = Habit.VOICEMAIL if number % 2 else Habit.ANSWERS
            place.roster.log_in(name, name)
        async with asyncio.timeout(60 + 3 * ENDS):
            while seen.ends < ENDS:
                if len(room.live) < len(CREW) + 4:
                    stays = chance.uniform(0.8, 4)
                    line = f"Local/{DID}@callrouter-entry/n extension leave-{stays:.1f}@test-caller"
                    await asyncio.to_thread(there[0].cli, f"channel originate {line}")
                await asyncio.sleep(0.02)
        await asyncio.sleep(PAUSE_SECONDS)
    conversations = seen.conversations()

    assert {one.agent for one in conversations} == set(CREW)
    # Each was: how soon is a measure of the machine too, beside all other tests, and `make wrap-ups` has it alone.
    soon = PAUSE_SECONDS if "WRAP_UPS" in os.environ else WRAP_UP_SECONDS
    assert [one for one in conversations if one.pause_seconds > soon] == []
    lasted = [one.resumed_at - one.ended_at for one in conversations if one.resumed_at is not None]
    assert min(lasted) > WRAP_UP_SECONDS - PAUSE_SECONDS
    assert offered_in_a_wrap_up(conversations, phones.rung) == []
    called = [(name, at) for name, offers in seen.offers.items() for at in offers]
    assert offered_in_a_wrap_up(conversations, called) == []
    assert statistics.median(one.pause_seconds for one in conversations) < USUAL_PAUSE_SECONDS


def offered_in_a_wrap_up(conversations: list[Conversation], offers: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Offers to an agent after one of their conversations and before they were let go."""
    return [
        (name, at)
        for name, at in offers
        for one in conversations
        if one.agent == name and one.ended_at <= at < (one.resumed_at or one.ended_at + WRAP_UP_SECONDS)
    ]
