"""The verbs that need run time, on a real Asterisk: values read aloud, queues looked at, web services asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.asterisk.line.translate import LEASE_MARGIN_SECONDS
from callrouter.core import inputs
from callrouter.core.call import CallState, Disposition, replace
from callrouter.core.conditions import Bounds, Measure, QueueStands
from callrouter.core.dialling import Dialling
from callrouter.core.effects import LookupField, ReadAs, Sound
from callrouter.core.nodes import (
    AnswerNode,
    BranchNode,
    CallbackNode,
    HangupNode,
    LookupNode,
    MenuNode,
    Node,
    PlayNode,
    QueueNode,
    SetNode,
)
from callrouter.core.read_aloud import SpokenVariable
from callrouter.core.templates import parse
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, QUEUES, EngineRoom, cut, engine_room, plan_of, until

HALF_A_SECOND = (Sound(file="silence/1", seconds=1.0),)
BYE = HangupNode(name="bye")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers, phones and queues of its own."""
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    with Pbx.start(tmp_path_factory.mktemp("language") / "pbx", lease_seconds=2, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def variable(name: str, read_as: ReadAs, language: str = "fr") -> SpokenVariable:
    """The place of a variable in a prompt."""
    return SpokenVariable(variable=name, read_as=read_as, language=language)


# Values read aloud


async def test_values_are_read_to_the_end(pbx: Pbx) -> None:
    """Every kind of value, hostile ones among them: the caller hears all that can be read, and the tree goes on."""
    given = SetNode(
        name="given",
        variables={"file": "0612", "age": "71", "day": "2026-11-24", "at": "14:30", "bad": '1&2,"${SHELL(id)}'},
        exits={"next": "read"},
    )
    parts = (
        variable("file", ReadAs.DIGITS),
        variable("bad", ReadAs.DIGITS),
        variable("age", ReadAs.NUMBER),
        variable("day", ReadAs.DATE),
        variable("at", ReadAs.TIME, "en"),
    )
    read = PlayNode(name="read", sounds=parts, exits={"next": "bye"})
    async with engine_room(pbx, plan_of(given, read, BYE)) as room:
        await room.call()
        call = await room.the_end(seconds=40)

    assert call.clocks.ended_at is not None
    assert call.clocks.answered_at is not None
    assert Disposition.SELF_SERVED is call.disposition
    # 4 + 3 + 6 + 4 words, each of a third to a whole second.
    assert 5 < (call.clocks.ended_at - call.clocks.answered_at).total_seconds() < 30


@pytest.mark.parametrize("interruptible", [True, False])
async def test_a_key_cuts_a_reading_short(pbx: Pbx, interruptible: bool) -> None:
    """All of it, and not only the word that is being said; where it may not be cut, the key is kept."""
    given = SetNode(name="given", variables={"file": "12345678"}, exits={"next": "read"})
    read = PlayNode(
        name="read", sounds=(variable("file", ReadAs.DIGITS),), interruptible=interruptible, exits={"next": "menu"}
    )
    menu = MenuNode(
        name="menu",
        sounds=HALF_A_SECOND,
        keys=("1",),
        exits={"key:1": "bye", "no_input": "silent", "no_match": "silent"},
    )
    async with engine_room(pbx, plan_of(given, read, menu, BYE, HangupNode(name="silent"))) as room:
        await room.call("key-1")
        call = await room.the_end(seconds=20)

    assert call.clocks.ended_at is not None
    assert call.clocks.answered_at is not None
    heard = (call.clocks.ended_at - call.clocks.answered_at).total_seconds()
    assert call.visits[-1].node == "bye"
    assert heard < 3 if interruptible else heard > 3


@pytest.mark.parametrize(
    ("caller", "words"),
    [("visible", "0 6 12 30 4 0 0 0 9 5 5 5 0 1 7"), ("withheld", "5 5 5 0 1 7")],
)
async def test_a_menu_says_values(pbx: Pbx, caller: str, words: str) -> None:
    """The words that Asterisk is given to say, between the texts of a menu; and the key after them counts."""
    given = SetNode(name="given", variables={"file": "5550", "count": "17"}, exits={"next": "menu"})
    number = SpokenVariable(variable="caller", read_as=ReadAs.TELEPHONE, language="fr", region="FR")
    menu = MenuNode(
        name="menu",
        sounds=(*HALF_A_SECOND, number, variable("file", ReadAs.DIGITS), variable("one", ReadAs.DIGITS)),
        keys=("1",),
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
    )
    one = SetNode(name="one", variables={"one": "17"}, exits={"next": "given"})
    async with engine_room(pbx, plan_of(one, given, menu, BYE)) as room:
        originate = f"channel originate Local/{caller}{DID}@test-caller/n extension listen@test-caller"
        await asyncio.to_thread(pbx.cli, originate)
        await room.reached(lambda call: call.state is CallState.COLLECTING)
        said = await _said(pbx)

    sounds = "&".join(["silence/1", *(f"fr/digits/{word}" for word in words.split())])
    assert f",{sounds},1," in said


async def _said(pbx: Pbx) -> str:
    """What Asterisk shows of the channel that runs Read."""
    async with asyncio.timeout(5):
        while True:
            lines = (await asyncio.to_thread(pbx.cli, "core show channels concise")).splitlines()
            if name := next((line.partition("!")[0] for line in lines if "!Read!" in line), ""):
                return await asyncio.to_thread(pbx.cli, f"core show channel {name}")


async def test_a_callback_is_confirmed_by_key(pbx: Pbx) -> None:
    """A caller without a number is asked for one, hears it, and confirms."""
    offer = CallbackNode(
        name="offer",
        number_sounds=HALF_A_SECOND,
        choice_sounds=(Sound(file="silence/5", seconds=5.0),),
        ask_sounds=(Sound(file="silence/5", seconds=5.0),),
        region="FR",
        dialling=Dialling(countries=frozenset({"FR"})),
        language="fr",
        exits={"done": "bye", "declined": "bye", "no_input": "bye", "no_match": "bye"},
    )
    async with engine_room(pbx, plan_of(offer, BYE)) as room:
        await room.call("key-0140000001#ww1")
        call = await room.the_end(seconds=30)

    assert [one.number for one in call.callbacks] == ["+33140000001"]
    assert Disposition.MESSAGE_LEFT is call.disposition


# Queues


def branch(*conditions: QueueStands) -> tuple[Node, ...]:
    """Hangs up in `yes` when one of the conditions holds, in `no` otherwise."""
    exits = {f"when:{place}": "yes" for place in range(len(conditions))} | {"otherwise": "no"}
    return BranchNode(name="look", when=conditions, exits=exits), HangupNode(name="yes"), HangupNode(name="no")


@pytest.mark.parametrize(
    ("queue", "measure", "bounds", "leads_to"),
    [
        ("test", Measure.AGENTS, Bounds(at_least=1), "yes"),
        ("test", Measure.AGENTS, Bounds(below=1), "no"),
        ("empty", Measure.AGENTS, Bounds(below=1), "yes"),
        ("test", Measure.WAITING, Bounds(at_least=1), "no"),
        ("empty", Measure.EXPECTED_WAIT, Bounds(above=120), "yes"),
        ("nowhere", Measure.AGENTS, Bounds(below=1), "no"),
    ],
)
async def test_a_queue_is_looked_at(pbx: Pbx, queue: str, measure: Measure, bounds: Bounds, leads_to: str) -> None:
    """Agents logged in, callers waiting; a queue that does not exist leads to otherwise. The call is not answered."""
    plan = plan_of(*branch(QueueStands(queue=queue, measure=measure, bounds=bounds)))
    async with engine_room(pbx, plan) as room:
        await room.call()
        call = await room.the_end()

    assert leads_to == call.visits[-1].node
    assert call.clocks.answered_at is None
    assert call.clocks.ended_at is not None
    assert (call.clocks.ended_at - call.clocks.ringing_at).total_seconds() < 2


async def test_a_queue_with_callers_waiting(pbx: Pbx) -> None:
    """One caller waits in a queue nobody answers; the next one sees them."""
    # The first caller finds nobody waiting and joins the line; the second goes the other way.
    waiting = QueueStands(queue="quiet", measure=Measure.WAITING, bounds=Bounds(at_least=1))
    look = BranchNode(name="look", when=(waiting,), exits={"when:0": "bye", "otherwise": "line"})
    line = QueueNode(name="line", queue="quiet", max_wait_seconds=20, exits={"overflow": "bye"})
    async with engine_room(pbx, plan_of(look, line, BYE)) as room:
        await room.call()
        await room.reached(lambda call: call.state is CallState.QUEUED)
        await asyncio.sleep(1.5)  # ANSWER waits up to half a second for audio
        await room.call()
        call = await room.the_end()

    assert [visit.exit for visit in call.visits] == ["when:0", "end"]
    assert call.visits[0].because == "quiet: 1 callers waiting"


# Web services: here only what the channel does; `runtime.lookups` has the rest


def lookup(seconds: float, *, music: bool = True) -> LookupNode:
    """A web service nobody answers for: the test does."""
    return LookupNode(
        name="crm",
        url=parse("https://crm.example/"),
        fields=(LookupField(variable="position", path=("p",), longest=8),),
        timeout_seconds=seconds,
        music=music,
        exits={"next": "read", "failed": "bye"},
    )


READ = PlayNode(name="read", sounds=(variable("position", ReadAs.NUMBER),), exits={"next": "bye"})
PICK_UP = AnswerNode(name="pick_up", exits={"next": "crm"})


def music_plays(room: EngineRoom) -> bool:
    """Whether the one caller hears hold music."""
    (line,) = room.switch.lines.values()
    return line._music is not None and line._music.plays


async def test_hold_music_plays_while_a_web_service_takes_long(pbx: Pbx) -> None:
    """Silence for two seconds, then music, which ends before the next prompt; the lease covers the whole time-out."""
    async with engine_room(pbx, plan_of(PICK_UP, lookup(LEASE_MARGIN_SECONDS + 6), READ, BYE)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.CONSULTING)
        await asyncio.sleep(1.0)
        assert not music_plays(room)
        await asyncio.sleep(LEASE_MARGIN_SECONDS + 1.5)  # beyond the lease of what was played before
        assert room.live, "the lease of what was played before was not renewed"
        assert music_plays(room)
        told = inputs.LookupDone(step=call.step, values={"position": "12"}, at=call.clocks.ringing_at)
        room.driver.tell(call.call_id, told)
        await room.reached(lambda call: call.state is CallState.PLAYING)
        ended = await room.the_end()

    assert [(visit.node, visit.exit) for visit in ended.visits] == [
        ("pick_up", "next"),
        ("crm", "next"),
        ("read", "next"),
        ("bye", "end"),
    ]


async def test_a_web_service_is_asked_and_its_answer_read_aloud(pbx: Pbx) -> None:
    """The whole way: a real request, a real answer, the caller hears it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{"p": 21}')
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host = "{}:{}".format(*server.sockets[0].getsockname())
    http, tasks = GuardedHttp([host], {}), Tasks()
    web = Lookups(http=http, clock=SystemClock(), tasks=tasks)
    crm = replace(lookup(3.0), url=parse(f"http://{host}/{{caller}}"))
    async with server, engine_room(pbx, plan_of(PICK_UP, crm, READ, BYE), web) as room:
        await room.call()
        call = await room.the_end()
    await tasks.stop()
    await http.close()

    assert dict(call.variables) == {"position": "21"}
    assert [visit.exit for visit in call.visits] == ["next", "next", "next", "end"]


async def test_a_caller_who_hangs_up_meanwhile(pbx: Pbx) -> None:
    """Ends at once, whatever is waited for."""
    async with engine_room(pbx, plan_of(PICK_UP, lookup(8.0), READ, BYE)) as room:
        await room.call("leave-3")
        await room.reached(lambda call: call.state is CallState.CONSULTING)
        call = await room.the_end(seconds=6)

    assert Disposition.LEFT_EARLY is call.disposition


async def test_an_engine_that_dies_meanwhile_leaves_the_caller_to_the_fallback(pbx: Pbx) -> None:
    """The lease that was written for the time-out runs out, and Asterisk takes the call back."""
    async with engine_room(pbx, plan_of(PICK_UP, lookup(1.0, music=False), READ, BYE)) as room:
        await room.call()
        await room.reached(lambda call: call.state is CallState.CONSULTING)
        call = await room.reached(lambda call: call.state is CallState.ADRIFT, seconds=LEASE_MARGIN_SECONDS + 4)

    assert call.verdict is Disposition.FAILED


async def test_a_web_service_that_answers_while_the_link_is_away(pbx: Pbx) -> None:
    """What comes next cannot be said then: it is said when the link is back, and not taken for said."""
    hear = PlayNode(name="read", sounds=(Sound(file="silence/3", seconds=3.0),), exits={"next": "bye"})
    async with engine_room(pbx, plan_of(PICK_UP, lookup(8.0), hear, BYE)) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.CONSULTING)
        connections, loop = room.link.counters.connections, asyncio.get_running_loop()
        await cut(room.link)
        told = inputs.LookupDone(step=call.step, values={"position": "12"}, at=call.clocks.ringing_at)
        room.driver.tell(call.call_id, told)
        assert room.live[0].state is CallState.PLAYING
        await until(lambda: room.link.counters.connections > connections, 8)
        back_at = loop.time()
        await room.switch.resync(room.calls.call_of)
        await room.the_end()

    assert loop.time() - back_at > 2.5
