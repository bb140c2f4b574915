"""A telephone's ear and mouth that are cheap enough for 200 at once: it keeps which sound it heard from when to when,
not the sound itself, and sends one packet in five of what it says all the time.
"""

from __future__ import annotations

import time
from typing import Final, Self

from deploy.demo import g711
from deploy.demo.telephone import PAYLOAD_TYPES, Telephone
from tests.chaos.notes import Stretch
from tests.chaos.sounds import OTHER, Sounds, tone

JOINED_SECONDS: Final = 0.3
"""A pause within one sound that nobody hears: idle telephones send every tenth of a second, a busy machine is late."""
LOOKED_SECONDS: Final = 0.2
"""Sound that is not in the table (music) is looked at so often."""
_IDLE_PACE: Final = 5
_HEADER: Final = 12


class Ear(Telephone):
    """See the module. `stretches` is what it heard, by this machine's clock in seconds since 1970."""

    def __init__(self) -> None:
        super().__init__()
        self.stretches: list[Stretch] = []
        self.sounds = Sounds()
        self.steady = False
        """Every packet goes out: what is recorded is as long as what was sent."""
        self._looked_at = 0.0
        self._frames = 0

    @classmethod
    async def listening(cls, sounds: Sounds, *, says: str = "") -> Self:
        """Open; `says` is the sound that it sends all the time, if any."""
        ear = await cls.open(background=tone(says, 1.0) if says else None)
        ear.sounds = sounds
        return ear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """As a protocol."""
        if len(data) <= _HEADER or data[0] >> 6 != 2 or data[1] & 0x7F != PAYLOAD_TYPES["alaw"]:
            return
        now, alaw = time.time(), data[_HEADER + 4 * (data[0] & 0x0F) :]
        name = self.sounds.known(alaw)
        if name is None:
            last = self.stretches[-1] if self.stretches else None
            if last is not None and last.name == OTHER and now - self._looked_at < LOOKED_SECONDS:
                name = OTHER
            else:
                self._looked_at, name = now, self.sounds.look(alaw)
        if name:
            self._note(name, now)

    def _note(self, name: str, now: float) -> None:
        last = self.stretches[-1] if self.stretches else None
        if last is not None and last.name == name and now - last.until < JOINED_SECONDS:
            last.until = now
        else:
            self.stretches.append(Stretch(name=name, since=now, until=now))

    def heard_since(self, name: str, since: float) -> bool:
        """Whether this sound was heard after an instant."""
        return any(one.name == name and one.until > since for one in reversed(self.stretches))

    def hears(self, name: str) -> bool:
        """Whether it hears this sound now."""
        last = self.stretches[-1] if self.stretches else None
        return last is not None and last.name == name and time.time() - last.until < JOINED_SECONDS

    def _send_frame(self) -> None:
        """What is said or keyed goes out every 20 ms; what an idle telephone sends, every 100 ms."""
        self._frames += 1
        if self.steady or self.is_busy or self._frames % _IDLE_PACE == 0:
            super()._send_frame()
        else:
            self._timestamp += g711.FRAME
