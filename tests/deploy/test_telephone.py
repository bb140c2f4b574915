"""What a telephone of the demonstration keeps of what it hears is what was sent."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from deploy.demo import g711
from deploy.demo.telephone import PAYLOAD_TYPES, Telephone

BEEP = g711.compress((8000 * np.sin(2 * np.pi * 440 * np.arange(0.3 * g711.RATE) / g711.RATE)).astype(np.int16))
SOUND = g711.compress(g711.expand(bytes([0x2A]) * g711.FRAME))
STALL_SECONDS = 0.4
"""More than any jitter."""


class Sender:
    """Packets of sound, one after the other."""

    def __init__(self, telephone: Telephone) -> None:
        self.telephone = telephone
        self.sequence, self.timestamp, self.source = 0xFFFE, 0xFFFFFFFF - g711.FRAME, 7

    def say(self, packets: int = 1) -> None:
        self.send(SOUND * packets)

    def send(self, sound: bytes) -> None:
        for start in range(0, len(sound), g711.FRAME):
            head = struct.pack("!BBHII", 0x80, PAYLOAD_TYPES["alaw"], self.sequence, self.timestamp, self.source)
            self.telephone.datagram_received(head + sound[start : start + g711.FRAME], ("127.0.0.1", 1))
            self.sequence = (self.sequence + 1) % 0x10000
            self.skip(g711.FRAME)

    def skip(self, samples: int) -> None:
        self.timestamp = (self.timestamp + samples) % 0x100000000


@pytest.fixture
async def telephone() -> AsyncIterator[Telephone]:
    opened = await Telephone.open()
    yield opened
    opened.close()


async def test_a_process_that_stood_still_hears_no_pause(telephone: Telephone) -> None:
    """What was sent meanwhile comes all at once, and lay in the socket: both counters of the stream run over here."""
    sender = Sender(telephone)
    sender.say(3)
    time.sleep(STALL_SECONDS)  # noqa: ASYNC251  # the process does
    sender.say(round(STALL_SECONDS * 50))

    assert telephone.heard_seconds == pytest.approx(0.06 + STALL_SECONDS)


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "begins anew"])
async def test_a_pause_of_the_sender_is_one(telephone: Telephone, *, restarts: bool) -> None:
    """By the sender's clock; by ours where it begins another stream."""
    sender = Sender(telephone)
    sender.say(3)
    await asyncio.sleep(STALL_SECONDS)
    sender.skip(round(STALL_SECONDS * g711.RATE))
    if restarts:
        sender.source, sender.timestamp = 8, 0
    sender.say(3)

    assert telephone.heard_seconds == pytest.approx(0.12 + STALL_SECONDS, abs=0.1)


async def test_a_beep_is_noticed_however_late_one_looks(telephone: Telephone) -> None:
    sender = Sender(telephone)
    before = telephone.packets_heard
    sender.send(BEEP)
    sender.say(20)

    assert not telephone.hears_tone()
    assert telephone.heard_tone_since(before)
    assert telephone.heard_tone_since(before, 440.0)
    assert not telephone.heard_tone_since(before, 600.0)
    assert not telephone.heard_tone_since(telephone.packets_heard)
