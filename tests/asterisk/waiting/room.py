"""A line on a real Asterisk, callers in it, and tones that they are told."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callrouter.core.call import Call
from callrouter.core.effects import Sound
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, EngineRoom, until

PATIENT = """
[patient](team)
joinempty = yes
leavewhenempty = no
[moody](team)
joinempty = yes
member => Local/moody@test-phone/n,0,agent-moody
[answered](team)
timeout = 15
member => Local/slow-agent@test-phone/n,0,agent-slow
"""

MOODY = """
[test-phone](+)
; Refuses two calls, and takes the third.
exten => moody,1,Ringing()
 same => n,Set(GLOBAL(MOODS)=$[0${GLOBAL(MOODS)} + 1])
 same => n,Wait(0.3)
 same => n,GotoIf($[${GLOBAL(MOODS)} < 3]?no)
 same => n,Answer()
 same => n,Wait(20)
 same => n(no),Busy(1)
"""


@contextmanager
def waiting_pbx(folder: Path) -> Iterator[Pbx]:
    """An Asterisk with a queue that nobody answers, and one whose agent takes 1.5 s."""
    with Pbx.start(
        folder / "pbx", agents=1, extra_conf={"extensions": EXTENSIONS + MOODY, "queues": PATIENT}
    ) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def tone(folder: Path, hertz: int, seconds: float) -> Sound:
    """A pure tone."""
    path = folder / f"tone-{hertz}-{seconds:g}.wav"
    count = round(8000 * seconds)
    samples = (round(8000 * math.sin(2 * math.pi * hertz * index / 8000)) for index in range(count))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{count}h", *samples))
    return Sound(file=str(path.with_suffix("")), seconds=seconds, text=f"{hertz} Hz")


async def in_line(room: EngineRoom, queue: str = "patient") -> list[str]:
    """The calls that wait, in Asterisk's order."""
    answer = await room.link.collect("QueueStatus", {"Queue": queue})
    calls = {line.uniqueid: line.call_id for line in room.switch.lines.values()}
    return [calls.get(event["Uniqueid"], "?") for event in answer if event["Event"] == "QueueEntry"]


async def joined(room: EngineRoom, count: int) -> list[str]:
    """Wait until so many are in line."""
    async with asyncio.timeout(5):
        while len(line := await in_line(room)) != count:
            await asyncio.sleep(0.05)
    return line


async def callers(room: EngineRoom, count: int) -> list[str]:
    """So many of them, one after the other, behind those who are there."""
    for number in range(len(room.live) + 1, len(room.live) + count + 1):
        await room.call()
        await until(lambda wanted=number: len(room.live) == wanted, 5)  # type: ignore[misc]
        await joined(room, number)
    return await in_line(room)


def call_of(room: EngineRoom, call_id: str) -> Call:
    """A living call."""
    return next(call for call in room.live if call.call_id == call_id)


async def press(room: EngineRoom, call_id: str, key: str) -> None:
    """The caller presses a key."""
    channel = room.switch.lines[call_id].channel.channel
    await room.link.send("PlayDTMF", {"Channel": channel, "Digit": key, "Duration": "100", "Receive": "yes"})


async def hang_up(room: EngineRoom, call_id: str) -> None:
    """The caller hangs up."""
    await room.link.send("Hangup", {"Channel": room.switch.lines[call_id].channel.channel, "Cause": "16"})
