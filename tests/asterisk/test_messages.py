"""Messages, known by what Asterisk has written down: their files, whoever listened when they ended, and how."""

from __future__ import annotations

import math
import struct
import time
import wave
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.line.recordings import (
    MOST_FRAMES,
    NOTHING,
    WAV_BYTES_PER_SECOND,
    WAV_HEADER_BYTES,
    Recording,
    listen,
    recorded_in,
)
from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.core.call import Call, CallState, Disposition
from callrouter.core.facts import CallCorrected, CallEnded, MessageLeft
from callrouter.core.nodes import HangupNode, MessageNode
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, EngineRoom, deafness, engine_room, killed, plan_of, until
from tests.asterisk.test_journal import lookup
from tests.asterisk.test_switch import ONE_SECOND

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FALLBACK_SECONDS = AFTER_ROUTINE_LEASE_SECONDS + 7

PLAN = plan_of(
    MessageNode(name="message", sounds=ONE_SECOND, min_seconds=0.5, silence_seconds=0.0, exits={"done": "bye"}),
    HangupNode(name="bye"),
)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers of its own."""
    folder = tmp_path_factory.mktemp("messages")
    for tenths in TENTHS:
        wav(folder, (tenths / 10, 3000), name=f"tone-{tenths * 100}.wav")
    extensions = EXTENSIONS + CALLERS.replace("@TONES@", str(folder))
    with Pbx.start(folder / "pbx", extra_conf={"extensions": extensions}) as running:
        running.cli("module load res_clioriginate.so")
        yield running


SHORT = plan_of(
    MessageNode(name="message", sounds=(), min_seconds=1.0, silence_seconds=2.0, exits={"done": "bye"}),
    HangupNode(name="bye"),
)
TENTHS = 3, 8, 12, 25
CALLERS = """
[test-caller]
; speech-300-silence: when Record() has begun, so many milliseconds of a tone; then nothing, the key #, or nobody.
exten => _speech-.,1,Wait(1.5)
 same => n,Playback(@TONES@/tone-${CUT(EXTEN,-,2)})
 same => n,GotoIf($["${CUT(EXTEN,-,3)}" = "hang"]?gone)
 same => n,ExecIf($["${CUT(EXTEN,-,3)}" = "key"]?SendDTMF(#,120,80))
 same => n,Playback(silence/10)
 same => n,Wait(30)
 same => n(gone),Hangup()
"""


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
        await killed(room.link)
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


@pytest.mark.parametrize("ended_by", ["silence", "key", "hang-up"])
async def test_min_is_what_the_caller_speaks(pbx: Pbx, ended_by: str) -> None:
    """Of 0.3, 0.8, 1.2 and 2.5 seconds of speech two are at least one second, whatever the recording keeps besides."""
    spoken = {}
    async with engine_room(pbx, SHORT) as room:
        for tenths in TENTHS:
            room.seen.clear()
            await room.call(f"speech-{tenths * 100}-{ended_by}")
            call = await room.the_end(20)
            spoken[tenths / 10] = [message.seconds for message in call.messages]
            assert (call.disposition is Disposition.MESSAGE_LEFT) is bool(call.messages)
            assert spoken[tenths / 10] in ([], in_file(pbx, call))
            await all_over(pbx)

    assert [seconds for seconds, messages in spoken.items() if messages] == [1.2, 2.5]
    # The length of a message is its file's, which holds what the caller can be heard saying, and the silence around it.
    kept = {"silence": 1.0, "key": -0.25, "hang-up": 0.0}[ended_by]
    for seconds, messages in spoken.items():
        for long in messages:
            assert seconds + kept - 0.3 <= long <= seconds + kept + 1.5


@pytest.mark.parametrize("tenths", [8, 12])
async def test_min_is_what_the_caller_speaks_to_the_pbx_alone(pbx: Pbx, tenths: int) -> None:
    """Asterisk's fallback takes it, and the next engine decides by its file whether it is one."""
    pbx.cli(f"database put callrouter/fallback {DID} message:60:2:message:")
    pbx.cli(f"database put callrouter/recordings folder {pbx.recordings_dir}")
    pbx.cli("database deltree callrouter/ended")
    told: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, SHORT) as room:
        room.switch.drain()
        await room.call(f"speech-{tenths * 100}-silence")
        await until(lambda: "!Record!" in pbx.cli("core show channels concise"), 10)
        await all_over(pbx)
        found = partial(recorded_in, pbx.recordings_dir)
        journal = EndedJournal(room.link, lookup(SHORT), "FR", live=lambda _: False, listen=found)
        journal.safe(await journal.collect(told.append))
        await until(lambda: "0 results" in pbx.cli("database show callrouter/ended"), 5)
    pbx.cli(f"database del callrouter/fallback {DID}")

    (call,) = [fact.call for fact in told]
    assert [message.seconds for message in call.messages] == (in_file(pbx, call) if tenths >= 10 else [])
    assert call.disposition is (Disposition.MESSAGE_LEFT if tenths >= 10 else Disposition.FAILED)


async def test_a_line_without_any_media_leaves_no_message(pbx: Pbx, tmp_path: Path) -> None:
    """Not one packet comes, for as long as the caller stays: SIPp sends none."""
    async with engine_room(pbx, PLAN) as room:
        with Callers(pbx, tmp_path) as callers:
            callers.call("talk", DID, hold_ms=6000)
            call = await room.the_end(15)
        await all_over(pbx)

    assert call.messages == ()
    assert call.disposition is not Disposition.MESSAGE_LEFT


def wav(folder: Path, *parts: tuple[float, int], name: str = "message.wav") -> Path:
    """A file of tones: so many seconds of this amplitude, one after the other."""
    samples = [
        round(amplitude * math.sin(index * 0.35))
        for seconds, amplitude in parts
        for index in range(round(8000 * seconds))
    ]
    path = folder / name
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, len(samples), "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


@pytest.mark.parametrize(
    ("parts", "spoken"),
    [
        ([(4.0, 0)], 0),
        # Comfort noise, an open line
        ([(4.0, 60)], 0),
        # A click is no word.
        ([(2.0, 0), (0.1, 9000), (2.0, 0)], 0),
        ([(2.0, 0), (0.3, 9000), (2.0, 0)], 0.3),
        # Somebody far from their telephone
        ([(3.0, 320)], 3.0),
        ([(MOST_FRAMES / 50 * 3, 0), (1.0, 2000)], 1.0),
        # What Record() keeps of the silence that ended it
        ([(0.2, 0), (1.1, 2000), (1.0, 0)], 1.1),
        # Who thinks between two words has not stopped speaking.
        ([(0.5, 2000), (1.4, 0), (0.5, 2000), (1.0, 0)], 2.4),
        # A receiver that is picked up, and put down
        ([(0.06, 9000), (1.5, 0), (0.4, 2000), (1.5, 0), (0.06, 9000)], 0.4),
        # Too faint for one word of it to be certain
        ([(0.04, 2000), (0.2, 0)] * 10, 2.2),
    ],
    ids=["silence", "noise", "click", "word", "quiet", "late", "kept", "thinks", "receiver", "faint"],
)
def test_what_can_be_heard(tmp_path: Path, parts: list[tuple[float, int]], spoken: float) -> None:
    """By loudness and for how long, anywhere in the file; from its beginning to its end, to two frames."""
    found = listen(wav(tmp_path, *parts))

    assert found is not None
    assert found.seconds == pytest.approx(sum(seconds for seconds, _ in parts))
    assert found.heard is (spoken > 0)
    frames = found.seconds * 50 // MOST_FRAMES + 1
    assert found.spoken_seconds == pytest.approx(spoken, abs=0.041 * frames)


@pytest.mark.parametrize(("status", "seconds", "spoken"), [("SILENCE", 4.0, 3.0), ("DTMF", 8.0, 8.0), ("ERROR", 0, 0)])
def test_how_long_a_recording_is_that_cannot_be_seen(
    tmp_path: Path, status: str, seconds: float, spoken: float
) -> None:
    """By the clock, from which the silence that ended it is taken; of it Record() keeps a second."""
    unseen = Recording(str(tmp_path), "elsewhere", AT, 5.0)
    found = unseen.ended(status, AT + timedelta(seconds=8))

    assert (found.seconds, found.spoken_seconds) == (seconds, spoken)


async def test_ten_minutes_of_silence_do_not_hold_the_loop_up(tmp_path: Path) -> None:
    """Live calls are served between two words of others."""
    path = wav(tmp_path, (1.0, 0))
    with path.open("ab") as file:
        file.write(bytes(600 * WAV_BYTES_PER_SECOND))
    took = []
    for _ in range(5):
        began = time.process_time()  # others may have the machine meanwhile
        listen(path)
        took.append(time.process_time() - began)

    assert min(took) < 0.02


def test_no_file_is_nothing(tmp_path: Path) -> None:
    """Nor is one that Record() has only just begun."""
    (tmp_path / "empty.wav").write_bytes(bytes(WAV_HEADER_BYTES))

    assert listen(tmp_path / "missing.wav") is None
    assert recorded_in(tmp_path, "missing") == recorded_in(tmp_path, "empty") == NOTHING
