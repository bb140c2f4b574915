"""What a caller really gets while no engine is there: what `show --alone` says, at any time."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.line.recordings import WAV_BYTES_PER_SECOND, WAV_HEADER_BYTES, recorded_in
from callrouter.asterisk.provision import Fallbacks
from callrouter.core.call import Call, Disposition, replace
from callrouter.core.facts import CallCorrected, CallEnded
from callrouter.core.fallback import recording_alone
from callrouter.core.nodes import HangupNode, MessageNode, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.questions.alone import told
from tests.asterisk.alone.practice import PRACTICE, SECOND, at
from tests.asterisk.callers import Pbx, free_port
from tests.asterisk.engine_room import DID, EXTENSIONS, EngineRoom, deafness, engine_room, plan_of, until
from tests.asterisk.test_journal import lookup

TAKES_MESSAGES = plan_of(
    HangupNode(name="bye"),
    MessageNode(name="box", sounds=SECOND, min_seconds=0.5, max_seconds=5.0, deliver="nurse", exits={"done": "bye"}),
    fallback="box",
)
QUEUES = "\n".join(f"[{name}](team)\njoinempty = yes\nleavewhenempty = no" for name in ("medical", "reception"))
MET = re.compile(r"^[^!]+!callrouter-[^!]+!(?:[^!]*!){3}(Queue|Dial|Record|Playback)!([^!]*)!", re.MULTILINE)
"""Application and data of a channel, of `core show channels concise`."""


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk whose carrier answers nothing, so that it is seen to be dialled."""
    with Pbx.start(
        tmp_path_factory.mktemp("alone") / "pbx",
        admission_seconds=0.3,
        carrier=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        qualify_seconds=0,
        extra_conf={"extensions": EXTENSIONS, "queues": QUEUES},
    ) as running:
        running.cli("module load res_clioriginate.so")
        yield running


@pytest.fixture(autouse=True)
def nobody_calls(pbx: Pbx) -> Iterator[None]:
    """Each test begins and ends without calls, and without anything published."""
    yield
    pbx.cli("channel request hangup all")
    pbx.cli("database deltree callrouter")


async def publish(pbx: Pbx, plan: Plan, when: datetime, at: datetime | None = None) -> None:
    """As an engine did `at` some time (by default now), which is gone since; its clock would show `when` now."""
    shift, made_at = when - datetime.now(UTC), at or when
    async with engine_room(pbx, plan) as room:
        fallbacks = Fallbacks(room.link, "FR", recordings_dir=str(pbx.recordings_dir), now=lambda: made_at, shift=shift)
        await fallbacks.publish([plan], complete=True, afresh=True)
        await room.link.send("Ping")


def call(pbx: Pbx, does: str) -> None:
    pbx.cli(f"channel originate Local/{DID}@callrouter-entry/n extension {does}@test-caller")


async def met(pbx: Pbx) -> tuple[str, str]:
    """The first thing that the fallback does with the one caller."""
    found: list[tuple[str, str]] = []

    def look() -> bool:
        found.extend(MET.findall(pbx.cli("core show channels concise")))
        # A message's own prompt comes before it.
        return any(one != ("Playback", SECOND[0].file) for one in found)

    call(pbx, "listen")
    await until(look, 10)
    return found[-1]


@pytest.mark.parametrize(
    ("when", "words", "gets"),
    [
        ("2026-06-01 10:00", "queue reception", ("Queue", "reception,")),
        ("2026-06-01 15:00", "a message, as at night, after “silence/1”", ("Record", "")),
        ("2026-06-03 10:00", "number +33199000099", ("Dial", "PJSIP/+33199000099@")),
        ("2026-06-04 10:00", "“vm-goodbye”, and the end", ("Playback", "vm-goodbye")),
        ("2026-06-08 06:59", "a message, as at night, after “silence/1”", ("Record", "")),
        ("2026-06-08 07:00", "queue reception", ("Queue", "reception,")),
    ],
)
async def test_what_show_says_is_what_the_telephone_gets(
    pbx: Pbx, when: str, words: str, gets: tuple[str, str]
) -> None:
    """At several instants: Asterisk looks at its clock, and the engine published by one that shows another day."""
    await publish(pbx, PRACTICE, at(when))
    said = list(told(PRACTICE, at(when)))[2].split("  ")[-1]
    application, data = await met(pbx)

    assert said == words
    assert application == gets[0]
    assert data.startswith(gets[1])


async def test_the_clients_priority_counts_in_the_queue(pbx: Pbx) -> None:
    """As it does with an engine."""
    queue = QueueNode(name="queue", queue="medical", priority=7, max_wait_seconds=60, exits={"overflow": "bye"})
    await publish(pbx, plan_of(queue, HangupNode(name="bye"), fallback="queue"), datetime.now(UTC))
    await met(pbx)

    assert "prio: 7" in pbx.cli("queue show medical")


async def collected(pbx: Pbx, plan: Plan) -> list[Call]:
    """What the next engine makes of the calls."""
    facts: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, plan) as room:
        listen = partial(recorded_in, pbx.recordings_dir)
        journal = EndedJournal(room.link, lookup(plan), "FR", live=lambda _: False, listen=listen)
        journal.safe(await journal.collect(facts.append))
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)
    return [fact.call for fact in facts]


def in_file(pbx: Pbx, call: Call) -> float:
    path = Path(pbx.recordings_dir) / f"{recording_alone(call.call_id)}.wav"
    return (path.stat().st_size - WAV_HEADER_BYTES) / WAV_BYTES_PER_SECOND


async def all_over(pbx: Pbx) -> None:
    await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 15)


def is_the_message(pbx: Pbx, found: Call) -> None:
    (message,) = found.messages
    assert found.disposition is Disposition.MESSAGE_LEFT
    assert (message.node, message.deliver, message.recording) == ("box", "nurse", recording_alone(found.call_id))
    assert message.seconds == in_file(pbx, found) >= 0.5


@pytest.mark.parametrize("behaviour", ["speak-and-go", "speak-long"], ids=["hangs up", "speaks for too long"])
async def test_a_message_that_asterisk_took_is_the_next_engines(pbx: Pbx, behaviour: str) -> None:
    """No engine saw the call: it is the client's message, meant for whom the node names, told once."""
    await publish(pbx, TAKES_MESSAGES, datetime.now(UTC))
    call(pbx, behaviour)
    await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 10)
    await until(lambda: "!Record!" not in pbx.cli("core show channels concise"), 10)
    pbx.cli("channel request hangup all")
    await all_over(pbx)
    (found,) = await collected(pbx, TAKES_MESSAGES)
    again = await collected(pbx, TAKES_MESSAGES)

    is_the_message(pbx, found)
    assert again == []


async def test_who_says_nothing_leaves_no_message(pbx: Pbx) -> None:
    """Its file holds silence."""
    await publish(pbx, TAKES_MESSAGES, datetime.now(UTC))
    call(pbx, "say-nothing")
    await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 10)
    await all_over(pbx)
    (found,) = await collected(pbx, TAKES_MESSAGES)

    assert (found.messages, found.disposition) == ((), Disposition.FAILED)


LOSES = replace(
    TAKES_MESSAGES,
    start="wait",
    nodes={
        **TAKES_MESSAGES.nodes,
        "wait": PlayNode(name="wait", sounds=SECOND * 20, interruptible=False, exits={"next": "bye"}),
    },
)
"""A tree from which control can be lost: while its caller hears a long prompt."""


async def lost(room: EngineRoom) -> None:
    """The lease of the caller ends, as if the engine had not renewed it in time."""
    await room.reached(lambda call: call.clocks.answered_at is not None)
    await until(lambda: "silence/1&" in room.pbx.cli("core show channels concise"), 5)
    channel = room.switch.channel_of(room.live[0].call_id)
    await room.link.send("AbsoluteTimeout", {"Channel": channel, "Timeout": "0.2"})


@pytest.mark.parametrize("deaf", [False, True], ids=["the engine looks on", "the link is away"])
async def test_a_message_of_a_call_that_was_lost_is_in_its_record(pbx: Pbx, deaf: bool) -> None:
    """The engine watches the call, whose message Asterisk takes, to its end."""
    await publish(pbx, LOSES, datetime.now(UTC))
    async with engine_room(pbx, LOSES) as room:
        await room.call("speak-long")
        await lost(room)
        if deaf:
            async with deafness(room):
                await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 10)
            await room.switch.resync(room.calls.call_of)
        await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 10)
        found = await room.the_end(15)

    is_the_message(pbx, found)
