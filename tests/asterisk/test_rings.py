"""What a real Asterisk reports of agents' rings, and what becomes of it in the books."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.rings import MAX_RINGS, Rings, dial_ended, unanswered
from callrouter.core.call import Call, EndedBy, OfferOutcome
from callrouter.core.inputs import LegSign
from deploy.demo import carrier
from deploy.demo.carrier import Habit
from tests.asterisk.test_teams_phones import RING_SECONDS, a_team
from tests.core.books.test_offers import AT


def outcomes(call: Call) -> list[tuple[str, OfferOutcome | None]]:
    return [(offer.agent, offer.outcome) for offer in call.offers]


@pytest.mark.parametrize(
    ("habit", "outcome", "seconds"),
    [
        (Habit.RINGS, OfferOutcome.RANG_OUT, RING_SECONDS),
        (Habit.BUSY, OfferOutcome.REFUSED, 0),
        (Habit.MOVED, OfferOutcome.REFUSED, 0),
    ],
)
async def test_a_phone_that_takes_no_call(tmp_path: Path, habit: Habit, outcome: OfferOutcome, seconds: float) -> None:
    """Each ring is an offer with its outcome and its length; the last is cut short by the caller, who leaves."""
    async with a_team(tmp_path, {"agent-1": habit}) as (room, phones):
        await room.call("leave-4")
        call = await room.the_end()

    first = call.offers[0]
    assert (first.agent, first.queue, first.outcome) == ("agent-1", "team", outcome)
    assert first.ring_seconds() == pytest.approx(seconds, abs=0.3)
    assert len(call.offers) == call.queue_visits[0].offers == len(phones.dialled)
    assert all(offer.outcome is not None for offer in call.offers)


async def test_a_dead_phone_is_not_one_that_nobody_picked_up(tmp_path: Path) -> None:
    """It was known to be there, and does not even ring."""
    habits = {"agent-1": Habit.ANSWERS}
    async with a_team(tmp_path, habits) as (room, _):
        habits["agent-1"] = Habit.DEAD
        await room.call("leave-4")
        call = await room.the_end()

    assert outcomes(call)[0] == ("agent-1", OfferOutcome.PHONE_FAILED)


async def test_a_caller_who_leaves_while_it_rings(tmp_path: Path) -> None:
    """The agent has missed nothing."""
    async with a_team(tmp_path, {"agent-1": Habit.RINGS}) as (room, _):
        await room.call("leave-1")
        call = await room.the_end()

    assert outcomes(call) == [("agent-1", OfferOutcome.CALLER_LEFT)]


async def test_one_refuses_and_the_next_answers(tmp_path: Path) -> None:
    """Two offers in one wait; nothing of them is left in the switch when the call is over."""
    async with a_team(tmp_path, {"agent-1": Habit.BUSY, "agent-2": Habit.ANSWERS}) as (room, _):
        await room.call("leave-4")
        await room.reached(lambda call: call.agent == "agent-2", 10)
        call = await room.the_end()
        left = len(room.switch._rings)

    assert outcomes(call) == [("agent-1", OfferOutcome.REFUSED), ("agent-2", OfferOutcome.ANSWERED)]
    assert call.offers[1].ended_at == call.queue_visits[0].answered_at
    assert left == 0


async def test_two_at_once_and_one_is_quicker(tmp_path: Path) -> None:
    """Whoever was not needed has missed nothing either."""
    habits = {"agent-1": Habit.RINGS, "agent-2": Habit.ANSWERS}
    async with a_team(tmp_path, habits, strategy="ringall") as (room, _):
        await room.call("leave-4")
        call = await room.the_end()

    assert sorted(outcomes(call)) == [("agent-1", OfferOutcome.ELSEWHERE), ("agent-2", OfferOutcome.ANSWERED)]


async def test_a_caller_who_hangs_up_on_an_agent(tmp_path: Path) -> None:
    """Both legs say so; the agent's is as long as they talked."""
    async with a_team(tmp_path, {"agent-1": Habit.ANSWERS}) as (room, _):
        await room.call("leave-4")
        call = await room.the_end()

    assert people(call) == [("agent", "agent-1", EndedBy.CALLER), ("caller", "", EndedBy.CALLER)]
    assert call.legs[0].talk_seconds() == pytest.approx(3.3, abs=0.4)
    assert call.legs[0].began_at == call.offers[0].began_at


async def test_an_agent_who_hangs_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their channel says so before the queue does; the caller is then hung up by the tree."""
    monkeypatch.setattr(carrier, "_VOICEMAIL_SECONDS", 2.0)
    async with a_team(tmp_path, {"agent-1": Habit.VOICEMAIL}) as (room, _):
        await room.call("leave-20")
        call = await room.the_end()

    assert people(call) == [("agent", "agent-1", EndedBy.AGENT), ("caller", "", EndedBy.SYSTEM)]
    assert call.talk_seconds() == pytest.approx(2.0, abs=0.4)


async def test_an_agent_who_puts_the_caller_on_hold(tmp_path: Path) -> None:
    """Twice, the second time until the end: no talk, and the agent's own leg says for how long."""
    async with a_team(tmp_path, {"agent-1": Habit.ANSWERS}) as (room, phones):
        await room.call("leave-9")
        await room.reached(lambda call: call.agent == "agent-1")
        instants = [time.monotonic()]
        for on in (True, False, True):
            await asyncio.sleep(1)
            phones.hold("agent-1", on=on)
            instants.append(time.monotonic())
        await asyncio.sleep(1)
        await asyncio.to_thread(room.pbx.cli, "channel request hangup all")
        instants.append(time.monotonic())
        call = await room.the_end()

    # As long as this test took, which on a busy machine is longer than it sleeps.
    talk, held, talk_again, held_again = (after - before for before, after in pairwise(instants))
    agent = call.legs[0]
    assert agent.hold_seconds == pytest.approx(held + held_again, abs=0.8)
    assert agent.talk_seconds() == pytest.approx(talk + talk_again, abs=0.8)
    assert call.talk_seconds() == pytest.approx(agent.talk_seconds(), abs=0.2)


async def test_an_agents_channel_that_is_ended_by_others(tmp_path: Path) -> None:
    """Neither hung up: an operator did, or a line failed."""
    async with a_team(tmp_path, {"agent-1": Habit.ANSWERS}) as (room, _):
        await room.call("leave-20")
        await room.reached(lambda call: call.agent == "agent-1")
        channels = (await asyncio.to_thread(room.pbx.cli, "core show channels concise")).splitlines()
        agent = next(line.split("!")[0] for line in channels if line.startswith("PJSIP/agent-1"))
        await room.link.send("Hangup", {"Channel": agent})
        call = await room.the_end()

    assert people(call) == [("agent", "agent-1", EndedBy.SYSTEM), ("caller", "", EndedBy.SYSTEM)]


def people(call: Call) -> list[tuple[str, str, EndedBy | None]]:
    return [(leg.purpose.value, leg.party, leg.ended_by) for leg in call.legs]


def message(event: str, **headers: str) -> AmiMessage:
    """An event with these headers."""
    return AmiMessage({"Event": event, **headers})


def test_ring_time_is_milliseconds() -> None:
    """Of AgentRingNoAnswer; what is no number is not known."""
    fields = {"DestUniqueid": "1.2", "MemberName": "anne", "Queue": "sales"}
    known = unanswered(message("AgentRingNoAnswer", RingTime="4000", **fields), AT)
    odd = unanswered(message("AgentRingNoAnswer", RingTime="-1", **fields), AT)

    assert (known.rang_seconds, known.agent, known.queue, known.leg) == (4.0, "anne", "sales", "1.2")
    assert odd.rang_seconds == 0


@pytest.mark.parametrize(
    ("status", "sign"),
    [("ANSWER", None), ("CANCEL", LegSign.CANCELLED), ("NOANSWER", LegSign.UNANSWERED), ("BUSY", LegSign.UNANSWERED)],
)
def test_the_end_of_a_dial(status: str, sign: LegSign | None) -> None:
    """An answer is told by AgentConnect alone: an agent may hang up at the whisper."""
    told = dial_ended(message("DialEnd", DestUniqueid="1.2", DialStatus=status), AT)

    assert (told.sign if told else None) is sign


def test_channels_are_not_remembered_for_ever() -> None:
    """Those whose ends were missed give way to new ones."""
    rings = Rings()
    for number in range(MAX_RINGS + 10):
        rings.note(f"1.{number}", "call")

    assert len(rings) == MAX_RINGS
    assert rings.call_of("1.0") is None
    assert rings.call_of(f"1.{MAX_RINGS}") == "call"
