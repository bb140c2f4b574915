"""The traps of AsyncAGI on a real Asterisk: limits of a command, what outlives the end, nesting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote_from_bytes

import pytest

from callrouter.asterisk import commands
from callrouter.asterisk.catch_up import FALLBACK_CONTEXT
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.line.translate import Command, Kind
from callrouter.core.call import Call, CallState, Disposition
from callrouter.core.effects import Sound
from callrouter.core.facts import TroubleMet
from callrouter.core.nodes import HangupNode, MenuNode, QueueNode
from callrouter.errors import EncodingError
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, QUEUES, EngineRoom, engine_room, plan_of, until
from tests.asterisk.misbehaviour import ask, raw, wake, where

BYE = HangupNode(name="bye")
MENU = MenuNode(
    name="menu",
    sounds=(Sound(file="silence/1", seconds=1.0),),
    keys=("1",),
    timeout_seconds=1.0,
    no_input_retries=3,
    no_match_retries=3,
    exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
)
PLAN = plan_of(MENU, BYE)
UNATTENDED = plan_of(
    QueueNode(name="queue", queue="quiet", max_wait_seconds=60.0, exits={"overflow": "bye"}),
    BYE,
)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers and queues of its own, which waits five seconds for an engine."""
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    folder = tmp_path_factory.mktemp("traps") / "pbx"
    with Pbx.start(folder, lease_seconds=2, admission_seconds=5, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


async def in_menu(room: EngineRoom) -> tuple[Call, str]:
    """A caller who hears the menu, and their channel."""
    await room.call()
    call = await room.reached(lambda call: call.state is CallState.COLLECTING)
    channel = room.switch.lines[call.call_id].channel.channel
    await until(lambda: where(room, channel)[1] == "Read", 5)
    return call, channel


async def served_by_fallback(room: EngineRoom, channel: str) -> None:
    """Asterisk's own dialplan has the caller, and the record says that we have not."""
    await room.reached(lambda call: call.state is CallState.ADRIFT)
    await until(lambda: where(room, channel)[0] == FALLBACK_CONTEXT, 5)


# The limits of a command


async def test_a_hundred_arguments_arrive_and_one_more_is_never_sent(pbx: Pbx) -> None:
    """In quotes too: the encoder is where they are counted."""
    # EXEC takes what follows the application's own argument, and passes it over.
    words = ["EXEC", "Set", commands.quote('CR_LAST=a "b\\c" d'), *[commands.quote("x y")] * 97]
    async with engine_room(pbx, PLAN) as room:
        call, _ = await in_menu(room)
        done, read = await ask(room, call.call_id, commands.command(*words), commands.get_variable("CR_LAST"))

    assert len(words) == commands.MAX_ARGUMENTS == 100
    assert done.ok
    assert read.value == 'a "b\\c" d'
    assert pbx.is_running()
    with pytest.raises(EncodingError, match="at most 100 arguments"):
        commands.command(*words, commands.quote("x y"))


@pytest.mark.parametrize(
    "value", ['"\\' * 225, 'a"' * 300, "\\" * 450, "é" * 450, "x" * 900, 'ends in \\"', "${CR_CALL},$[1+1];"]
)
async def test_the_longest_value_arrives_as_it_was(pbx: Pbx, value: str) -> None:
    """900 bytes as they are written, all of them quotes and backslashes if need be; the results stay in step."""
    longest = commands.as_text(value)
    assert longest == value
    async with engine_room(pbx, PLAN) as room:
        call, channel = await in_menu(room)
        wanted = (commands.get_variable("CR_LONG"), commands.get_variable("CR_CALL"))
        _, read, again = await ask(room, call.call_id, commands.set_variable("CR_LONG", value), *wanted)
        assert await variable(room, channel, "CR_LONG") == value
        # A result is written URL-encoded into 2,048 bytes (res_agi.c, AMI_BUF_SIZE); what is beyond is cut off, and
        # takes the bracket that ends the value with it.
        fits = len(quote_from_bytes(f"200 result=1 ({value})\n".encode(), safe="")) < 2048
        assert read.value == (value if fits else None)
        assert again.value == call.call_id
    assert pbx.is_running()


# Results out of step


async def test_a_result_out_of_step_gives_the_call_to_the_fallback(pbx: Pbx) -> None:
    """A result beyond 1,024 bytes leaves its tail in front of the next one: nothing after it can be trusted."""
    async with engine_room(pbx, PLAN) as room:
        call, channel = await in_menu(room)
        # Two variables that each pass the encoder; GET FULL VARIABLE joins them to more than a result holds.
        for name in ("CR_A", "CR_B"):
            await raw(room, call.call_id, commands.set_variable(name, "x" * 800))
        joined = commands.command("GET", "FULL", "VARIABLE", '"${CR_A}${CR_B}"')
        # The menu's own Read ends first; the next commands of the call then meet the stream out of step.
        await raw(room, call.call_id, joined, nudge=True)
        await served_by_fallback(room, channel)
        ended = await room.the_end()

    (trouble,) = [fact for fact in room.seen if isinstance(fact, TroubleMet)]
    assert "out of step" in trouble.reason
    assert ended.disposition is Disposition.FAILED


# What fails


@pytest.mark.parametrize("label", [("callrouter-queue", "nowhere"), ("no-such-context", "s")])
async def test_a_gosub_to_nowhere_ends_asyncagi_and_the_fallback_serves(pbx: Pbx, label: tuple[str, str]) -> None:
    """A routine that is missing from Asterisk's dialplan must not leave the caller in silence."""
    async with engine_room(pbx, PLAN) as room:
        call, channel = await in_menu(room)
        await raw(room, call.call_id, commands.gosub(*label), nudge=True)
        await served_by_fallback(room, channel)
        ended = await room.the_end()

    assert ended.disposition is Disposition.FAILED
    assert len(room.ended) == 1


# After the end


async def test_nothing_is_sent_after_the_end_and_what_was_left_is_ignored(pbx: Pbx) -> None:
    """What is left in a channel's queue runs when the channel enters AsyncAGI again; its result decides nothing."""
    async with engine_room(pbx, PLAN) as room:
        call, channel = await in_menu(room)
        line = room.switch.lines[call.call_id]
        await wake(room, call.call_id, 0.3)
        await served_by_fallback(room, channel)

        # A command of the switch's own that was overtaken by the end: Asterisk says Success, and keeps it.
        batch = room.link.batch()
        stale = Command(text=commands.set_variable("CR_STALE", "ran"), kind=Kind.COLLECT)
        before = tuple(line._outstanding)
        line._add(batch, stale)
        batch.write()
        (stale_id,) = (one for one in line._outstanding if one not in before)
        (lost,), sent = room.live, sent_by(room)
        await asyncio.sleep(0.3)
        assert await variable(room, channel, "CR_STALE") == ""
        results = room.link.counters.results

        redirect(room, channel)
        await until(lambda: stale_id not in room.link._session._pending.results, 6)
        assert room.link.counters.results > results
        # The new entry is given back at once, and nothing else is sent: the fallback has the caller to the end.
        await until(lambda: any(b"Action: AGI" in data for data in sent), 5)
        pbx.cli("channel request hangup all")
        ended = await room.the_end()
        assert [b"Command: ASYNCAGI BREAK" in data for data in sent if b"Action: AGI" in data] == [True]

    assert (ended.node, ended.visits) == (lost.node, lost.visits)
    assert ended.disposition is Disposition.FAILED
    assert len(room.ended) == 1


async def test_a_transfer_in_a_routine_nests_asyncagi(pbx: Pbx) -> None:
    """Redirected out of a queue, a caller enters AsyncAGI within their AsyncAGI: two starts, two ends, one call."""
    async with engine_room(pbx, UNATTENDED) as room:
        told = starts_and_ends(room)
        await in_queue_and_redirected(room)
        await until(lambda: told[:2] == ["AsyncAGIStart", "AsyncAGIStart"], 5)
        pbx.cli("channel request hangup all")
        await room.the_end()
        await until(lambda: told.count("AsyncAGIEnd") == 2, 5)
        await asyncio.sleep(0.3)
        assert room.link.awaited_results == 0

    assert len(room.ended) == 1
    assert not room.switch._by_uniqueid


async def test_nobody_drives_a_nested_entry(pbx: Pbx) -> None:
    """What waited behind the routine runs in the inner AsyncAGI, and decides nothing: the fallback gets the caller."""
    async with engine_room(pbx, UNATTENDED) as room:
        channel = await in_queue_and_redirected(room)
        await until(lambda: where(room, channel)[0] == FALLBACK_CONTEXT, 8)
        pbx.cli("channel request hangup all")
        await room.the_end()

    assert len(room.ended) == 1


async def in_queue_and_redirected(room: EngineRoom) -> str:
    """A caller in a queue without agents, put back to the entry; their channel."""
    await room.call()
    call = await room.reached(lambda call: call.state is CallState.QUEUED)
    channel = room.switch.lines[call.call_id].channel.channel
    await until(lambda: where(room, channel)[1] == "Queue", 5)
    redirect(room, channel)
    return channel


def redirect(room: EngineRoom, channel: str) -> None:
    """As a transfer would: back to the entry of callrouter's dialplan."""
    room.pbx.cli(f"channel redirect {channel} callrouter-entry,{DID},1")


async def variable(room: EngineRoom, channel: str, name: str) -> str:
    """A channel variable; empty when there is none."""
    return (await room.link.send("Getvar", {"Channel": channel, "Variable": name}))["Value"]


def sent_by(room: EngineRoom) -> list[bytes]:
    """What the link writes from now on."""
    sent: list[bytes] = []
    found = room.link._session._transport
    assert found is not None
    transport = found

    class Tapped:
        def write(self, data: bytes) -> None:
            sent.append(data)
            transport.write(data)

        def __getattr__(self, name: str) -> object:
            return getattr(transport, name)

    room.link._session._transport = Tapped()  # type: ignore[assignment]
    return sent


def starts_and_ends(room: EngineRoom) -> list[str]:
    """The starts and ends of AsyncAGI that the switch is told from now on."""
    told: list[str] = []
    handlers = room.link._events
    for name in (b"AsyncAGIStart", b"AsyncAGIEnd"):
        handlers[name] = partial(_note_and_pass, told, handlers[name])
    return told


def _note_and_pass(told: list[str], handler: Callable[[AmiMessage], None], event: AmiMessage) -> None:
    told.append(event.event)
    handler(event)
