"""A telephone's ear and mouth that are cheap enough for 200 at once: it keeps which sound it heard from when to when,
not the sound itself, and sends a packet of 60 ms every fifth of a second of what it says all the time.
"""

from __future__ import annotations

import time
from typing import Final, Self

from deploy.demo import g711
from deploy.demo.telephone import PAYLOAD_TYPES, Telephone
from tests.chaos.media import Media
from tests.chaos.notes import Stretch
from tests.chaos.sounds import OTHER, tone

JOINED_SECONDS: Final = 0.3
"""A pause within one sound that nobody hears: idle telephones send every fifth of a second, a busy machine is late."""
LOOKED_SECONDS: Final = 0.2
"""Sound that is not in the table and was none of ours twice (music) is looked at so often."""
IDLE_FRAMES: Final = 10
"""Of 20 ms, from a packet of what is said all the time to the next one."""
PACKET_SECONDS: Final = 0.06
"""How long it is: as what the PBX sends callers (`town`), or it would collect several of them first."""
_HEADER: Final = 12
_ALAW: Final = PAYLOAD_TYPES["alaw"]


class Ear(Telephone):
    """See the module. `stretches` is what it heard, by this machine's clock in seconds since 1970."""

    def __init__(self, media: Media) -> None:
        super().__init__()
        self.media = media
        self.stretches: list[Stretch] = []
        self.steady = False
        """Every packet goes out: what is recorded is as long as what was sent."""
        self._idle = b""
        self._looked_at = 0.0
        self.connection_made(media.plug(self))

    @classmethod
    def listening(cls, media: Media, *, says: str = "") -> Self:
        """Open; `says` is the sound that it sends all the time, if any."""
        ear = cls(media)
        ear.speak(tone(says, 1.0) if says else tone("caller", 1.0) * 0)
        return ear

    def speak(self, background: g711.Pcm) -> None:
        """What it says over and over from now on: a tone whose every frame is the same, or silence."""
        super().speak(background)
        self._idle = self._background_alaw[: round(PACKET_SECONDS * g711.RATE)]

    def hear(self, data: bytes, at: float) -> None:
        """A packet that came then."""
        if len(data) <= _HEADER or data[0] >> 6 != 2 or data[1] & 0x7F != _ALAW:
            return
        sounds, alaw = self.media.sounds, data[_HEADER:]
        name = sounds.known(alaw)
        if name is None:
            last = self.stretches[-1] if self.stretches else None
            if last is not None and last.name == OTHER and last.since < self._looked_at > at - LOOKED_SECONDS:
                name = OTHER
            else:
                self._looked_at, name = at, sounds.look(alaw)
        if name:
            self._note(name, at)

    def _note(self, name: str, at: float) -> None:
        last = self.stretches[-1] if self.stretches else None
        if last is not None and last.name == name and at - last.until < JOINED_SECONDS:
            last.until = at
        else:
            self.stretches.append(Stretch(name=name, since=at, until=at))

    def heard_since(self, name: str, since: float) -> bool:
        """Whether this sound was heard after an instant."""
        for one in reversed(self.stretches):
            if one.until <= since:
                return False
            if one.name == name:
                return True
        return False

    def hears(self, name: str) -> bool:
        """Whether it hears this sound now."""
        last = self.stretches[-1] if self.stretches else None
        return last is not None and last.name == name and time.time() - last.until < JOINED_SECONDS

    def turn(self, frame: int) -> None:
        """What is said or keyed goes out every 20 ms; what an idle telephone sends, in longer packets and seldom."""
        if self._peer is not None and (self.steady or self._queue):
            self._send_frame()
            return
        if self._peer is not None and (frame + self.port) % IDLE_FRAMES == 0:
            self._send(_ALAW, False, self._timestamp, self._idle)
        self._timestamp += g711.FRAME

    def _tick(self) -> None:
        """All telephones have one clock (`Media`)."""
