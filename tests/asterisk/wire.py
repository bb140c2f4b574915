"""A caller in SIP written by hand, with an ear that notes every packet: for what no well-behaved telephone sends."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np

from deploy.asterisk.pbx import Pbx
from deploy.demo import g711
from deploy.demo.telephone import Telephone

CARRIER = "127.0.0.1"
_STATUS = re.compile(r"SIP/2\.0 (\d{3})")
_MEDIA = re.compile(r"^m=audio (\d+)", re.MULTILINE)
_RTP_HEADER = 12
_CLOCK = struct.Struct("!II")
"""A packet's timestamp and source, from its fourth byte."""
_CLOCK_TURNS_SECONDS = 2**32 / 8000
_EVENTS = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"


TONE_POWER = 4000.0
"""Amplitude of a sine from which it is heard: tests' tones have 8,000, a loud note of the music up to 3,000."""


def _power(samples: list[int], hertz: int) -> float:
    """Amplitude of a sine in samples taken 8,000 times a second."""
    turns = np.exp(-2j * np.pi * hertz / 8000 * np.arange(len(samples)))
    return float(2 * abs(np.dot(np.asarray(samples, dtype=float), turns)) / len(samples))


@dataclass(frozen=True)
class Packet:
    """One that came: when, by the loop's clock, how loud (RMS of 16-bit samples), and whose it is: of which source, and
    from when by its sender's clock (RFC 3550, 5.1), in seconds.
    """

    at: float
    loudness: float
    source: int
    sent: float


def _gap(earlier: Packet, later: Packet) -> float:
    """Seconds between two packets that came one after the other."""
    came = later.at - earlier.at
    return came if later.source != earlier.source else min(came, (later.sent - earlier.sent) % _CLOCK_TURNS_SECONDS)


class Ear(Telephone):
    """A telephone that notes each packet of sound."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[Packet] = []
        self.sound_of_packets: list[tuple[float, list[int]]] = []
        """Of each packet that came: when, and what is in it."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) > _RTP_HEADER and data[0] >> 6 == 2 and data[1] & 0x7F == 8:
            samples = g711.expand(data[_RTP_HEADER:])
            loudness = math.sqrt(sum(int(one) ** 2 for one in samples) / len(samples))
            now = asyncio.get_running_loop().time()
            timestamp, source = _CLOCK.unpack_from(data, 4)
            self.packets.append(Packet(now, loudness, source, timestamp / 8000))
            self.sound_of_packets.append((now, [int(one) for one in samples]))
        super().datagram_received(data, addr)

    def whistled(self, hertz: int, since: float = 0.0) -> list[float]:
        """When a pure tone of so many hertz began, also over music: in steps of 0.1 s, and one of at least 0.3 s."""
        began: list[float] = []
        run = 0
        for first in range(0, len(self.sound_of_packets) - 4, 5):
            at = self.sound_of_packets[first][0]
            samples = [one for _, packet in self.sound_of_packets[first : first + 5] for one in packet]
            run = run + 1 if at >= since and _power(samples, hertz) > TONE_POWER else 0
            if run == 3:
                began.append(at - 0.2)
        return began

    def longest_gap(self, since: float, until: float) -> float:
        """Seconds without a packet, at most, between two instants.

        Between two of one stream by its sender's clock, if that says less: packets lie in the socket while this process
        is held up.
        """
        packets = [packet for packet in self.packets if since <= packet.at <= until]
        gaps = [_gap(earlier, later) for earlier, later in pairwise(packets)]
        return max(packets[0].at - since, *gaps, until - packets[-1].at) if packets else until - since

    def loud(self, since: float, until: float, *, above: float = 100.0) -> list[float]:
        """When something was heard that is not silence."""
        return [packet.at for packet in self.packets if since <= packet.at <= until and packet.loudness > above]


class WireCaller(asyncio.DatagramProtocol):
    """One call: INVITE as told, ACK, BYE; answers whatever Asterisk asks meanwhile with 200."""

    def __init__(self, pbx: Pbx, ear: Ear, *, keys_as_events: bool = True) -> None:
        self.ear = ear
        self.status = 0
        self.answered_at = 0.0
        self.ended = asyncio.Event()
        self._pbx = (pbx.sip_host, pbx.sip_port)
        self._events = keys_as_events
        self._call_id = secrets.token_hex(8)
        self._tag = secrets.token_hex(4)
        self._final = asyncio.Event()
        self._leaves = False
        self._transport: asyncio.DatagramTransport | None = None
        self._uri = self._from = self._to = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def invite(self, user: str, sender: str, *headers: str) -> None:
        """`user` stands in the request as it is, `sender` in From."""
        self._uri = f"sip:{user}@{self._pbx[0]}:{self._pbx[1]}"
        self._from, self._to = f"{sender};tag={self._tag}", f"<{self._uri}>"
        codecs, events = ("8 101", _EVENTS) if self._events else ("8", "")
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {CARRIER}\r\ns=-\r\nc=IN IP4 {CARRIER}\r\nt=0 0\r\n"
            f"m=audio {self.ear.port} RTP/AVP {codecs}\r\na=rtpmap:8 PCMA/8000\r\n{events}a=ptime:20\r\n"
        )
        self._send("INVITE", 1, body, headers)

    async def answered(self, seconds: float = 10) -> None:
        """Wait for the final answer, which must be 200."""
        async with asyncio.timeout(seconds):
            await self._final.wait()
        assert self.status == 200, self.status

    async def refused(self, seconds: float = 10) -> int:
        """Wait for the final answer."""
        async with asyncio.timeout(seconds):
            await self._final.wait()
        return self.status

    def bye(self) -> None:
        """Hang up, if answered; give up, if not, and hang up once it turns out that somebody had answered meanwhile
        (RFC 3261 section 15: the 200 may be on its way, and Asterisk pays no heed to a CANCEL after it).
        """
        self._leaves = True
        if self.status == 200:
            self._send("BYE", 2)
        elif not self.status:
            self._send("CANCEL", 1)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        if found := _STATUS.match(text):
            self._response(int(found[1]), text)
        elif self._transport is not None:
            kept = re.findall(r"(?im)^(?:via|from|to|call-id|cseq): .*?\r$", text)
            answer = "".join(f"{line}\n" for line in kept)
            self._transport.sendto(f"SIP/2.0 200 OK\r\n{answer}Content-Length: 0\r\n\r\n".encode(), addr)
            if text.startswith("BYE"):
                self.ended.set()

    def _response(self, status: int, text: str) -> None:
        if not re.search(r"(?im)^cseq: 1 INVITE", text) or status == 100:
            return
        media = _MEDIA.search(text)
        if media:
            self.ear.connect(self._pbx[0], int(media[1]))
        if status < 200:
            return
        to = re.search(r"(?im)^to: (.*?)\r?$", text)
        assert to is not None
        self._to = to[1]
        self._send("ACK", 1)
        if not self.status:
            self.status, self.answered_at = status, asyncio.get_running_loop().time()
            self._final.set()
            if status == 200 and self._leaves:
                self._send("BYE", 2)

    def _send(self, method: str, number: int, body: str = "", headers: tuple[str, ...] = ()) -> None:
        assert self._transport is not None
        port = self._transport.get_extra_info("sockname")[1]
        branch = f"z9hG4bK{self._call_id}" + (secrets.token_hex(4) if method in ("BYE", "ACK") else "")
        lines = [
            f"{method} {self._uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {CARRIER}:{port};rport;branch={branch}",
            *("Max-Forwards: 70", f"From: {self._from}", f"To: {self._to}", f"Call-ID: {self._call_id}"),
            *(f"CSeq: {number} {method}", f"Contact: <sip:caller@{CARRIER}:{port}>", *headers),
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._transport.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self._pbx)


@asynccontextmanager
async def wire_caller(pbx: Pbx, *, keys_as_events: bool = True) -> AsyncIterator[WireCaller]:
    """A caller with their telephone; what is left of the call is hung up."""
    ear = await Ear.open()
    loop = asyncio.get_running_loop()
    transport, caller = await loop.create_datagram_endpoint(
        lambda: WireCaller(pbx, ear, keys_as_events=keys_as_events), local_addr=(CARRIER, 0)
    )
    try:
        yield caller
    finally:
        if not caller.ended.is_set():
            caller.bye()
            await asyncio.sleep(0.05)
        ear.close()
        transport.close()
