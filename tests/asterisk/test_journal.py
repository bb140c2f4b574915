"""Calls that Asterisk served alone are collected from AstDB, once, and with what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from callers import Pbx
from engine_room import DID, EXTENSIONS, engine_room, plan_of, until
from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk.journal import (
    _CALL_ID,
    _FIELDS,
    FAMILY,
    EndedJournal,
    EndedRow,
    PlanLookup,
    ended_call,
    read_row,
)
from callrouter.asterisk.provision import fallback_of, publish_fallbacks
from callrouter.core import engine, inputs, state
from callrouter.core.call import CallerId, CallState, Disposition
from callrouter.core.effects import Sound
from callrouter.core.facts import CallEnded
from callrouter.core.nodes import HangupNode, MenuNode, QueueNode, RedirectNode

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
QUEUE = QueueNode(name="queue", queue="medical", max_wait_seconds=60.0, exits={"overflow": "bye"})
BYE = HangupNode(name="bye")
PLAN = plan_of(QUEUE, BYE, fallback="queue")
LOOKUP = PlanLookup(lambda client, version: PLAN if version == PLAN.version else None, lambda did: PLAN)


ID = f"{int(AT.timestamp())}-2-3"


def row(encoded: str = "", how: str = "1", agent: str = "", waited: str = "") -> EndedRow:
    """What the handler wrote one minute after the call rang."""
    value = f"{int(AT.timestamp()) + 60}|16|{DID}|+33612340001|{how}|{agent}|{waited}|{encoded}"
    found = read_row(f"/callrouter/ended/{ID}", value)
    assert found is not None
    return found


def test_a_call_no_engine_took_is_a_failed_one() -> None:
    """Recorded, with what Asterisk knew."""
    call = ended_call(row(), LOOKUP, "FR")

    assert (call.call_id, call.client, call.did, call.caller.number) == (ID, "test", DID, "+33612340001")
    assert call.disposition is Disposition.FAILED
    assert call.ended
    assert call.clocks.ringing_at == AT
    assert call.clocks.ended_at == AT + timedelta(seconds=60)


def test_a_call_the_fallback_queue_answered_is_answered() -> None:
    """app_queue left the agent's name and the wait on the channel."""
    call = ended_call(row(agent="agent-2", waited="12"), LOOKUP, "FR")

    assert call.disposition is Disposition.ANSWERED
    assert call.agent == "agent-2"
    assert call.clocks.bridged_at == AT + timedelta(seconds=12)


def test_an_agent_who_answered_while_no_engine_lived_is_known() -> None:
    """The engine had put the caller in the queue, and was killed before anybody answered."""
    offered = inputs.CallOffered(call_id=ID, did=DID, caller=CallerId(number="+33612340001"), at=AT)
    waiting = engine.start(PLAN, offered).call
    encoded = state.encode(PLAN, waiting).decode()

    answered = ended_call(row(encoded, how="taken", agent="agent-1", waited="9"), LOOKUP, "FR")
    alone = ended_call(row(encoded, how="taken"), LOOKUP, "FR")

    assert (answered.disposition, answered.agent) == (Disposition.ANSWERED, "agent-1")
    assert answered.talk_seconds() == 51
    assert alone.disposition is Disposition.ABANDONED


def test_a_caller_gone_before_any_engine_heard_of_him_left_early() -> None:
    """Cancelled in the milliseconds before AGI."""
    assert ended_call(row(how="new"), LOOKUP, "FR").disposition is Disposition.LEFT_EARLY


def test_a_call_an_engine_had_keeps_what_was_reached() -> None:
    """It was in a conversation when the engine went away: answered, and talked until the end."""
    offered = inputs.CallOffered(call_id=ID, did=DID, caller=CallerId(number="+33612340001"), at=AT)
    call = engine.start(PLAN, offered).call
    answered = engine.step(PLAN, call, inputs.AgentAnswered(agent="agent-1", at=AT + timedelta(seconds=7))).call
    written = ended_call(row(state.encode(PLAN, answered).decode()), LOOKUP, "FR")

    assert Disposition.ANSWERED is written.disposition
    assert written.agent == "agent-1"
    assert written.waiting_seconds(AT) == 7
    assert AT + timedelta(seconds=60) == written.clocks.ended_at


WAITING = engine.start(
    PLAN, inputs.CallOffered(call_id=ID, did=DID, caller=CallerId(number="+33612340001"), at=AT)
).call
STATE = state.encode(PLAN, WAITING).decode()
ANSWERED_STATE = state.encode(
    PLAN, engine.step(PLAN, WAITING, inputs.AgentAnswered(agent="agent-1", at=AT + timedelta(seconds=7))).call
).decode()

ODD = st.sampled_from(
    ["", "0", "-1", "16", "new", "taken", "1", "agent-1", "٣", "²", "9" * 11, "9" * 400, "\x00", "\ud800"]
)
EPOCHS = st.one_of(st.integers(0, 10**10 - 1).map(str), ODD)
ANY = st.one_of(ODD, st.text(max_size=20).map(lambda text: text.replace("|", "")), st.integers(0, 10**12).map(str))
STATES = st.one_of(
    st.sampled_from(["", STATE, ANSWERED_STATE]),
    st.builds(lambda end: ANSWERED_STATE[:end], st.integers(0, len(ANSWERED_STATE))),
    st.builds(
        lambda at, odd: STATE[:at] + odd + STATE[at + 1 :],
        st.integers(0, len(STATE) - 1),
        st.characters(max_codepoint=300),
    ),
    st.text(max_size=40),
)
VALUES = st.builds(
    lambda epoch, fields, encoded: "|".join([epoch, *fields, encoded]),
    EPOCHS,
    st.lists(ANY, min_size=_FIELDS - 2, max_size=_FIELDS - 2),
    STATES,
)
"""Rows of the right number of fields, whose first is nearly always an instant and whose last is often a call."""
IDS = st.one_of(st.just(ID), st.from_regex(_CALL_ID, fullmatch=True), EPOCHS.map(lambda epoch: f"{epoch}-1-2"))


@given(IDS.map(lambda call_id: f"/{FAMILY}/{call_id}"), VALUES)
def test_any_row_is_read_or_passed_over(key: str, value: str) -> None:
    """Whatever stands in a row that looks like ours, nothing is raised, and what is read is a call that has ended."""
    found = read_row(key, value)

    assert (found is not None) == _is_readable(key, value)
    if found is not None:
        call = ended_call(found, LOOKUP, "FR")
        assert call.ended
        assert call.call_id == found.call_id
        assert call.clocks.ended_at is not None
        assert call.clocks.ringing_at <= call.clocks.ended_at


def _is_readable(key: str, value: str) -> bool:
    epoch = value.partition("|")[0]
    return epoch.isdecimal() and len(epoch) <= 10 and _CALL_ID.fullmatch(key.rpartition("/")[2]) is not None


@given(st.text(), st.text())
def test_what_is_no_row_is_passed_over(key: str, value: str) -> None:
    """Somebody else's entries in AstDB."""
    assert read_row(key, value) is None or value.count("|") >= _FIELDS - 1


def test_the_fallback_asterisk_can_follow() -> None:
    """A queue, a number, or the closed prompt."""
    number = RedirectNode(name="number", number="+33199000099", exits={"failed": "bye"})

    assert fallback_of(PLAN) == "queue:medical"
    assert fallback_of(plan_of(number, BYE, fallback="number")) == "number:+33199000099"
    assert fallback_of(plan_of(BYE)) == "closed"


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk that waits one second for an engine."""
    with Pbx.start(
        tmp_path_factory.mktemp("journal") / "pbx", admission_seconds=1, extra_conf={"extensions": EXTENSIONS}
    ) as running:
        running.cli("module load res_clioriginate.so")
        yield running


async def test_calls_without_an_engine_are_collected_by_the_next(pbx: Pbx) -> None:
    """Told once, kept by Asterisk until they are committed, and then gone."""
    pbx.cli(f"channel originate Local/{DID}@callrouter-entry/n extension listen@test-caller")
    await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), 5)
    pbx.cli("channel request hangup all")
    await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)

    told: list[CallEnded] = []
    async with engine_room(pbx, PLAN) as room:
        journal = EndedJournal(room.link, LOOKUP, "FR", tell=told.append, live=lambda _: False)
        found = await journal.collect()
        assert await journal.collect() == []
        assert [fact.call.did for fact in told] == [DID]
        assert "1 results" in pbx.cli("database show callrouter/ended")
        journal.committed(found)
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)


async def test_a_killed_engines_call_is_recorded_by_the_next(pbx: Pbx) -> None:
    """What it had known comes back from the channel: the caller hung up while nobody listened."""
    menu = MenuNode(
        name="menu",
        sounds=(Sound(file="silence/10", seconds=10.0),),
        keys=("1",),
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
    )
    plan = plan_of(menu, BYE)
    async with engine_room(pbx, plan) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        room.link._session.abort("killed")
        pbx.cli("channel request hangup all")
        await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)

    told: list[CallEnded] = []
    async with engine_room(pbx, plan) as room:
        lookup = PlanLookup(lambda client, version: plan, lambda did: plan)
        journal = EndedJournal(room.link, lookup, "FR", tell=told.append, live=lambda _: False)
        journal.committed(await journal.collect())
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    (ended,) = [fact.call for fact in told]
    assert ended.call_id == call.call_id
    assert ended.clocks.ringing_at == call.clocks.ringing_at
    assert ended.disposition is Disposition.LEFT_EARLY


async def test_our_own_calls_are_struck_off_and_never_told(pbx: Pbx) -> None:
    """Asterisk writes a row for every call; the one who saw it end has it in its record."""
    told: list[CallEnded] = []
    async with engine_room(pbx, plan_of(BYE)) as room:
        journal = EndedJournal(room.link, LOOKUP, "FR", tell=told.append, live=lambda _: False)
        await room.call()
        ended = await room.the_end()
        journal.observe(room.seen)
        await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)
        assert await journal.collect() == []
        journal.committed([ended.call_id])
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    assert told == []


async def test_fallbacks_are_published(pbx: Pbx) -> None:
    """Asterisk alone can serve each number."""
    async with engine_room(pbx, PLAN) as room:
        publish_fallbacks(room.link, [PLAN])
        await until(lambda: f"/callrouter/fallback/{DID}" in pbx.cli("database show callrouter/fallback"), 5)

    assert "queue:medical" in pbx.cli("database show callrouter/fallback")
