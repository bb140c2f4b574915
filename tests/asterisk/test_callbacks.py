"""Callers are called back: a real Asterisk, a real PostgreSQL, and an engine that may die in between."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.pbx.outgoing import OutgoingCalls
from callrouter.core.agents.preference import Preference
from callrouter.core.call import (
    Call,
    Callback,
    CallerId,
    CallState,
    Clocks,
    Disposition,
    QueueOutcome,
    QueueVisit,
)
from callrouter.core.dialling import Dialling
from callrouter.core.facts import Bridged
from callrouter.core.identity import Identity, Shows
from callrouter.core.nodes import CallbackNode, HangupNode
from callrouter.core.nodes.callback import Automatic
from callrouter.core.plan import Plan
from callrouter.outgoing import callbacks as calling_back
from callrouter.outgoing import due
from callrouter.outgoing.callbacks import Callbacks
from callrouter.outgoing.order import NOTHING_YET, Order, Outcome, Purpose, Settlement
from callrouter.outgoing.ports import OpenCallback, Ruled
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.tables import callbacks, outgoing_calls
from callrouter.store.writing.writer import Writer
from callrouter.testing import sound
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, until
from tests.patience import START_SECONDS

ANSWERS, BUSY, RINGS = "+33639980001", "+33639980003", "+33639980004"
DID = "+33199000010"
FRANCE = Dialling(countries=frozenset({"FR"}), prefixes=("+33639980",))
RULED = [Ruled("test", "offer", is_open=True)]
RULE = Automatic(queue="slow", ring_seconds=2.0, attempts=2, pause_seconds=0.5)
TWO_AGENTS = """
[pair]
strategy = rrmemory
timeout = 15
ringinuse = no
setinterfacevar = yes
member => Local/one@test-agent/n,0,agent-one,Custom:one
member => Local/two@test-agent/n,0,agent-two,Custom:two
[pair.-agent-one]
strategy = rrmemory
timeout = 15
ringinuse = no
setinterfacevar = yes
member => Local/two@test-agent/n,0,agent-two,Custom:two
"""
"""Each of them takes one call at a time; the derived queue is of a client who never wants the first."""
MANY_PHONES = """
[test-phone](+)
exten => _+336399801XX,1,Answer()
 same => n,Wait(2)

[test-agent]
exten => _[a-z].,1,Set(DEVICE_STATE(Custom:${EXTEN})=INUSE)
 same => n,Set(CHANNEL(hangup_handler_push)=test-agent-free,s,1(${EXTEN}))
 same => n,Answer()
 same => n,Wait(60)

[test-line]
exten => pair,1,Answer()
 same => n,Queue(pair,ir,,,60)

[test-agent-free]
exten => s,1,Set(DEVICE_STATE(Custom:${ARG1})=NOT_INUSE)
 same => n,Return()
"""
OPERATOR = Identity(shows=Shows.CALLER, number="+33199000000")
"""Of callbacks nobody is the caller: the operator's number is shown."""
_calls = itertools.count(1)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with telephones of its own."""
    with started(tmp_path_factory.mktemp("callbacks") / "pbx") as running:
        yield running


def started(folder: Path) -> Pbx:
    """Asterisk; agents talk as long as TALK says."""
    return Pbx.start(folder, extra_conf={"extensions": EXTENSIONS + MANY_PHONES, "queues": QUEUES + TWO_AGENTS})


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in tests."""
    monkeypatch.setattr(calling_back, "ROUND_SECONDS", 0.2)
    monkeypatch.setattr(due, "AGAIN_SECONDS", 0.5)


def plan_with(rule: Automatic | None, dialling: Dialling = FRANCE) -> Plan:
    """A client whose callers may ask to be called back."""
    node = CallbackNode(
        name="offer",
        number_sounds=(sound("we call you at"),),
        choice_sounds=(sound("1 yes"),),
        ask_sounds=(sound("key it"),),
        region="FR",
        dialling=dialling,
        language="fr",
        automatic=rule,
        exits={"done": "bye", "declined": "bye", "no_input": "bye", "no_match": "bye"},
    )
    return Plan(
        client="test",
        name="Test",
        version="0123456789ab",
        numbers=(DID,),
        timezone="Europe/Paris",
        language="fr",
        start="offer",
        nodes={"offer": node, "bye": HangupNode(name="bye")},
    )


async def asked(database: Database, number: str = ANSWERS, *, ago_seconds: float = 5.0, **other: Any) -> Call:
    """Somebody has waited in the queue and asked to be called back; their call is over, and recorded."""
    at = datetime.now(UTC) - timedelta(seconds=ago_seconds)
    number_of_call = next(_calls)
    visit = QueueVisit(queue="slow", entered_at=at, left_at=at + timedelta(seconds=1), outcome=QueueOutcome.TIMEOUT)
    values: dict[str, Any] = {
        "call_id": f"{int(at.timestamp())}-{number_of_call}-100000",
        "client": "test",
        "plan_version": "0123456789ab",
        "did": DID,
        "caller": CallerId(number=number),
        "state": CallState.ENDED,
        "clocks": Clocks(ringing_at=at, entered_service_at=at, ended_at=at + timedelta(seconds=2)),
        "queue_visits": (visit,),
        "callbacks": (Callback(number=number, node="offer", asked_at=at + timedelta(seconds=1)),),
        "disposition": Disposition.MESSAGE_LEFT,
    }
    call = Call(**(values | other))
    await record(database, call)
    return call


async def record(database: Database, call: Call) -> None:
    """As the engine does when it is over."""
    writer = Writer(database)
    assert await writer.write([call]) == []
    writer.close()


def answered_again(call: Call) -> Call:
    """The same caller rings once more, and somebody answers."""
    now = datetime.now(UTC)
    clocks = Clocks(ringing_at=now, entered_service_at=now, bridged_at=now)
    return replace(call, call_id=f"{call.call_id}-again", clocks=clocks, callbacks=(), state=CallState.CONNECTED)


@dataclass(kw_only=True)
class Office:
    """An engine's callbacks, and nothing else of it."""

    database: Database
    callbacks: Callbacks
    outgoing: OutgoingCalls
    refused: list[OpenCallback] = field(default_factory=list)
    live: list[Call] = field(default_factory=list)

    async def rows(self) -> list[Any]:
        """Calls that were placed, in order."""
        async with self.database.connection() as connection:
            found = await connection.execute(select(outgoing_calls).order_by(outgoing_calls.c.placed_at))
            return list(found.all())

    async def outcomes(self) -> list[str | None]:
        """What became of each."""
        return [row.outcome for row in await self.rows()]

    async def state(self, call: Call) -> tuple[str, str | None]:
        """Where a callback stands, and what settled it."""
        async with self.database.connection() as connection:
            row = (await connection.execute(select(callbacks).where(callbacks.c.call_id == call.call_id))).one()
            return row.state, row.settled_by

    async def settled(self, call: Call, seconds: float = 20) -> tuple[str, str | None]:
        """The same, once it is settled."""
        async with asyncio.timeout(seconds):
            while (found := await self.state(call))[0] == "open":
                await asyncio.sleep(0.05)
        return found

    async def comes_to(self, what: str, seconds: float = 15) -> Any:
        """The newest row, once a column of it is set."""
        async with asyncio.timeout(seconds):
            while True:
                rows = await self.rows()
                if rows and getattr(rows[-1], what) is not None:
                    return rows[-1]
                await asyncio.sleep(0.05)


@asynccontextmanager
async def office(pbx: Pbx, database: Database, plan: Plan) -> AsyncIterator[Office]:
    """An engine that calls back; when it ends, nothing is hung up."""
    tasks = Tasks()
    link = AmiLink(AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret))
    outgoing = OutgoingCalls(link, dial_pattern="Local/{number}@test-phone/n")
    offices: list[Office] = []
    calling = Callbacks(
        CallbackRows(database, epoch=1),
        outgoing,
        plans=lambda: {plan.client: plan},
        live=lambda: offices[0].live,
        now=lambda: datetime.now(UTC),
        link_up=lambda: link.state is LinkState.UP,
        on_refused=lambda refused: offices[0].refused.append(refused),
    )
    offices.append(Office(database=database, callbacks=calling, outgoing=outgoing))
    outgoing.tells(calling.heard)
    tasks.start(link.run(), "link")
    await until(lambda: link.state is LinkState.UP, START_SECONDS)
    calling.logged_in()
    tasks.start(calling.run(), "callbacks")
    try:
        yield offices[0]
    finally:
        await link.close()
        await tasks.stop()


@pytest.fixture(autouse=True)
def left_in_order(pbx: Pbx) -> Iterator[None]:
    """No channel of one test is in the next; agents talk for two seconds."""
    pbx.cli("dialplan set global TALK 2")
    yield
    pbx.cli("channel request hangup all")
    pbx.cli("database deltree callrouter outgoing")


@pytest.mark.parametrize(("identity", "shown"), [(None, DID), (OPERATOR, OPERATOR.number)])
async def test_an_agent_takes_it_and_the_caller_is_called_back(
    pbx: Pbx, database: Database, identity: Identity | None, shown: str
) -> None:
    """The row says when and by whom, what was shown, and since when they had waited."""
    call = await asked(database)
    async with office(pbx, database, replace(plan_with(RULE), identity=identity)) as here:
        assert await here.settled(call) == ("done", "called_back")
        (row,) = await here.rows()
        assert await here.outgoing.progress() == {}

    assert (row.outcome, row.agent, row.number, row.shown, row.queue) == (
        "answered",
        "agent-slow",
        ANSWERS,
        shown,
        "slow",
    )
    assert row.turn_at == call.queue_visits[0].entered_at
    assert row.placed_at < row.answered_at
    assert row.rung_at <= row.answered_at <= row.ended_at


@pytest.mark.parametrize(("number", "outcome"), [(BUSY, "busy"), (RINGS, "no_answer")])
async def test_they_are_rung_as_often_as_the_client_wants(
    pbx: Pbx, database: Database, number: str, outcome: str
) -> None:
    """And no more; a pause between."""
    call = await asked(database, number)
    async with office(pbx, database, plan_with(RULE)) as here:
        assert await here.settled(call, 40) == ("given_up", "attempts")
        assert await here.outcomes() == [outcome, outcome]
        first, second = await here.rows()

    assert (second.placed_at - first.ended_at).total_seconds() > RULE.pause_seconds - 1.1  # the PBX's are whole seconds


async def test_never_more_at_once_than_agents(pbx: Pbx, database: Database) -> None:
    """Five wait, two agents: two wait in the queue, and two are rung or talk; the oldest turns first."""
    pbx.cli("devstate change Custom:one NOT_INUSE")
    pbx.cli("devstate change Custom:two NOT_INUSE")
    calls = [await asked(database, f"+3363998010{n}", ago_seconds=60 - n) for n in range(5)]
    async with office(pbx, database, plan_with(replace(RULE, queue="pair"))) as here:
        most_rung = most_waiting = 0
        while any([(await here.state(call))[0] == "open" for call in calls]):
            under_way = [row.rung_at is not None for row in await here.rows() if row.outcome is None]
            most_rung = max(most_rung, sum(under_way))
            most_waiting = max(most_waiting, len(under_way) - sum(under_way))
            await asyncio.sleep(0.1)
        rows = await here.rows()

    assert most_rung == most_waiting == 2
    assert [row.outcome for row in rows] == ["answered"] * 5
    assert [row.call_id for row in rows] == [call.call_id for call in calls]


async def test_who_is_never_wanted_is_not_rung_for_it(pbx: Pbx, database: Database) -> None:
    """It waits in the queue derived from the team's: three of them are all the other agent's, though both are free."""
    for one in ("one", "two"):
        pbx.cli(f"devstate change Custom:{one} NOT_INUSE")
    calls = [await asked(database, f"+3363998010{n}", ago_seconds=60 - n) for n in range(3)]
    wanted = replace(RULE, queue="pair", preference=Preference(team="pair", never=("agent-one",)))
    async with office(pbx, database, plan_with(wanted)) as here:
        settled = [await here.settled(call, 40) for call in calls]
        rows = await here.rows()

    assert settled == [("done", "called_back")] * 3
    assert [(row.queue, row.agent) for row in rows] == [("pair.-agent-one", "agent-two")] * 3


async def test_it_has_its_callers_place(pbx: Pbx, database: Database) -> None:
    """After who came before them, before who came after, though the callback itself is younger than both."""
    for one in ("one", "two"):
        pbx.cli(f"devstate change Custom:{one} INUSE")
    pbx.cli("module load res_clioriginate.so")
    pbx.cli("channel originate Local/pair@test-line/n extension listen@test-caller")
    await asyncio.sleep(3.2)
    await asked(database, RINGS, ago_seconds=1.2)
    pbx.cli("channel originate Local/pair@test-line/n extension listen@test-caller")
    await asyncio.sleep(0.5)
    async with office(pbx, database, plan_with(replace(RULE, queue="pair"))) as here:
        await here.comes_to("outgoing_id")
        await until(lambda: "callrouter-outgoing" in pbx.cli("queue show pair"), 5)
        line = pbx.cli("queue show pair").partition("Callers:")[2]

    waiting = [entry.split("@")[1].split("-0")[0] for entry in line.splitlines() if "Local/" in entry]
    assert waiting == ["test-line", "callrouter-outgoing", "test-line"], line
    for one in ("one", "two"):
        pbx.cli(f"devstate change Custom:{one} NOT_INUSE")


async def test_nobody_is_rung_while_no_agent_takes_it(pbx: Pbx, database: Database) -> None:
    """A queue without agents gets no callback; it is not an attempt."""
    call = await asked(database)
    async with office(pbx, database, plan_with(replace(RULE, queue="quiet"))) as here:
        await asyncio.sleep(1.5)
        assert await here.rows() == []
        assert await here.state(call) == ("open", None)


async def test_a_number_that_may_not_be_dialled_any_more(pbx: Pbx, database: Database) -> None:
    """It was allowed when they asked; it is looked at again, by the same list as dials, and nobody is rung."""
    call = await asked(database)
    refusing = Dialling(countries=frozenset({"FR"}), refused=("+336",))
    async with office(pbx, database, plan_with(RULE, refusing)) as here:
        assert await here.settled(call) == ("given_up", "not_allowed")
        assert await here.rows() == []
        assert [one.wish for one in here.refused] == [(call.call_id, 1)]


async def test_it_expires(pbx: Pbx, database: Database) -> None:
    """After the client's days."""
    call = await asked(database, ago_seconds=3 * 86_400 + 10)
    async with office(pbx, database, plan_with(RULE)) as here:
        assert await here.settled(call) == ("given_up", "expired")
        assert await here.rows() == []


async def test_a_person_calls_where_the_tree_does_not_say_otherwise(pbx: Pbx, database: Database) -> None:
    """It stays in the list."""
    call = await asked(database)
    async with office(pbx, database, plan_with(None)) as here:
        await asyncio.sleep(1.0)
        assert await here.rows() == []
        assert await here.state(call) == ("open", None)


async def test_who_rings_again_and_is_answered_is_not_called_back(pbx: Pbx, database: Database) -> None:
    """Also while their callback waits, or rings: it is taken back."""
    call = await asked(database, RINGS)
    pbx.cli("dialplan set global TALK 30")
    async with office(pbx, database, plan_with(replace(RULE, ring_seconds=30.0))) as here:
        await here.comes_to("rung_at")
        here.callbacks.observe([Bridged(call=answered_again(call))])
        assert await here.settled(call) == ("done", "rang_again")
        row = await here.comes_to("outcome")

    assert row.outcome == "withdrawn"


async def test_who_rings_again_is_found_in_the_record(pbx: Pbx, database: Database) -> None:
    """Where no engine saw the call: before anything is placed."""
    call = await asked(database)
    again = answered_again(call)
    over = replace(again.clocks, ended_at=datetime.now(UTC))
    ended = replace(again, clocks=over, state=CallState.ENDED, disposition=Disposition.ANSWERED)
    await record(database, ended)
    async with office(pbx, database, plan_with(RULE)) as here:
        assert await here.settled(call) == ("done", "rang_again")
        assert await here.rows() == []


async def test_who_is_on_the_line_is_not_rung(pbx: Pbx, database: Database) -> None:
    """They have rung again, and wait: they would be busy."""
    call = await asked(database)
    async with office(pbx, database, plan_with(RULE)) as here:
        here.live.append(answered_again(call))
        await asyncio.sleep(1.0)
        assert await here.rows() == []
        here.live.clear()
        assert await here.settled(call) == ("done", "called_back")


async def test_two_wishes_of_one_caller_are_one_call(pbx: Pbx, database: Database) -> None:
    """Both are settled by it."""
    first = await asked(database, ago_seconds=20)
    second = await asked(database, ago_seconds=10)
    async with office(pbx, database, plan_with(RULE)) as here:
        assert await here.settled(first) == await here.settled(second) == ("done", "called_back")
        assert await here.outcomes() == ["answered"]


async def test_somebody_settles_it_by_hand_meanwhile(pbx: Pbx, database: Database) -> None:
    """The call that waits for it is taken back."""
    call = await asked(database, RINGS)
    pbx.cli("dialplan set global TALK 30")
    async with office(pbx, database, plan_with(replace(RULE, ring_seconds=30.0))) as here:
        await here.comes_to("rung_at")
        async with database.connection() as connection:
            await connection.execute(update(callbacks).values(state="done", settled_by=Settlement.BY_HAND.value))
        assert (await here.comes_to("outcome")).outcome == "withdrawn"
        assert await here.state(call) == ("done", "by_hand")


async def test_the_engine_dies_while_it_waits_or_rings(pbx: Pbx, database: Database) -> None:
    """The PBX goes on alone; the next engine reads what became of it, and places nothing twice."""
    call = await asked(database)
    async with office(pbx, database, plan_with(RULE)) as here:
        await until(lambda: "waiting" in pbx.cli("database show callrouter/outgoing"), 9)
    await until(lambda: "|ANSWER|" in pbx.cli("database show callrouter/outgoing"), 12)
    async with office(pbx, database, plan_with(RULE)) as here:
        assert await here.settled(call) == ("done", "called_back")
        assert await here.outcomes() == ["answered"]


async def test_the_engine_dies_and_the_next_one_finds_it_under_way(pbx: Pbx, database: Database) -> None:
    """It is looked up by its channels, and followed to its end."""
    call = await asked(database, RINGS)
    pbx.cli("dialplan set global TALK 30")
    plan = plan_with(replace(RULE, ring_seconds=4.0, attempts=1))
    async with office(pbx, database, plan) as here:
        await here.comes_to("rung_at")
    async with office(pbx, database, plan) as here:
        assert here.callbacks.under_way <= 1
        assert await here.settled(call) == ("given_up", "attempts")
        assert await here.outcomes() == ["no_answer"]


def order_for(found: OpenCallback, outgoing_id: str) -> Order:
    """What an engine would have asked of the switch."""
    return Order(
        outgoing_id=outgoing_id,
        purpose=Purpose.CALLBACK,
        client="test",
        number=found.number,
        shown=DID,
        did=DID,
        queue="slow",
        priority=0,
        position=1,
        wait_seconds=60.0,
        ring_seconds=5.0,
    )


async def test_the_engine_dies_between_claim_and_originate(pbx: Pbx, database: Database) -> None:
    """The PBX knows nothing of it: it is lost, and placed anew under another id."""
    call = await asked(database)
    book = CallbackRows(database, epoch=2)
    await book.take_over()
    (found,) = await book.open(datetime.now(UTC) - timedelta(days=1), RULED)
    claimed = order_for(found, "1795400000-claimed")
    assert await book.claim(found, claimed, datetime.now(UTC))
    assert not await book.claim(found, replace(claimed, outgoing_id="1795400000-second"), datetime.now(UTC))
    async with office(pbx, database, plan_with(RULE)) as here:
        assert await here.settled(call) == ("done", "called_back")
        assert await here.outcomes() == ["lost", "answered"]


async def test_an_engine_that_was_overtaken_changes_nothing(database: Database) -> None:
    """Its epoch is older than that of whoever has the calls now."""
    await asked(database)
    stale, now = CallbackRows(database, epoch=3), datetime.now(UTC)
    await stale.take_over()
    (found,) = await stale.open(now - timedelta(days=1), RULED)
    order = order_for(found, "1795400000-stale")
    assert await stale.claim(found, order, now)
    leader = CallbackRows(database, epoch=4)
    assert [one.outgoing_id for one in await leader.take_over()] == [order.outgoing_id]

    await stale.conclude(order.outgoing_id, NOTHING_YET, Outcome.BUSY, now, Settlement.ATTEMPTS)

    async with database.connection() as connection:
        assert (await connection.execute(select(outgoing_calls.c.outcome))).scalar_one() is None
        assert (await connection.execute(select(callbacks.c.state))).scalar_one() == "open"


async def test_the_pbx_is_killed(tmp_path: Path, database: Database) -> None:
    """Nothing is left of the call that waited: the row makes a new one, in the same turn."""
    call = await asked(database)
    first = started(tmp_path / "pbx")
    try:
        async with office(first, database, plan_with(RULE)) as here:
            await here.comes_to("outgoing_id")
            os.kill(first.pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
    finally:
        first.stop()
    second = started(tmp_path / "pbx2")
    second.cli("dialplan set global TALK 2")
    try:
        async with office(second, database, plan_with(RULE)) as here:
            assert await here.settled(call, 30) == ("done", "called_back")
            rows = await here.rows()
    finally:
        second.stop()

    assert rows[-1].outcome == "answered"
    assert {row.turn_at for row in rows} == {call.queue_visits[0].entered_at}
