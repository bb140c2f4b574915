"""A telephone's ear and mouth: RTP on a port of our own, beside the SIPp that does the signalling.

One stream, one SSRC, timestamps that always rise: Asterisk ignores a digit whose timestamp it has already seen, so
captures played twice in one call lose digits. No raw sockets, hence no root.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self, cast

from deploy.demo import g711

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Codec = Literal["alaw", "ulaw"]
PAYLOAD_TYPES: Final[Mapping[Codec, int]] = {"alaw": 8, "ulaw": 0}
"""RFC 3551, 6."""
_PAYLOAD_ALAW = PAYLOAD_TYPES["alaw"]
_PAYLOAD_EVENT = 101
_FRAME_SECONDS = 0.02
_DIGIT_FRAMES = 6
_PAUSE_FRAMES = 4
_LOST_SECONDS = 0.2
_TONE_FRAMES = 6
_TONE_TOLERANCE_HERTZ = 15.0
_EVENTS = "0123456789*#"
SEQUENCES = 0x10000
"""Sequence numbers of RTP are 16 bits."""
_TIMESTAMPS: Final = 0x100000000

_STAMP: Final = struct.Struct("!HII")

Packet = tuple[int, bool, int, bytes]
"""Payload type, marker, frames since the timestamp to show, payload."""


class _Stamp(NamedTuple):
    """What a packet says of its place in a stream (RFC 3550, 5.1)."""

    sequence: int
    timestamp: int
    source: int

    def after(self, samples: int) -> _Stamp:
        """That of the next packet, if there is no pause."""
        return _Stamp((self.sequence + 1) % SEQUENCES, (self.timestamp + samples) % _TIMESTAMPS, self.source)

    def samples_until(self, arrived: _Stamp) -> int | None:
        """For how long the sender was silent before a packet, in samples; None where another one than this was next."""
        if (arrived.sequence, arrived.source) != (self.sequence, self.source):
            return None
        return (arrived.timestamp - self.timestamp) % _TIMESTAMPS


class Telephone(asyncio.DatagramProtocol):
    """Sends every 20 ms once it knows where to (speech, digits, or silence); keeps all it hears.

    `host` and `port` are to be announced in SDP. Where to send is told by `connect`, else taken from the first packet.
    The stream begins at any sequence number, timestamp and source (RFC 3550, 5.1), unless `begin_stream` says which.
    """

    def __init__(self) -> None:
        self.codec: Codec = "alaw"
        """The only one it knows; what is kept of it here is A-law."""
        self.host = "127.0.0.1"
        self.port = 0
        self.tones: deque[float] = deque(maxlen=_TONE_FRAMES)
        self.packets_heard = 0
        """Of sound that came in."""
        self._toned: dict[int, int] = {}
        """By frequency in Hz: how many packets had come when such a tone had last been heard for 120 ms."""
        self.keys: list[str] = []
        """Keyed by the other side."""
        self._last_key = b""
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: tuple[str, int] | None = None
        self._heard = bytearray()
        self._heard_from: float | None = None
        self._last_heard = 0.0
        self._expected = _Stamp(0, 0, 0)
        self._queue: deque[Packet] = deque()
        self._background_alaw = b""
        self._background_at = 0
        self._sequence = self._timestamp = self._ssrc = 0
        self.begin_stream(random.randrange(SEQUENCES))
        self._ticker: asyncio.TimerHandle | None = None
        self._next_tick = 0.0

    @classmethod
    async def open(cls, *, background: g711.Pcm | None = None, sequence: int | None = None) -> Self:
        """Take a free port; `background` is what it says over and over when nothing else is to be said, `sequence` the
        number of its first packet, where that is not to be any.
        """
        loop = asyncio.get_running_loop()
        _, telephone = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        if background is not None:
            telephone.speak(background)
        if sequence is not None:
            telephone.begin_stream(sequence)
        return telephone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.DatagramTransport", transport)  # not a subclass of it in CPython
        self._transport = transport
        self.host, self.port = transport.get_extra_info("sockname")
        self._next_tick = asyncio.get_running_loop().time()
        self._tick()

    def connect(self, host: str, port: int) -> None:
        """Where the other side expects our sound."""
        self._peer = (host, port)

    def begin_stream(self, sequence: int) -> None:
        """Go on as a new stream, as some telephones do after a hold: from this sequence number, modulo 65,536."""
        self._sequence = sequence % SEQUENCES
        self._timestamp = random.randrange(0x80000000)
        self._ssrc = random.randrange(1, 0x100000000)

    @property
    def sequence(self) -> int:
        """The number of the next packet."""
        return self._sequence

    def close(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        if self._transport is not None:
            self._transport.close()

    def forget(self) -> None:
        """The conversation is over: the next one starts with clean ears."""
        self._peer = None
        self._heard.clear()
        self._heard_from = None
        self._queue.clear()
        self.tones.clear()
        self._toned.clear()

    # ---- the ear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) >= 16 and data[0] >> 6 == 2 and data[1] & 0x7F == _PAYLOAD_EVENT:
            self._note_key(data)
        if len(data) <= 12 or data[0] >> 6 != 2 or data[1] & 0x7F != PAYLOAD_TYPES[self.codec]:
            return  # RTCP of a neighbour, comfort noise
        if self._peer is None:
            self._peer = addr
        sound = data[12 + 4 * (data[0] & 0x0F) :]
        stamp = _Stamp(*_STAMP.unpack_from(data, 2))
        self._hear(sound if self.codec == "alaw" else sound.translate(g711.FROM_ULAW), stamp)

    def error_received(self, exc: Exception) -> None:
        """Asterisk closes its port a moment before we hang up: nothing is lost by it."""

    def _note_key(self, data: bytes) -> None:
        """A packet of a key (RFC 4733, 2.3): all of one key have its timestamp, and its end comes three times."""
        timestamp, event, ended = data[4:8], data[12], data[13] & 0x80
        if ended and timestamp != self._last_key and event < len(_EVENTS):
            self._last_key = timestamp
            self.keys.append(_EVENTS[event])

    def _hear(self, alaw: bytes, stamp: _Stamp) -> None:
        now = time.monotonic()
        if self._heard_from is None:
            self._heard_from = now
        # Keep the stream as it was sent, jitter or not; only a real pause counts as one. Where this process was late
        # itself, what was sent meanwhile is still to come, and the sender's clock says that there was no pause.
        if now - self._last_heard > _LOST_SECONDS and self._heard:
            missing = round((now - self._heard_from) * g711.RATE) - len(self._heard)
            paused = self._expected.samples_until(stamp)
            self._heard += b"\xd5" * max(missing if paused is None else min(missing, paused), 0)
        self._last_heard = now
        self._expected = stamp.after(len(alaw))
        self._heard += alaw
        self.packets_heard += 1
        self.tones.append(g711.tone_of(g711.expand(alaw)) or 0.0)
        if self.tones[-1] and self.hears_tone(self.tones[-1]):
            self._toned[round(self.tones[-1])] = self.packets_heard

    @property
    def heard(self) -> g711.Pcm:
        """Everything heard since the first packet."""
        return g711.expand(self._heard)

    @property
    def heard_seconds(self) -> float:
        return len(self._heard) / g711.RATE

    @property
    def is_hearing(self) -> bool:
        """Whether sound came in during the last fifth of a second."""
        return time.monotonic() - self._last_heard < _LOST_SECONDS

    def hears_tone(self, *hertz: float) -> bool:
        """Whether the last 120 ms were one pure tone: one of `hertz`, or any."""
        if len(self.tones) < _TONE_FRAMES or not self.is_hearing or not self.tones[0]:
            return False
        return any(
            all(abs(one - wanted) < _TONE_TOLERANCE_HERTZ for one in self.tones) for wanted in hertz or self.tones
        )

    def heard_tone_since(self, packets: int, *hertz: float) -> bool:
        """Whether one pure tone was heard for 120 ms, one of `hertz` or any, after so many packets: a beep is shorter
        than what a busy machine may be late with a look at it.
        """
        return any(
            last > packets and (not hertz or any(abs(tone - wanted) < _TONE_TOLERANCE_HERTZ for wanted in hertz))
            for tone, last in self._toned.items()
        )

    # ---- the mouth

    def press(self, digits: str) -> None:
        """Queue digits as RFC 4733 events: 120 ms each, 80 ms apart. Raises ValueError for other characters."""
        for digit in digits:
            if digit not in _EVENTS:
                raise ValueError(f"{digit!r} is not on a telephone's keypad")
            self._queue.extend(_digit(_EVENTS.index(digit)))
            self._queue.extend((_PAYLOAD_ALAW, False, 0, g711.SILENCE) for _ in range(_PAUSE_FRAMES))

    def speak(self, background: g711.Pcm) -> None:
        """What it says over and over from now on, when nothing else is to be said."""
        self._background_alaw, self._background_at = g711.compress(background), 0

    def say(self, pcm: g711.Pcm) -> None:
        """Queue speech."""
        alaw = g711.compress(pcm)
        for start in range(0, len(alaw) - g711.FRAME + 1, g711.FRAME):
            self._queue.append((_PAYLOAD_ALAW, False, 0, alaw[start : start + g711.FRAME]))

    @property
    def is_busy(self) -> bool:
        """Whether something queued has still to be said or pressed."""
        return bool(self._queue)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now - self._next_tick > 0.5:  # the machine stood still: do not pour out what was missed
            self._next_tick = now
        while self._next_tick <= now:
            self._send_frame()
            self._next_tick += _FRAME_SECONDS
        self._ticker = loop.call_at(self._next_tick, self._tick)

    def _send_frame(self) -> None:
        if self._peer is None or self._transport is None or self._transport.is_closing():
            return
        kind, marker, ago, payload = self._queue.popleft() if self._queue else self._idle_packet()
        copies = 3 if kind == _PAYLOAD_EVENT and payload[1] & 0x80 else 1
        for _ in range(copies):  # the end of a digit is said three times (RFC 4733, 2.5.1.4)
            self._send(kind, marker, self._timestamp - ago * g711.FRAME, payload)
        self._timestamp += g711.FRAME

    def _idle_packet(self) -> Packet:
        if not self._background_alaw:
            return _PAYLOAD_ALAW, False, 0, g711.SILENCE
        start = self._background_at
        self._background_at = (start + g711.FRAME) % (len(self._background_alaw) - g711.FRAME + 1)
        return _PAYLOAD_ALAW, False, 0, self._background_alaw[start : start + g711.FRAME]

    def _send(self, kind: int, marker: bool, timestamp: int, payload: bytes) -> None:
        assert self._transport is not None
        if kind == _PAYLOAD_ALAW and self.codec == "ulaw":
            kind, payload = PAYLOAD_TYPES["ulaw"], payload.translate(g711.TO_ULAW)
        header = struct.pack("!BBHII", 0x80, kind | 0x80 * marker, self._sequence, timestamp & 0xFFFFFFFF, self._ssrc)
        self._sequence = (self._sequence + 1) % SEQUENCES
        self._transport.sendto(header + payload, self._peer)


def _digit(event: int) -> Iterator[Packet]:
    """One key: the event's timestamp stands still while its duration grows."""
    for frame in range(_DIGIT_FRAMES):
        ends = frame == _DIGIT_FRAMES - 1
        duration = (frame + 1) * g711.FRAME
        payload = struct.pack("!BBH", event, 0x0A | 0x80 * ends, duration)
        yield _PAYLOAD_EVENT, frame == 0, frame, payload
