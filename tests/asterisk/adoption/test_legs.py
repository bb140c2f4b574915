"""The link is away for some seconds, and conversations end, agents come and messages are over meanwhile: the record has
each at the time at which it happened, and the calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.core.call import Call, CallState, Disposition, EndedBy, LegPurpose
from callrouter.core.facts import LegEnded
from callrouter.core.nodes import HangupNode, MessageNode, Node, PlayNode, QueueNode, RedirectNode
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, EngineRoom, deafness, engine_room, plan_of, until
from tests.asterisk.test_switch import ONE_SECOND

RIGHT_SECONDS = 0.5
TALK_SECONDS = 3.0
AWAY_SECONDS = 8.0
BYE = HangupNode(name="bye")
# Telephones that note when somebody is there, and until when; Answer() itself waits up to half a second for sound.
TELEPHONES = """
[absent-phone]
exten => _[a-z+].,1,Ringing()
 same => n,Wait(${RINGS})
 same => n,Set(CHANNEL(hangup_handler_push)=absent-over,s,1)
 same => n,Set(DB(absent/since)=${STRFTIME(,,%s.%3q)})
 same => n,Answer()
 same => n,Wait(${TALK})
[absent-over]
exten => s,1,Set(DB(absent/until)=${STRFTIME(,,%s.%3q)})
 same => n,Return()
"""
QUEUES = """
[test]
strategy = ringall
timeout = 15
setinterfacevar = yes
setqueueentryvar = yes
member => Local/agent@absent-phone/n,0,agent-test
"""
TEAM = QueueNode(name="people", queue="test", max_wait_seconds=60, exits={"overflow": "bye"})
DOCTOR = RedirectNode(name="people", number="+33639980001", ring_seconds=20, exits={"failed": "bye"})
WORD = MessageNode(
    name="word", sounds=ONE_SECOND, min_seconds=0.5, max_seconds=4.0, silence_seconds=0.0, exits={"done": "thanks"}
)
THANKS = PlayNode(name="thanks", sounds=ONE_SECOND, interruptible=False, exits={"next": "bye"})


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers and telephones of its own."""
    folder = tmp_path_factory.mktemp("absence")
    extra = {"extensions": EXTENSIONS + TELEPHONES, "queues": QUEUES}
    with Pbx.start(folder / "pbx", extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def talked(pbx: Pbx) -> float:
    """For how many seconds, by the telephone."""
    since, until_ = (float(pbx.cli(f"database get absent {name}").rpartition(" ")[2]) for name in ("since", "until"))
    return until_ - since


async def connected(room: EngineRoom, *, rings_seconds: float, talk_seconds: float, stays_seconds: float = 60) -> None:
    """A caller is in the queue, or is dialled, and somebody answers so much later."""
    room.pbx.cli("database deltree absent")
    room.pbx.cli(f"dialplan set global RINGS {rings_seconds:g}")
    await room.call(f"leave-{stays_seconds:g}", talk_seconds=talk_seconds)


def parties(room: EngineRoom) -> list[tuple[float, EndedBy | None]]:
    """Of each agent or contact who had the caller: how long they talked, and who ended it."""
    legs = [fact.leg for fact in room.seen if isinstance(fact, LegEnded)]
    return [(leg.talk_seconds(), leg.ended_by) for leg in legs if leg.purpose in (LegPurpose.AGENT, LegPurpose.CONTACT)]


@pytest.mark.parametrize("people", [TEAM, DOCTOR], ids=["queue", "redirect"])
async def test_a_conversation_that_ends_meanwhile(pbx: Pbx, people: Node) -> None:
    """Whoever was talked to hangs up: the caller has talked until then, not until the link is back."""
    async with engine_room(pbx, plan_of(people, BYE), dial="Local/{number}@absent-phone/n") as room:
        await connected(room, rings_seconds=0.3, talk_seconds=TALK_SECONDS)
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        async with deafness(room):
            await asyncio.sleep(AWAY_SECONDS)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end(5)

    assert_ended_by_them(room, call, people, pbx)


@pytest.mark.parametrize("people", [TEAM, DOCTOR], ids=["queue", "redirect"])
async def test_a_caller_who_leaves_after_a_conversation_that_ended_meanwhile(pbx: Pbx, people: Node) -> None:
    """All that is left of it is Asterisk's journal, which has either."""
    async with engine_room(pbx, plan_of(people, BYE), dial="Local/{number}@absent-phone/n") as room:
        await connected(room, rings_seconds=0.3, talk_seconds=TALK_SECONDS, stays_seconds=TALK_SECONDS + 3)
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        async with deafness(room):
            await asyncio.sleep(AWAY_SECONDS)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end(5)

    assert_ended_by_them(room, call, people, pbx, abs_seconds=2 * RIGHT_SECONDS)
    assert call.clocks.ended_at is not None
    left = [visit.left_at for visit in call.queue_visits] + [dial.ended_at for dial in call.dials]
    (left_at,) = filter(None, left)
    assert (call.clocks.ended_at - left_at).total_seconds() > 1.0


def assert_ended_by_them(
    room: EngineRoom, call: Call, people: Node, pbx: Pbx, abs_seconds: float = RIGHT_SECONDS
) -> None:
    """They talked for as long as the telephone says, and whoever was called has hung up."""
    right = pytest.approx(talked(pbx), abs=abs_seconds)
    assert call.talk_seconds() == right
    assert call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
    ((seconds, by),) = parties(room)
    assert seconds == right
    assert by is (EndedBy.AGENT if people is TEAM else EndedBy.CONTACT)


async def test_an_agent_who_comes_and_goes_meanwhile(pbx: Pbx) -> None:
    """Both are known, each to half a second."""
    async with engine_room(pbx, plan_of(TEAM, BYE)) as room:
        await connected(room, rings_seconds=1.5, talk_seconds=TALK_SECONDS)
        await room.reached(lambda call: call.state is CallState.QUEUED)
        await until(lambda: "!Queue!" in pbx.cli("core show channels concise"), 5)
        async with deafness(room):
            await asyncio.sleep(AWAY_SECONDS)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end(5)

    assert call.agent == "agent-test"
    assert call.talk_seconds() == pytest.approx(talked(pbx), abs=2 * RIGHT_SECONDS)


async def test_an_agent_who_comes_meanwhile_and_hangs_up_later(pbx: Pbx) -> None:
    """Whose channel it is is known, and so that they hung up."""
    async with engine_room(pbx, plan_of(TEAM, BYE)) as room:
        await connected(room, rings_seconds=1.5, talk_seconds=6.0)
        await room.reached(lambda call: call.state is CallState.QUEUED)
        await until(lambda: "!Queue!" in pbx.cli("core show channels concise"), 5)
        async with deafness(room):
            await asyncio.sleep(3)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end(10)

    assert call.agent == "agent-test"
    assert call.talk_seconds() == pytest.approx(talked(pbx), abs=2 * RIGHT_SECONDS)
    assert [by for _, by in parties(room)] == [EndedBy.AGENT]


async def test_a_message_that_is_over_meanwhile(pbx: Pbx) -> None:
    """The tree goes on behind it; nobody is sent to the fallback by an absence of eight seconds."""
    async with engine_room(pbx, plan_of(WORD, THANKS, BYE)) as room:
        await room.call("speak-long")
        await room.reached(lambda call: call.state is CallState.RECORDING)
        await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 5)
        await asyncio.sleep(3)
        async with deafness(room):
            await asyncio.sleep(AWAY_SECONDS)
        await room.switch.resync(room.calls.call_of)
        call = await room.the_end(5)

    assert AFTER_ROUTINE_LEASE_SECONDS > AWAY_SECONDS + 1
    assert call.disposition is Disposition.MESSAGE_LEFT
    assert [visit.node for visit in call.visits] == ["word", "thanks", "bye"]
