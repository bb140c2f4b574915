"""Messages, known by what Asterisk has written down: their files, whoever listened when they ended, and how."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.line.recordings import (
    MOST_FRAMES,
    NOTHING,
    WAV_BYTES_PER_SECOND,
    WAV_HEADER_BYTES,
    Recorded,
    listen,
    recorded_in,
)
from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.core.call import Call, CallState, Disposition
from callrouter.core.facts import CallCorrected, CallEnded, MessageLeft
from callrouter.core.nodes import HangupNode, MessageNode
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, EngineRoom, deafness, engine_room, plan_of, until
from tests.asterisk.test_journal import lookup
from tests.asterisk.test_switch import ONE_SECOND

FALLBACK_SECONDS = AFTER_ROUTINE_LEASE_SECONDS + 7

PLAN = plan_of(
    MessageNode(name="message", sounds=ONE_SECOND, min_seconds=0.5, silence_seconds=0.0, exits={"done": "bye"}),
    HangupNode(name="bye"),
)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers of its own."""
    folder = tmp_path_factory.mktemp("messages")
    with Pbx.start(folder / "pbx", extra_conf={"extensions": EXTENSIONS}) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def in_file(pbx: Pbx, call: Call) -> list[float]:
    """How long the files of a call's messages are."""
    return [
        (path.stat().st_size - WAV_HEADER_BYTES) / WAV_BYTES_PER_SECOND
        for path in sorted(pbx.recordings_dir.glob(f"{call.call_id}-*.wav"))
    ]


async def is_recording(room: EngineRoom) -> Call:
    """The one call, once Record() runs."""
    call = await room.reached(lambda call: call.state is CallState.RECORDING)
    await until(lambda: "!Record!" in room.pbx.cli("core show channels concise"), 5)
    return call


async def all_over(pbx: Pbx, seconds: float = 15) -> None:
    await until(lambda: "0 active channels" in pbx.cli("core show channels count"), seconds)


@pytest.mark.parametrize("behaviour", ["speak", "speak-and-go"])
async def test_a_message_that_ends_after_the_engines_death(pbx: Pbx, behaviour: str) -> None:
    """By a key, and then Asterisk's fallback has the caller; or by hanging up: the next engine finds it in its file."""
    async with engine_room(pbx, PLAN) as room:
        await room.call(behaviour)
        began = await is_recording(room)
        room.link._closing.set()
        room.link._session.abort("killed")
        if behaviour == "speak":
            await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), FALLBACK_SECONDS)
            pbx.cli("channel request hangup all")
        await all_over(pbx)

    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, PLAN) as room:
        found = partial(recorded_in, pbx.recordings_dir)
        journal = EndedJournal(room.link, lookup(PLAN), "FR", live=lambda _: False, listen=found)
        journal.safe(await journal.collect(told.append))
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)

    (call,) = [fact.call for fact in told if fact.call.call_id == began.call_id]
    assert call.disposition is Disposition.MESSAGE_LEFT
    assert [message.seconds for message in call.messages] == in_file(pbx, call)


@pytest.mark.parametrize("behaviour", ["speak", "speak-and-go"])
async def test_a_message_that_ends_while_the_link_is_away(pbx: Pbx, behaviour: str) -> None:
    """The fallback has the caller, or they are gone, when the link is back: their message is told, once."""
    async with engine_room(pbx, PLAN) as room:
        await room.call(behaviour)
        await is_recording(room)
        async with deafness(room):
            if behaviour == "speak":
                await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), FALLBACK_SECONDS)
            else:
                await all_over(pbx)
        await room.switch.resync(room.calls.call_of)
        pbx.cli("channel request hangup all")
        call = await room.the_end(5)
        left = [fact.message for fact in room.seen if isinstance(fact, MessageLeft)]

    assert call.disposition is Disposition.MESSAGE_LEFT
    assert left == list(call.messages)
    assert [message.seconds for message in left] == in_file(pbx, call)


async def test_a_caller_who_says_nothing_leaves_no_message(pbx: Pbx) -> None:
    """Three seconds of silence and a hang-up: longer than `min`, and nothing that anybody could listen to."""
    async with engine_room(pbx, PLAN) as room:
        await room.call("say-nothing")
        call = await room.the_end(10)

    assert in_file(pbx, call)[0] > 2
    assert call.messages == ()
    assert call.disposition is Disposition.LEFT_EARLY


async def test_a_line_without_any_media_leaves_no_message(pbx: Pbx, tmp_path: Path) -> None:
    """Not one packet comes, for as long as the caller stays: SIPp sends none."""
    async with engine_room(pbx, PLAN) as room:
        with Callers(pbx, tmp_path) as callers:
            callers.call("talk", DID, hold_ms=6000)
            call = await room.the_end(15)
        await all_over(pbx)

    assert call.messages == ()
    assert call.disposition is not Disposition.MESSAGE_LEFT


def wav(folder: Path, *parts: tuple[float, int]) -> Path:
    """A file of tones: so many seconds of this amplitude, one after the other."""
    samples = [
        round(amplitude * math.sin(index * 0.35))
        for seconds, amplitude in parts
        for index in range(round(8000 * seconds))
    ]
    path = folder / "message.wav"
    path.write_bytes(bytes(WAV_HEADER_BYTES) + struct.pack(f"<{len(samples)}h", *samples))
    return path


@pytest.mark.parametrize(
    ("parts", "heard"),
    [
        ([(4.0, 0)], False),
        # Comfort noise, an open line
        ([(4.0, 60)], False),
        # A click is no word.
        ([(2.0, 0), (0.1, 9000), (2.0, 0)], False),
        ([(2.0, 0), (0.3, 9000), (2.0, 0)], True),
        # Somebody far from their telephone
        ([(3.0, 320)], True),
        ([(MOST_FRAMES / 50 * 3, 0), (1.0, 2000)], True),
    ],
    ids=["silence", "noise", "click", "word", "quiet", "late"],
)
def test_what_can_be_heard(tmp_path: Path, parts: list[tuple[float, int]], heard: bool) -> None:
    """By loudness and for how long, anywhere in the file."""
    found = listen(wav(tmp_path, *parts))

    assert found == Recorded(seconds=sum(seconds for seconds, _ in parts), heard=heard)


async def test_ten_minutes_of_silence_do_not_hold_the_loop_up(tmp_path: Path) -> None:
    """Live calls are served between two words of others."""
    path = wav(tmp_path, (1.0, 0))
    with path.open("ab") as file:
        file.write(bytes(600 * WAV_BYTES_PER_SECOND))
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(5):
        began = loop.time()
        listen(path)
        took.append(loop.time() - began)

    assert min(took) < 0.02


def test_no_file_is_nothing(tmp_path: Path) -> None:
    """Nor is one that Record() has only just begun."""
    (tmp_path / "empty.wav").write_bytes(bytes(WAV_HEADER_BYTES))

    assert listen(tmp_path / "missing.wav") is None
    assert recorded_in(tmp_path, "missing") == recorded_in(tmp_path, "empty") == NOTHING
