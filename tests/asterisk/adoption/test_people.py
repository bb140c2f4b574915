"""Callers among people, or who speak after a beep: nobody is disturbed, and what nobody heard is on the record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.asterisk.line.recordings import recorded_in
from callrouter.asterisk.waiting.stands import read_stand
from callrouter.core.call import Call, CallState, DialOutcome, Disposition, EndedBy, LegPurpose, QueueOutcome, replace
from callrouter.core.effects import Rising
from callrouter.core.facts import Bridged, MessageLeft, QueueEntered
from callrouter.core.nodes import DialNode, HangupNode, MessageNode, PlayNode, QueueNode
from callrouter.core.rota import Contact
from tests.asterisk.adoption.successors import BYE, ONE_SECOND, asterisk_of, path, succession, taken_over
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EngineRoom, plan_of, until

AFTER = PlayNode(name="after", sounds=ONE_SECOND, interruptible=False, exits={"next": "bye"})
LINE = QueueNode(name="line", queue="slow", max_wait_seconds=20.0, exits={"overflow": "bye", "done": "after"})
QUIET = QueueNode(name="line", queue="quiet", max_wait_seconds=6.0, exits={"overflow": "after", "done": "after"})
DIAL = DialNode(
    name="dial",
    contacts=(Contact(name="doctor", number="+33639980007"),),
    ring_seconds=15.0,
    screen=ONE_SECOND,
    exits={"no_answer": "after", "done": "after"},
)
MESSAGE = MessageNode(name="message", sounds=ONE_SECOND, min_seconds=0.5, silence_seconds=0.0, exits={"done": "after"})


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    yield from asterisk_of(tmp_path_factory.mktemp("people") / "pbx")


def in_state(state: CallState):  # type: ignore[no-untyped-def]
    return lambda call: call.state is state


WAITS, TALKS, RINGS, RECORDS = map(
    in_state, (CallState.QUEUED, CallState.CONNECTED, CallState.DIALLING, CallState.RECORDING)
)


def between(earlier: object, later: object) -> float:
    return (later - earlier).total_seconds()  # type: ignore[operator,no-any-return]


def facts_of(room: EngineRoom, kind: type) -> int:
    return sum(isinstance(fact, kind) for fact in room.seen)


async def test_who_waits_in_a_line_waits_on_and_overflows_in_time(pbx: Pbx) -> None:
    """One visit, as long as it was; the tree goes on after it."""
    async with succession(pbx, plan_of(QUIET, AFTER, BYE)) as engines:
        await engines.first.call()
        before = await engines.first.reached(WAITS)
        await engines.killed(2.0)
        room = await engines.second()
        assert taken_over(room) == [before.call_id]
        call = await room.the_end(12)

    assert path(call) == [("line", "overflow"), ("after", "next"), ("bye", "end")]
    (visit,) = call.queue_visits
    assert visit.entered_at == before.queue_visits[0].entered_at
    assert visit.outcome is QueueOutcome.TIMEOUT
    assert 5.5 <= visit.waiting_seconds(visit.entered_at) <= 7.5
    assert facts_of(room, QueueEntered) == 0


async def test_a_priority_that_was_to_rise_in_the_gap_has_risen(pbx: Pbx) -> None:
    """As soon as somebody is there to raise it."""
    rises = replace(QUIET, rising=Rising(after_seconds=1.0, to=10), max_wait_seconds=20.0)
    async with succession(pbx, plan_of(rises, AFTER, BYE)) as engines:
        await engines.first.call()
        call = await engines.first.reached(WAITS)
        uniqueid = engines.first.switch.lines[call.call_id].uniqueid
        await engines.killed(2.0)
        room = await engines.second()
        await asyncio.sleep(0.7)
        stand = read_stand(await room.link.collect("QueueStatus", {"Queue": "quiet"}))

    assert [(one.channel_id, one.priority) for one in stand.waiting] == [(uniqueid, 10)]


async def test_an_agent_who_is_rung_answers_the_successor(pbx: Pbx) -> None:
    """The offer is the one that the first engine knew of."""
    async with succession(pbx, plan_of(LINE, AFTER, BYE)) as engines:
        await engines.first.call(talk_seconds=2)
        before = await engines.first.reached(lambda call: call.offers_made == 1)
        await engines.killed(0.3)
        room = await engines.second()
        call = await room.the_end(12)

    assert call.disposition is Disposition.ANSWERED
    assert call.agent == "agent-slow"
    assert call.offers_made == 1
    assert call.queue_visits[0].entered_at == before.queue_visits[0].entered_at
    assert 1.5 <= call.talk_seconds() <= 3
    (leg,) = [leg for leg in call.legs if leg.purpose is LegPurpose.AGENT]
    assert leg.leg
    assert path(call) == [("line", "done"), ("after", "next"), ("bye", "end")]


async def test_an_agent_who_answered_while_nobody_listened(pbx: Pbx) -> None:
    """Who it was, and when, stands on the channel; their leg is followed from then on."""
    async with succession(pbx, plan_of(LINE, AFTER, BYE)) as engines:
        await engines.first.call(talk_seconds=6)
        await engines.first.reached(WAITS)
        await engines.killed(4.0)
        room = await engines.second()
        talking = await room.reached(TALKS, 2)
        assert facts_of(room, Bridged) == 1
        call = await room.the_end(12)

    assert talking.agent == call.agent == "agent-slow"
    assert call.clocks.bridged_at is not None
    assert 0.5 <= call.waiting_seconds(call.clocks.bridged_at) <= 3.5
    assert 5 <= call.talk_seconds() <= 8  # they talked six; app_queue tells the wait in whole seconds
    (leg,) = [leg for leg in call.legs if leg.purpose is LegPurpose.AGENT]
    assert leg.leg
    assert leg.ended_by is EndedBy.AGENT


async def test_a_conversation_goes_on_and_its_end_is_recorded(pbx: Pbx) -> None:
    """Nothing is told twice: one answer, one offer, one leg."""
    async with succession(pbx, plan_of(LINE, AFTER, BYE)) as engines:
        await engines.first.call(talk_seconds=5)
        before = await engines.first.reached(TALKS)
        await engines.killed(1.5)
        room = await engines.second()
        assert facts_of(room, Bridged) == 0
        call = await room.the_end(12)

    assert call.clocks.bridged_at == before.clocks.bridged_at
    assert call.offers_made == before.offers_made == 1
    assert [leg.purpose for leg in call.legs if leg.purpose is not LegPurpose.CALLER] == [LegPurpose.AGENT]
    assert 4.5 <= call.talk_seconds() <= 6
    assert path(call)[-1] == ("bye", "end")


async def test_a_conversation_that_ended_while_nobody_listened(pbx: Pbx) -> None:
    """It lasted as long as it did, and not until somebody came; the tree goes on after it."""
    async with succession(pbx, plan_of(LINE, AFTER, BYE)) as engines:
        await engines.first.call(talk_seconds=2)
        await engines.first.reached(TALKS)
        await engines.killed(4.5)
        room = await engines.second()
        call = await room.the_end(5)

    assert call.disposition is Disposition.ANSWERED
    assert 1.5 <= call.talk_seconds() <= 2.8
    (leg,) = [leg for leg in call.legs if leg.purpose is LegPurpose.AGENT]
    assert leg.ended_by is EndedBy.AGENT
    assert path(call) == [("line", "done"), ("after", "next"), ("bye", "end")]


async def test_answered_and_over_while_nobody_listened(pbx: Pbx) -> None:
    """Both stand on the channel."""
    async with succession(pbx, plan_of(LINE, AFTER, BYE)) as engines:
        await engines.first.call(talk_seconds=1)
        await engines.first.reached(WAITS)
        await engines.killed(5.5)
        room = await engines.second()
        call = await room.the_end(5)

    assert call.disposition is Disposition.ANSWERED
    assert call.agent == "agent-slow"
    assert 0.2 <= call.talk_seconds() <= 3  # they talked one
    assert path(call) == [("line", "done"), ("after", "next"), ("bye", "end")]


async def test_who_is_dialled_is_rung_on_and_answers(pbx: Pbx) -> None:
    """One attempt; whoever is rung hears the question once."""
    async with succession(pbx, plan_of(DIAL, AFTER, BYE)) as engines:
        await engines.first.call(talk_seconds=2)
        before = await engines.first.reached(RINGS)
        await engines.killed(1.0)
        room = await engines.second()
        await room.reached(TALKS)
        call = await room.the_end(15)

    assert call.disposition is Disposition.REDIRECTED
    (dial,) = call.dials
    assert dial.started_at == before.dials[0].started_at
    assert dial.outcome is DialOutcome.ANSWERED
    assert 1.5 <= call.talk_seconds() <= 3


async def test_who_was_dialled_accepted_while_nobody_listened(pbx: Pbx, callers: Callers) -> None:
    """By a telephone: of a call between two halves of a Local channel the note would be on the other one."""
    async with succession(pbx, plan_of(DIAL, AFTER, BYE)) as engines:
        pbx.cli("dialplan set global TALK 6")
        callers.call("listen", DID)
        await engines.first.reached(RINGS)
        await engines.killed(6.5)
        room = await engines.second()
        await room.reached(TALKS, 2)
        call = await room.the_end(15)

    assert call.disposition is Disposition.REDIRECTED
    assert 5 <= call.talk_seconds() <= 7.5
    assert path(call) == [("dial", "done"), ("after", "next"), ("bye", "end")]


def files_of(pbx: Pbx, call: Call) -> list[float]:
    return [recorded_in(pbx.recordings_dir, f"{call.call_id}-0").seconds]


@pytest.mark.parametrize("gap_seconds", [0.5, 5.0])
async def test_a_recording_is_kept_once_and_the_tree_goes_on(pbx: Pbx, gap_seconds: float) -> None:
    """Whether it ended while nobody listened, or afterwards; it is as long as its file."""
    async with succession(pbx, plan_of(MESSAGE, AFTER, BYE)) as engines:
        await engines.first.call("speak")
        await engines.first.reached(RECORDS)
        await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 5)  # else it begins after they spoke
        await engines.killed(gap_seconds)
        room = await engines.second()
        call = await room.the_end(12)
        kept = [fact.message for fact in room.seen if isinstance(fact, MessageLeft)]

    assert call.disposition is Disposition.MESSAGE_LEFT
    assert kept == list(call.messages)
    assert [message.seconds for message in kept] == files_of(pbx, call)
    assert files_of(pbx, call)[0] > 1
    assert path(call)[-2:] == [("after", "next"), ("bye", "end")]


async def test_a_caller_who_hangs_up_while_they_are_recorded(pbx: Pbx) -> None:
    """After the takeover: their message is whole."""
    async with succession(pbx, plan_of(MESSAGE, AFTER, BYE)) as engines:
        await engines.first.call("speak-and-go")
        await engines.first.reached(RECORDS)
        await engines.killed(0.5)
        room = await engines.second()
        call = await room.the_end(12)

    assert call.disposition is Disposition.MESSAGE_LEFT
    assert [message.seconds for message in call.messages] == files_of(pbx, call)


async def test_who_hung_up_in_the_gap_is_nobodys(pbx: Pbx) -> None:
    """Asterisk's journal has their record."""
    async with succession(pbx, plan_of(QUIET, AFTER, BYE)) as engines:
        await engines.first.call("leave-1")
        await engines.first.reached(WAITS)
        await engines.killed(3.0)
        room = await engines.second()
        assert taken_over(room) == []
        assert len(room.calls) == 0
        assert "callrouter/ended" in pbx.cli("database show callrouter/ended")
        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 5)
    pbx.cli("database deltree callrouter/ended")


async def test_a_hang_up_after_the_takeover_is_heard(pbx: Pbx) -> None:
    async with succession(pbx, plan_of(QUIET, HangupNode(name="after"), BYE)) as engines:
        await engines.first.call("leave-3")
        await engines.first.reached(WAITS)
        await engines.killed(0.5)
        room = await engines.second()
        call = await room.the_end(6)
        await asyncio.sleep(0.2)

    assert call.disposition is Disposition.ABANDONED
    assert len(room.ended) == 1
    assert 2 <= call.waiting_seconds(call.queue_visits[0].entered_at) <= 4
