"""What the harness measures with: a telephone knows what it hears and when, and the web service for how long it was
waited for.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable

import numpy as np
import pytest

from deploy.demo import g711
from deploy.demo.telephone import Telephone
from tests.chaos import answering
from tests.chaos import service as web
from tests.chaos.ear import Ear
from tests.chaos.media import HOST, media
from tests.chaos.service import service
from tests.chaos.sounds import HERTZ, OTHER, Sounds, tone
from tests.laws.sip import Port

FRAMES = {"20 ms": 1, "60 ms": 3}


def alaw(name: str, seconds: float) -> bytes:
    return g711.compress(tone(name, seconds))


def packet(payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 8, 1, 0, 1) + payload


async def soon(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10.0):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("name", HERTZ)
def test_each_sound_is_known(name: str, frames: int) -> None:
    sounds = Sounds()

    assert sounds.look(alaw(name, 0.02 * frames)) == name
    assert sounds.known(alaw(name, 0.02 * frames)) == name


def test_a_packet_is_what_is_heard_at_its_end() -> None:
    frame, silence = 0.02, g711.SILENCE

    assert Sounds().look(alaw("ask", 2 * frame) + alaw("one", frame)) == "one"
    assert Sounds().look(alaw("ask", 2 * frame) + silence) == ""
    assert Sounds().look(silence + alaw("ask", 2 * frame)) == "ask"
    assert Sounds().look(alaw("ask", 0.0575) + silence[:20]) == "ask"
    assert Sounds().look(3 * silence) == ""
    assert Sounds().look(alaw("ask", 0.005) + silence[40:]) == ""


@pytest.mark.parametrize("hertz", [(440.0, 554.4, 659.3), (604.0,), (490.0, 980.0)], ids=["chord", "flat", "organ"])
def test_music_is_none_of_our_sounds(hertz: tuple[float, ...]) -> None:
    notes = np.sum([g711.tone(one, 0.06, level=0.1) for one in hertz], axis=0).astype(np.int16)

    assert Sounds().look(g711.compress(notes)) == OTHER


async def test_what_is_heard_has_the_time_at_which_it_came() -> None:
    """However late this process, which was held up, is to look."""
    async with media() as found:
        ear = Ear.listening(found)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as pbx:
            for _ in range(5):
                pbx.sendto(packet(alaw("ask", 0.06)), (HOST, ear.port))
                time.sleep(0.06)  # noqa: ASYNC251 - nothing else is to run
            sent_at = time.time()
            time.sleep(0.5)  # noqa: ASYNC251
            await soon(lambda: bool(ear.stretches))
        stretches = list(ear.stretches)  # of a sender that was held up itself: several
        ear.close()

    assert {one.name for one in stretches} == {"ask"}
    assert stretches[-1].until < sent_at
    assert stretches[-1].until - stretches[0].since >= 0.24


async def test_what_has_come_is_heard_before_a_telephone_is_closed() -> None:
    async with media() as found:
        ear = Ear.listening(found)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as pbx:
            pbx.sendto(packet(alaw("bye", 0.06)), (HOST, ear.port))
        ear.close()

    assert [one.name for one in ear.stretches] == ["bye"]


async def test_a_telephone_says_its_sound_all_the_time_and_keys() -> None:
    other = await Telephone.open()
    async with media() as found:
        talks, hears = Ear.listening(found, says="agent"), Ear.listening(found)
        talks.connect(HOST, hears.port)
        await soon(lambda: bool(hears.stretches) and hears.stretches[-1].until > hears.stretches[0].since + 0.5)
        assert [one.name for one in hears.stretches] == ["agent"]
        talks.connect(HOST, other.port)
        talks.press("12#")
        await soon(lambda: len(other.keys) == 3)
        talks.close()
        hears.close()
    other.close()

    assert other.keys == ["1", "2", "#"]


async def test_who_waits_for_a_sound_is_told() -> None:
    async with media() as found:
        began_at = time.monotonic()
        await found.until(lambda: time.monotonic() > began_at + 0.1, 5.0)
        assert 0.1 <= time.monotonic() - began_at < 5.0
        await found.until(lambda: False, 0.1)


async def test_a_lookup_is_done_when_whoever_asked_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SLOW_SECONDS", (8.0, 8.0))
    async with service("") as found:
        _, writer = await asyncio.open_connection(HOST, found.port)
        writer.write(b"GET /lookup/1 HTTP/1.1\r\n\r\n")
        await soon(lambda: bool(found.asked))
        writer.transport.abort()
        await soon(lambda: bool(found.asked[0].done_at))
        await asyncio.sleep(0.05)  # the other end is closed

    assert found.asked[0].done_at - found.asked[0].at < 8.0


async def test_a_lookup_is_done_when_it_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SLOW_SECONDS", (0.2, 0.2))
    async with service("") as found:
        reader, writer = await asyncio.open_connection(HOST, found.port)
        writer.write(b"GET /lookup/1 HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()

    assert found.asked[0].done_at - found.asked[0].at >= 0.2


async def test_a_sound_that_begins_within_a_packet_is_known_with_the_next_one() -> None:
    """Not only when music, which is looked at seldom, would be looked at again."""
    async with media() as found:
        ear = Ear.listening(found)
        shifted = g711.compress(tone("two", 0.2)[7:])
        ear.hear(packet(alaw("ask", 0.05) + shifted[:80]), 1.0)
        ear.hear(packet(shifted[80:560]), 1.06)
        ear.close()

    assert [one.name for one in ear.stretches] == [OTHER, "two"]


@pytest.mark.parametrize("acknowledged", [True, False])
async def test_who_answers_a_pbx_that_was_killed_talks_to_nobody(
    monkeypatch: pytest.MonkeyPatch, *, acknowledged: bool
) -> None:
    """It never hears of the answer: no ACK comes, and a BYE is answered by 481."""
    monkeypatch.setattr(answering, "ANSWERS_SECONDS", {"callback": (0.0, 0.1)})
    monkeypatch.setattr(answering, "TALK_SECONDS", {"callback": (0.2, 0.3)})
    async with media() as sound:
        phones = answering.Answering(sound)
        port = await Port.open(phones.ring)
        pbx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        pbx.bind((HOST, 0))
        pbx.setblocking(False)
        loop = asyncio.get_running_loop()

        def says(method: str) -> bytes:
            uri = f"sip:+33612000001@{port.contact}"
            lines = (
                f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {HOST}:{pbx.getsockname()[1]};branch=z9hG4bK1",
                "From: <sip:pbx@test>;tag=1",
                f"To: <{uri}>",
                "Call-ID: 1",
                f"CSeq: 1 {method}",
                f"Contact: <sip:pbx@{HOST}:{pbx.getsockname()[1]}>",
                "Content-Length: 0",
            )
            return "\r\n".join((*lines, "", "")).encode()

        def send(data: bytes) -> None:
            pbx.sendto(data, (HOST, port.number))

        send(says("INVITE"))
        async with asyncio.timeout(10):
            while not (heard := await loop.sock_recv(pbx, 4096)).startswith(b"BYE"):
                if heard.startswith(b"SIP/2.0 200") and acknowledged:
                    send(says("ACK"))
            headers = heard.split(b"\r\n")[1:]
            send(b"\r\n".join((b"SIP/2.0 481 Call/Transaction Does Not Exist", *headers)))
            await soon(lambda: bool(phones.notes.rings[0].ended_at))
        await port.close()
        pbx.close()

    assert bool(phones.notes.rings[0].answered_at) is acknowledged
