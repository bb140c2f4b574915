"""Calls that Asterisk served alone are collected from AstDB, once, and with what is known of them."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk.alone.ready_made import fallback_of
from callrouter.asterisk.ended_row import (
    _CALL_ID,
    _FIELDS,
    _FORMAT,
    _OLD_FIELDS,
    EndedRow,
    ended_call,
    read_row,
    version_of,
)
from callrouter.asterisk.journal import FAMILY, EndedJournal, PlanLookup
from callrouter.asterisk.provision import Fallbacks
from callrouter.core import engine, inputs, state
from callrouter.core.call import Call, CallerId, CallState, DialOutcome, Disposition, Presentation, replace
from callrouter.core.effects import Sound
from callrouter.core.facts import CallCorrected, CallEnded
from callrouter.core.nodes import DialNode, HangupNode, MenuNode, QueueNode, RedirectNode
from callrouter.core.plan import Plan
from callrouter.core.rota import Contact
from callrouter.errors import DatabaseUnreachable
from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Callers, Pbx, free_port
from tests.asterisk.engine_room import DID, EXTENSIONS, QUEUES, EngineRoom, engine_room, killed, plan_of, until

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
QUEUE = QueueNode(name="queue", queue="medical", max_wait_seconds=60.0, exits={"overflow": "bye"})
BYE = HangupNode(name="bye")
MENU = MenuNode(
    name="menu",
    sounds=(Sound(file="silence/10", seconds=10.0),),
    keys=("1",),
    exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
)
REDIRECT = RedirectNode(name="number", number="+33639980001", ring_seconds=20.0, exits={"failed": "bye"})
PLAN = plan_of(QUEUE, BYE, fallback="queue")
MENU_PLAN = plan_of(MENU, BYE)
REDIRECT_PLAN = plan_of(REDIRECT, BYE)
ID = f"{int(AT.timestamp())}-2-3"
ENDED_AT = AT + timedelta(seconds=60)


def lookup(plan: Plan = PLAN) -> PlanLookup:
    """One plan, in one version, for every number."""

    async def by_version(client: str, version: str) -> Plan | None:
        return plan if version == plan.version else None

    return PlanLookup(by_version=by_version, by_did=lambda did: plan)


LOOKUP = lookup()


def concluded(found: EndedRow, plan: Plan = PLAN) -> Call:
    """The call of a row, by this plan if it has a state."""
    return ended_call(found, plan if version_of(found) else None, plan, "FR")


def row(
    encoded: str = "", how: str = "1", *, lost: float | None = None, before: str = "", answers: str = ""
) -> EndedRow:
    """What the handler wrote one minute after the call rang; `lost` after so many seconds."""
    lost_at = "" if lost is None else str(epoch(lost))
    value = f"v2|{epoch(60)}|16|{DID}|a|+33612340001|{how}|{lost_at}|{before}|{answers}|{encoded}"
    found = read_row(f"/callrouter/ended/{ID}", value)
    assert found is not None
    return found


def older_row(encoded: str = "", how: str = "1", agent: str = "", waited: str = "") -> EndedRow:
    """The same in the format before."""
    value = f"{epoch(60)}|16|{DID}|+33612340001|{how}|{agent}|{waited}|{encoded}"
    found = read_row(f"/callrouter/ended/{ID}", value)
    assert found is not None
    return found


def epoch(seconds: float) -> int:
    """So many seconds after the call rang."""
    return int(AT.timestamp() + seconds)


def begun(plan: Plan, *, seconds: float = 0) -> Call:
    """A call of that plan, at its first wait."""
    at = AT + timedelta(seconds=seconds)
    return engine.start(
        plan, inputs.CallOffered(call_id=ID, did=DID, caller=CallerId(number="+33612340001"), at=at)
    ).call


def written(plan: Plan, call: Call) -> str:
    """As the channel carries it."""
    return state.encode(plan, call).decode()


def test_a_call_no_engine_took_is_a_failed_one() -> None:
    """Recorded, with what Asterisk knew."""
    for found in (row(), older_row()):
        call = concluded(found)

        assert (call.call_id, call.client, call.did, call.caller.number) == (ID, "test", DID, "+33612340001")
        assert call.disposition is Disposition.FAILED
        assert call.ended
        assert call.clocks.ringing_at == AT
        assert call.clocks.ended_at == ENDED_AT


def test_a_call_the_fallback_queue_answered_is_answered() -> None:
    """app_queue left the agent's name and the wait on the channel; the queue was entered when the lease had run out."""
    call = concluded(row(lost=5, answers=f"agent-2/{epoch(5)}/12/"))
    older = concluded(older_row(agent="agent-2", waited="12"))

    assert call.disposition is older.disposition is Disposition.ANSWERED
    assert call.agent == older.agent == "agent-2"
    assert call.clocks.bridged_at == AT + timedelta(seconds=17)
    assert older.clocks.bridged_at == AT + timedelta(seconds=12)
    assert (call.waiting_seconds(ENDED_AT), call.talk_seconds()) == (12, 43)


def test_an_agent_who_answered_while_no_engine_lived_is_known() -> None:
    """The engine had put the caller in the queue, and was killed before anybody answered."""
    encoded = written(PLAN, begun(PLAN))

    answered = concluded(row(encoded, how="taken", answers=f"agent-1/{epoch(0)}/9/"))
    older = concluded(older_row(encoded, how="taken", agent="agent-1", waited="9"))
    alone = concluded(row(encoded, how="taken"))

    assert (answered.disposition, answered.agent) == (Disposition.ANSWERED, "agent-1")
    assert answered.talk_seconds() == older.talk_seconds() == 51
    assert alone.disposition is Disposition.ABANDONED


def test_talk_ends_with_the_conversation_though_nobody_went_on() -> None:
    """They were answered nine seconds after the call rang, the agent hung up at 30, and the fallback at 60."""
    for plan, answers, disposition in (
        (PLAN, f"agent-1/{epoch(0)}/9//", Disposition.ANSWERED),
        (REDIRECT_PLAN, f"///{epoch(9)}/", Disposition.REDIRECTED),
    ):
        encoded = written(plan, begun(plan))
        over = concluded(row(encoded, how="taken", answers=f"{answers}//{epoch(30)}"), plan)
        earlier = concluded(row(encoded, how="taken", answers=f"{answers}//{epoch(4)}"), plan)

        assert (over.disposition, over.talk_seconds(), over.clocks.ended_at) == (disposition, 21, ENDED_AT)
        assert (earlier.disposition, earlier.talk_seconds()) == (disposition, 51)


def test_whoever_answered_where_a_phone_forwards_is_nobody_of_the_team() -> None:
    """The agent's telephone sent the call elsewhere by itself: answered, and by no agent."""
    alone = concluded(row(lost=5, answers=f"_forwarded/{epoch(5)}/12/"))
    taken = concluded(row(written(PLAN, begun(PLAN)), how="taken", answers=f"_forwarded/{epoch(0)}/9/"))

    assert (alone.disposition, alone.agent) == (taken.disposition, taken.agent) == (Disposition.ANSWERED, "")
    assert (alone.talk_seconds(), taken.talk_seconds()) == (43, 51)


def test_a_conversation_that_was_over_before_the_fallback_took_the_call() -> None:
    """The agent hung up first: the lease led the caller to the fallback's queue, where another one answered."""
    encoded = written(PLAN, begun(PLAN))
    call = concluded(row(encoded, lost=20, before=f"agent-1/{epoch(0)}/9/", answers=f"agent-2/{epoch(20)}/10/"))

    assert [(visit.agent, visit.waiting_seconds(AT), visit.talk_seconds()) for visit in call.queue_visits] == [
        ("agent-1", 9, 11),
        ("agent-2", 10, 30),
    ]


def test_a_caller_lost_in_a_menu_waits_from_then_on() -> None:
    """The fallback's queue answered after 25 seconds: not within 20, and the conversation counts."""
    call = concluded(row(written(MENU_PLAN, begun(MENU_PLAN)), lost=13, answers=f"agent-1/{epoch(13)}/25/"), MENU_PLAN)

    assert call.disposition is Disposition.ANSWERED
    assert call.waiting_seconds(ENDED_AT) == 25
    assert call.talk_seconds() == 22
    assert call.clocks.entered_service_at == AT + timedelta(seconds=13)
    assert call.clocks.bridged_at == AT + timedelta(seconds=38)


@pytest.mark.parametrize("plan_name", ["redirect", "menu", "queue"])
def test_a_number_of_the_fallback_that_answered_is_redirected(plan_name: str) -> None:
    """Whatever the caller had waited for before."""
    plan = {"redirect": REDIRECT_PLAN, "menu": MENU_PLAN, "queue": PLAN}[plan_name]
    call = concluded(row(written(plan, begun(plan)), lost=10, answers=f"///{epoch(30)}"), plan)

    assert call.disposition is Disposition.REDIRECTED
    assert call.clocks.bridged_at == AT + timedelta(seconds=30)
    assert call.talk_seconds() == 30
    assert call.waiting_seconds(ENDED_AT) == (20 if plan_name == "menu" else 30)


def test_a_number_that_answered_a_call_no_engine_took_is_redirected() -> None:
    """The fallback is all there was."""
    call = concluded(row(lost=5, answers=f"///{epoch(15)}"))

    assert call.disposition is Disposition.REDIRECTED
    assert (call.waiting_seconds(ENDED_AT), call.talk_seconds()) == (10, 45)


def test_whoever_accepted_a_dial_while_no_engine_lived_is_known() -> None:
    """The engine was killed while the doctor's telephone rang."""
    encoded = written(REDIRECT_PLAN, begun(REDIRECT_PLAN))
    accepted = concluded(row(encoded, how="taken", answers=f"///{epoch(8)}"), REDIRECT_PLAN)
    alone = concluded(row(encoded, how="taken"), REDIRECT_PLAN)

    assert accepted.disposition is Disposition.REDIRECTED
    assert (accepted.waiting_seconds(ENDED_AT), accepted.talk_seconds()) == (8, 52)
    assert alone.disposition is Disposition.ABANDONED


def test_who_of_several_took_the_call_while_no_engine_lived_is_known() -> None:
    """By the leg that accepted; a row of the release before does not say it, and one that is odd says the first."""
    contacts = (Contact(name="nurse", number="+33639980001"), Contact(name="doctor", number="+33639980002"))
    plan = plan_of(DialNode(name="both", contacts=contacts, at_once=True, exits={"no_answer": "bye"}), BYE)
    encoded = written(plan, begun(plan))
    answered_by = {
        leg: concluded(row(encoded, how="taken", answers=f"///{epoch(8)}{leg}"), plan).dials[0].answered_by
        for leg in ("/1", "/0", "/", "", "/7", "/x", "/1/2")
    }

    assert answered_by == {
        "/1": "doctor",
        "/0": "nurse",
        "/": "nurse",
        "": "nurse",
        "/7": "nurse",
        "/x": "nurse",
        "/1/2": "doctor",
    }


def test_a_number_of_the_fallback_is_nobody_who_was_dialled() -> None:
    """The dial ended with the loss of control; what answered then is Asterisk's own."""
    plan = REDIRECT_PLAN
    call = concluded(row(written(plan, begun(plan)), lost=10, answers=f"///{epoch(30)}/"), plan)

    assert [(attempt.outcome, attempt.answered_by) for attempt in call.dials] == [
        (DialOutcome.FAILED, None),
        (DialOutcome.ANSWERED, "(fallback)"),
    ]


def test_who_answered_earlier_did_not_answer_now() -> None:
    """What an earlier queue left on the channel says nothing of a dial, nor of a menu."""
    for plan, expected in ((REDIRECT_PLAN, Disposition.ABANDONED), (MENU_PLAN, Disposition.LEFT_EARLY)):
        call = concluded(row(written(plan, begun(plan)), how="taken", answers=f"agent-1/{epoch(-90)}/9/"), plan)
        assert call.disposition is expected


def test_a_caller_gone_before_any_engine_heard_of_him_left_early() -> None:
    """Cancelled in the milliseconds before AGI."""
    assert concluded(row(how="new")).disposition is Disposition.LEFT_EARLY


@pytest.mark.parametrize(
    ("shown", "number", "presentation"),
    [
        ("p", "", Presentation.WITHHELD),
        ("p", "+33612340001", Presentation.WITHHELD),
        ("a", "anonymous", Presentation.WITHHELD),
        ("f", "", Presentation.UNAUTHENTICATED),
        ("f", "anonymous", Presentation.UNAUTHENTICATED),
        ("u", "", Presentation.UNAVAILABLE),
        ("a", "", Presentation.UNAVAILABLE),
    ],
)
def test_a_number_that_is_withheld_is_not_recorded(shown: str, number: str, presentation: Presentation) -> None:
    """Should Asterisk have written it down or not."""
    found = read_row(f"/callrouter/ended/{ID}", f"v2|{epoch(60)}|16|{DID}|{shown}|{number}|1|{epoch(5)}|///|///|")
    assert found is not None

    assert concluded(found).caller == CallerId(presentation=presentation)


def test_a_call_an_engine_had_keeps_what_was_reached() -> None:
    """It was in a conversation when the engine went away: answered, and talked until the end."""
    call = begun(PLAN)
    answered = engine.step(PLAN, call, inputs.AgentAnswered(agent="agent-1", at=AT + timedelta(seconds=7))).call
    for found in (row(written(PLAN, answered), how="taken"), older_row(written(PLAN, answered))):
        ended = concluded(found)

        assert ended.disposition is Disposition.ANSWERED
        assert ended.agent == "agent-1"
        assert ended.waiting_seconds(AT) == 7
        assert ended.clocks.ended_at == ENDED_AT


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
ANSWERS = st.builds("/".join, st.lists(ODD, min_size=1, max_size=5))
VALUES = st.one_of(
    st.builds(
        lambda epoch, fields, encoded: "|".join([_FORMAT, epoch, *fields, encoded]),
        EPOCHS,
        st.lists(st.one_of(ANY, ANSWERS, EPOCHS), min_size=_FIELDS - 3, max_size=_FIELDS - 3),
        STATES,
    ),
    st.builds(
        lambda epoch, fields, encoded: "|".join([epoch, *fields, encoded]),
        EPOCHS.filter(lambda epoch: epoch != _FORMAT),
        st.lists(ANY, min_size=_OLD_FIELDS - 2, max_size=_OLD_FIELDS - 2),
        STATES,
    ),
)
"""Rows of the right number of fields, whose first is nearly always an instant and whose last is often a call."""
IDS = st.one_of(st.just(ID), st.from_regex(_CALL_ID, fullmatch=True), EPOCHS.map(lambda epoch: f"{epoch}-1-2"))


@given(IDS.map(lambda call_id: f"/{FAMILY}/{call_id}"), VALUES)
def test_any_row_is_read_or_passed_over(key: str, value: str) -> None:
    """Whatever stands in a row that looks like ours, nothing is raised, and what is read is a call that has ended."""
    found = read_row(key, value)

    assert (found is not None) == _is_readable(key, value)
    if found is not None:
        call = concluded(found)
        assert call.ended
        assert call.call_id == found.call_id
        assert call.clocks.ended_at is not None
        assert call.clocks.ringing_at <= call.clocks.ended_at
        assert call.waiting_seconds(call.clocks.ended_at) >= 0


def _is_readable(key: str, value: str) -> bool:
    epoch = value.removeprefix(f"{_FORMAT}|").partition("|")[0]
    read = epoch.isascii() and epoch.isdecimal() and len(epoch) <= 10
    return read and _CALL_ID.fullmatch(key.rpartition("/")[2]) is not None


@given(st.text(), st.text())
def test_what_is_no_row_is_passed_over(key: str, value: str) -> None:
    """Somebody else's entries in AstDB."""
    assert read_row(key, value) is None or value.count("|") >= _OLD_FIELDS - 1


def test_the_fallback_asterisk_can_follow() -> None:
    """A queue, a number, or the closed prompt."""
    number = RedirectNode(name="number", number="+33199000099", exits={"failed": "bye"})

    assert fallback_of(PLAN, DID) == "queue:medical"
    assert fallback_of(plan_of(number, BYE, fallback="number"), DID) == "number:+33199000099"
    assert fallback_of(plan_of(BYE), DID) == "closed"


CARRIER_PORT = free_port(socket.SOCK_DGRAM)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk that waits one second for an engine."""
    with Pbx.start(
        tmp_path_factory.mktemp("journal") / "pbx",
        admission_seconds=1,
        carrier=f"127.0.0.1:{CARRIER_PORT}",
        extra_conf={"extensions": EXTENSIONS, "queues": QUEUES},
    ) as running:
        running.cli("module load res_clioriginate.so")
        yield running


async def collected(pbx: Pbx, plan: Plan = PLAN) -> Call:
    """The one call of the journal, as an engine that starts finds it; its row is struck off."""
    await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)
    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, plan) as room:
        journal = EndedJournal(room.link, lookup(plan), "FR", live=lambda _: False)
        journal.safe(await journal.collect(told.append))
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)
    (ended,) = told
    return ended.call


async def silence(pbx: Pbx) -> None:
    """All calls are over."""
    await until(lambda: pbx.cli("core show channels count").startswith("0 active channels"), 15)


async def test_calls_without_an_engine_are_collected_by_the_next(pbx: Pbx) -> None:
    """Told once, kept by Asterisk until they are committed, and then gone."""
    pbx.cli(f"channel originate Local/{DID}@callrouter-entry/n extension listen@test-caller")
    await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), 5)
    pbx.cli("channel request hangup all")
    await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)

    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, PLAN) as room:
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False)
        found = await journal.collect(told.append)
        assert await journal.collect(told.append) == []
        assert [fact.call.did for fact in told] == [DID]
        assert "1 results" in pbx.cli("database show callrouter/ended")
        journal.safe(found)
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)


async def test_a_killed_engines_call_is_recorded_by_the_next(pbx: Pbx) -> None:
    """What it had known comes back from the channel: the caller hung up while nobody listened."""
    async with engine_room(pbx, MENU_PLAN) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        await killed(room.link)
        pbx.cli("channel request hangup all")
        await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)

    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, MENU_PLAN) as room:
        journal = EndedJournal(room.link, lookup(MENU_PLAN), "FR", live=lambda _: False)
        journal.safe(await journal.collect(told.append))
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    (ended,) = [fact.call for fact in told]
    assert ended.call_id == call.call_id
    assert ended.clocks.ringing_at == call.clocks.ringing_at
    assert ended.disposition is Disposition.LEFT_EARLY


async def test_a_withheld_number_is_not_written_down(pbx: Pbx) -> None:
    """Nobody may look it up in Asterisk's database, nor in our record."""
    pbx.cli(f"channel originate Local/withheld{DID}@test-caller/n extension listen@test-caller")
    await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), 5)
    pbx.cli("channel request hangup all")
    await silence(pbx)
    shown = pbx.cli("database show callrouter/ended")
    call = await collected(pbx)

    assert "612340009" not in shown
    assert call.caller == CallerId(presentation=Presentation.WITHHELD)


async def killed_while(room: EngineRoom, callers: Callers, state: CallState) -> None:
    """A caller rings; once their call is in that state, the engine is killed."""
    callers.call("listen", DID)
    await room.reached(lambda call: call.state is state)
    await killed(room.link)


async def test_a_dial_that_was_answered_after_the_engines_death(pbx: Pbx, callers: Callers) -> None:
    """The doctor accepted 1.5 seconds after the engine had been killed."""
    slow = RedirectNode(name="number", number="+33639980006", ring_seconds=20.0, exits={"failed": "bye"})
    plan = plan_of(slow, BYE)
    pbx.cli("dialplan set global TALK 15")
    async with engine_room(pbx, plan) as room:
        await killed_while(room, callers, CallState.DIALLING)
        await asyncio.sleep(5)
    await silence(pbx)
    call = await collected(pbx, plan)

    assert call.disposition is Disposition.REDIRECTED
    assert call.clocks.ended_at is not None
    assert 0.4 <= call.waiting_seconds(call.clocks.ended_at) <= 4  # Asterisk notes whole seconds
    assert call.talk_seconds() >= 1


@pytest.mark.parametrize("answers_late", [False, True], ids=["talking already", "answered later"])
@pytest.mark.parametrize("queue", [False, True], ids=["dial", "queue"])
async def test_who_waits_for_an_engine_after_their_conversation_does_not_talk(
    pbx: Pbx, callers: Callers, queue: bool, answers_late: bool
) -> None:
    """Whom they talked to hung up while no engine was there; they heard music until the lease was over."""
    number = RedirectNode(name="number", number="+33639980006", ring_seconds=20.0, exits={"failed": "bye"})
    line = QueueNode(name="line", queue="slow", max_wait_seconds=60, exits={"overflow": "bye"})
    plan = plan_of(line if queue else number, BYE)
    pbx.cli("dialplan set global TALK 2")
    async with engine_room(pbx, plan) as room:
        state = (CallState.QUEUED if queue else CallState.DIALLING) if answers_late else CallState.CONNECTED
        callers.call("listen", DID)
        await room.reached(lambda call: call.state is state)
        await killed(room.link)
        await silence(pbx)
    call = await collected(pbx, plan)

    assert call.disposition is (Disposition.ANSWERED if queue else Disposition.REDIRECTED)
    assert call.clocks.bridged_at is not None
    assert call.clocks.ended_at is not None
    assert (
        0.9 <= call.talk_seconds() <= 4.7
    )  # 2.7 of them, by Asterisk's whole seconds at either end; with the wait 7.7
    assert (call.clocks.ended_at - call.clocks.bridged_at).total_seconds() > 5


async def test_a_caller_in_a_menu_whom_the_fallback_queue_served(pbx: Pbx, callers: Callers) -> None:
    """Killed in a menu; the queue answers after 1.5 seconds: that is their waiting, and the rest their conversation."""
    pbx.cli("dialplan set global TALK 15")
    pbx.cli(f"database put callrouter/fallback {DID} queue:slow")
    async with engine_room(pbx, MENU_PLAN) as room:
        callers.call("listen", DID)
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        room.link.post_batch(room.switch.lines[call.call_id].channel.wake(1.0))
        await asyncio.sleep(0.05)
        await killed(room.link)
        await asyncio.sleep(6)
    await silence(pbx)
    forget(pbx)
    call = await collected(pbx, MENU_PLAN)

    assert (call.disposition, call.agent) == (Disposition.ANSWERED, "agent-slow")
    assert call.clocks.ended_at is not None
    assert 0.4 <= call.waiting_seconds(call.clocks.ended_at) <= 4  # Asterisk notes whole seconds
    assert call.talk_seconds() >= 1


async def test_a_number_of_the_fallback_that_answers_is_redirected(pbx: Pbx, callers: Callers) -> None:
    """No engine at all: Asterisk dials the client's own number."""
    pbx.cli(f"database put callrouter/fallback {DID} number:+33611223344")
    callers.phone(CARRIER_PORT, ring_ms=500)
    callers.call("listen", DID)
    await until(lambda: pbx.cli("core show channels concise").count("!Up!") >= 2, 8)
    await asyncio.sleep(2)
    pbx.cli("channel request hangup all")
    await silence(pbx)
    forget(pbx)
    call = await collected(pbx)

    assert call.disposition is Disposition.REDIRECTED
    assert call.talk_seconds() >= 1


async def test_our_own_calls_are_struck_off_and_never_told(pbx: Pbx) -> None:
    """Asterisk writes a row for every call; the one who saw it end has it in its record."""
    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, plan_of(BYE)) as room:
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False)
        await room.call()
        ended = await room.the_end()
        journal.observe(room.seen)
        await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)
        assert await journal.collect(told.append) == []
        journal.safe([ended.call_id])
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    assert told == []


async def test_an_end_that_was_guessed_is_corrected(pbx: Pbx, callers: Callers) -> None:
    """The engine stopped without its link, and the caller stayed: the next one corrects the record, and counts none."""
    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, MENU_PLAN) as room:
        callers.call("listen", DID)
        await room.reached(lambda call: call.state is CallState.COLLECTING)
        await asyncio.sleep(0.5)
        await killed(room.link)
        room.driver.conclude("the engine stopped", datetime.now(UTC))
        guess = await room.the_end()
        await asyncio.sleep(2)  # Asterisk notes whole seconds
    pbx.cli("channel request hangup all")
    await silence(pbx)

    async def known(call_ids: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(call_ids, False)

    async with engine_room(pbx, MENU_PLAN) as room:
        journal = EndedJournal(room.link, lookup(MENU_PLAN), "FR", live=lambda _: False, known=known, pbx="paris")
        journal.safe(await journal.collect(told.append))
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    (corrected,) = told
    assert isinstance(corrected, CallCorrected)
    assert guess.revision.count == 0 < corrected.call.revision.count
    assert guess.revision < corrected.call.revision
    assert guess.clocks.ended_at is not None
    assert corrected.call.clocks.ended_at is not None
    assert corrected.call.clocks.ended_at > guess.clocks.ended_at
    assert (corrected.call.pbx, corrected.call.call_id) == ("paris", guess.call_id)
    assert corrected.call.legs[-1].ended_by is None


async def left_alone(pbx: Pbx, room: EngineRoom) -> None:
    """A call that the fallback served, and the engine of this room did not see."""
    room.switch.drain()
    await room.call()
    await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), 5)
    pbx.cli("channel request hangup all")
    await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)


async def test_what_an_engine_that_was_killed_had_recorded_is_not_told_again(pbx: Pbx) -> None:
    """Committed and not struck off: the record has it, and figures must not count it twice."""
    told: list[CallEnded | CallCorrected] = []

    async def known(call_ids: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(call_ids, True)

    async with engine_room(pbx, PLAN) as room:
        await left_alone(pbx, room)
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False, known=known)
        assert await journal.collect(told.append) == []
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    assert told == []


async def test_what_waits_in_a_predecessors_spool_is_struck_off_and_not_told_again(pbx: Pbx) -> None:
    """It is on the disk already."""
    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, PLAN) as room:
        await left_alone(pbx, room)
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False)
        failed = room.link.counters.actions_failed
        journal.safe(re.findall(r"callrouter/ended/([^ :]+)", pbx.cli("database show callrouter/ended")))
        assert await journal.collect(told.append) == []
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)
        # Committed at last: there is no row to delete, and Asterisk is not asked to.
        journal.safe(list(journal._recent))
        assert await journal.collect(told.append) == []
        assert room.link.counters.actions_failed <= failed + 1  # the answer to an empty family

    assert told == []


async def test_a_poisoned_row_holds_nobody_up(pbx: Pbx) -> None:
    """It stays where it is, is said once, and the others are told."""
    told: list[str] = []

    def tell(ended: CallEnded | CallCorrected) -> None:
        if ended.call.call_id.endswith("-poison"):
            raise ZeroDivisionError
        told.append(ended.call.call_id)

    ids = [f"{int(AT.timestamp())}-{kind}" for kind in ("a", "b-poison", "c")]
    async with engine_room(pbx, PLAN) as room:
        for call_id in ids:
            pbx.cli(f"database put callrouter/ended {call_id} v2|{epoch(60)}|16|{DID}|a||1|||{'//'}|")
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False)
        journal.safe(await journal.collect(tell))
        assert await journal.collect(tell) == []
        await until(lambda: "1 results" in pbx.cli("database show callrouter/ended"), 5)
        assert ids[1] in pbx.cli("database show callrouter/ended")
    pbx.cli("database deltree callrouter/ended")

    assert told == [ids[0], ids[2]]


async def test_a_call_waits_for_its_plan_while_postgresql_is_away(pbx: Pbx) -> None:
    """Told without it, it would be a failed one for ever."""
    told: list[CallEnded | CallCorrected] = []
    plans: list[Plan] = []

    async def by_version(client: str, version: str) -> Plan | None:
        if not plans:
            raise DatabaseUnreachable("away")
        return plans[0]

    where = PlanLookup(by_version=by_version, by_did=lambda did: PLAN)
    value = f"v2|{epoch(60)}|16|{DID}|a||taken|||agent-1/{epoch(0)}/9/|{written(PLAN, begun(PLAN))}"
    async with engine_room(pbx, PLAN) as room:
        await room.link.send("DBPut", {"Family": FAMILY, "Key": ID, "Val": value})
        journal = EndedJournal(room.link, where, "FR", live=lambda _: False)
        assert await journal.collect(told.append) == []
        plans.append(PLAN)
        assert await journal.collect(told.append) == [ID]
    pbx.cli("database deltree callrouter/ended")

    assert [fact.call.disposition for fact in told] == [Disposition.ANSWERED]


async def test_many_rows_leave_the_loop_to_others(pbx: Pbx) -> None:
    """Between two of them somebody else can be served."""
    turns: list[int] = []
    async with engine_room(pbx, PLAN) as room:
        value = f"v2|{epoch(60)}|16|{DID}|a||taken||||{written(PLAN, begun(PLAN))}"
        puts = [("DBPut", {"Family": FAMILY, "Key": f"{epoch(0)}-{n}", "Val": value}) for n in range(500)]
        await asyncio.gather(*room.link.send_batch(puts))

        async def others() -> None:
            while True:
                turns.append(len(told))
                await asyncio.sleep(0)

        told: list[CallEnded | CallCorrected] = []
        tasks = Tasks()
        tasks.start(others(), "others")
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False)
        assert len(await journal.collect(told.append)) == 500
        await tasks.stop()
    pbx.cli("database deltree callrouter/ended")

    assert max(after - before for before, after in pairwise(turns)) < 50


def published(pbx: Pbx) -> dict[str, str]:
    """AstDB's fallbacks."""
    lines = pbx.cli("database show callrouter/fallback").splitlines()
    pairs = [line.partition(":") for line in lines if line.startswith("/callrouter/fallback/")]
    return {key.strip().rpartition("/")[2]: value.strip() for key, _, value in pairs}


def forget(pbx: Pbx) -> None:
    """Take away what was published."""
    pbx.cli("database deltree callrouter/fallback")
    pbx.cli("database deltree callrouter/published")


async def test_fallbacks_are_published_in_every_spelling(pbx: Pbx) -> None:
    """However a trunk sends a number Asterisk alone can serve it; nothing else stays, and only what differs is sent."""
    spelt = {"+33199000010", "33199000010", "0033199000010", "0199000010"}
    async with engine_room(pbx, PLAN) as room:
        pbx.cli("database put callrouter/fallback 0199000099 queue:of-somebody-withdrawn")
        fallbacks = Fallbacks(room.link, "FR")
        await fallbacks.publish([PLAN], complete=True, afresh=True)
        await until(lambda: published(pbx) == dict.fromkeys(spelt, "queue:medical"), 5)

        moved = replace(PLAN, numbers=("+33199000011",))
        await fallbacks.publish([moved], complete=True, afresh=False)
        await until(lambda: set(published(pbx)) == {spelling[:-1] + "1" for spelling in spelt}, 5)

        failed, held = room.link.counters.actions_failed, published(pbx)
        for afresh in (False, True):
            await fallbacks.publish([moved], complete=True, afresh=afresh)
        await room.link.send("Ping")
        assert (failed, held) == (room.link.counters.actions_failed, published(pbx))
    forget(pbx)


async def test_limits_are_published_for_whom_they_hold(pbx: Pbx) -> None:
    """A client's own, else the operator's; none where there is none, and what was there goes."""

    def limits() -> set[str]:
        lines = pbx.cli("database show callrouter/limit").splitlines()
        return {line.partition(":")[2].strip() for line in lines if line.startswith("/callrouter/limit/")}

    async with engine_room(pbx, PLAN) as room:
        for own, general, found in ((7, 300, {"test:7"}), (0, 300, {"test:300"}), (0, 0, set())):
            fallbacks = Fallbacks(room.link, "FR", client_calls=general)
            await fallbacks.publish([replace(PLAN, max_calls=own)], complete=True, afresh=True)
            await until(lambda found=found: limits() == found, 5)  # type: ignore[misc]
    forget(pbx)


async def test_a_limit_goes_with_its_client_though_another_file_is_wrong(pbx: Pbx) -> None:
    """The number has another client, who may have any number of calls."""
    async with engine_room(pbx, PLAN) as room:
        fallbacks = Fallbacks(room.link, "FR")
        await fallbacks.publish([replace(PLAN, client="former", max_calls=1)], complete=True, afresh=True)
        await until(lambda: "former:1" in pbx.cli("database show callrouter/limit"), 5)
        await fallbacks.publish([PLAN], complete=False, afresh=False)
        await until(lambda: "0 results" in pbx.cli("database show callrouter/limit"), 5)
    forget(pbx)


async def test_a_fallback_stays_while_its_clients_file_cannot_be_read(pbx: Pbx) -> None:
    """The closed prompt would be worse; nor does an engine without any client empty the PBX."""
    async with engine_room(pbx, PLAN) as room:
        pbx.cli("database put callrouter/fallback 0199000099 queue:medical")
        fallbacks = Fallbacks(room.link, "FR")
        await fallbacks.publish([PLAN], complete=False, afresh=True)
        await fallbacks.publish([], complete=True, afresh=True)
        await until(lambda: len(published(pbx)) == 5, 5)
    forget(pbx)


async def test_the_national_form_is_served_when_the_pbx_is_alone(pbx: Pbx, callers: Callers) -> None:
    """A trunk that sends 01… gets the client's queue, and not the closed prompt."""
    plan = plan_of(replace(QUEUE, queue="slow"), BYE, fallback="queue")
    async with engine_room(pbx, plan) as room:
        await Fallbacks(room.link, "FR").publish([plan], complete=True, afresh=True)
    callers.call("listen", "0199000010")
    await until(lambda: "!Queue!slow" in pbx.cli("core show channels concise"), 6)
    pbx.cli("channel request hangup all")
    await silence(pbx)
    forget(pbx)
    pbx.cli("database deltree callrouter/ended")


@pytest.mark.parametrize("stopping", [False, True], ids=["in service", "at a stop"])
async def test_rows_are_struck_off_a_few_at_a_time(pbx: Pbx, monkeypatch: pytest.MonkeyPatch, stopping: bool) -> None:
    """Actions of live calls stand behind them in Asterisk's one queue; a stop waits for nobody."""
    now = int(datetime.now(UTC).timestamp())
    async with engine_room(pbx, PLAN) as room:
        batch = room.link.batch()
        for number in range(200):
            row = f"v2|{now}|16|{DID}|a|+33612340001|new||||"
            batch.post("DBPut", {"Family": FAMILY, "Key": f"{now}-{number}-7", "Val": row})
        batch.write()
        journal = EndedJournal(room.link, LOOKUP, "FR", live=lambda _: False)
        found: list[str] = []
        while len(found) < 200:
            found += await journal.collect(lambda _: None)
        written: list[int] = []
        post_batch = room.link.post_batch

        def counted(data: bytes) -> None:
            written.append(data.count(b"Action: DBDel"))
            post_batch(data)

        monkeypatch.setattr(room.link, "post_batch", counted)
        journal.safe(found)
        if stopping:
            journal.flush()
            assert sum(written) == 200
        await until(lambda: pbx.cli("database show callrouter/ended").lstrip().startswith("0 results"), 5)

    assert sum(written) == 200
    assert max(written) == 2
