"""What a recording holds: how long it is, and whether anything can be heard, as its file says.

Asterisk knows neither: Record() counts a line without a single packet, and a caller who says nothing, like any other.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

from callrouter.asterisk.causes import record_outcome
from callrouter.asterisk.notes import Voiced
from callrouter.core.call import RecordOutcome
from callrouter.core.inputs import MessageTaken

WAV_HEADER_BYTES: Final = 44
WAV_BYTES_PER_SECOND: Final = 16_000
"""8 kHz, 16 bit, mono: what Record writes for .wav."""
FRAME_SAMPLES: Final = 160
"""20 ms."""
LOUD: Final = 128
"""Mean amplitude of a frame in which somebody may speak: half of what Asterisk takes for silence (dsp.conf,
silencethreshold = 256), because a message that is hard to hear is one all the same."""
HEARD_FRAMES: Final = 10
"""So many loud frames are speech; fewer are a click."""
MOST_FRAMES: Final = 3000
"""Of a longer recording every second, third … frame is looked at: the loop serves live calls meanwhile."""
EVERY_SAMPLE: Final = 4
"""One sample of so many is enough to judge a frame's loudness."""
_SAMPLES: Final = Layout("<" + f"h{2 * (EVERY_SAMPLE - 1)}x" * (FRAME_SAMPLES // EVERY_SAMPLE))
"""Those samples of one frame, little-endian."""


class Recorded(Struct, frozen=True, kw_only=True, gc=False):
    """What is in a recording."""

    seconds: float
    heard: bool
    """Whether anything in it can be heard."""


NOTHING: Final = Recorded(seconds=0.0, heard=False)


def listen(path: Path) -> Recorded | None:
    """What a file of Record's holds; None when there is none to be seen."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    sound = memoryview(content)[WAV_HEADER_BYTES:]
    return Recorded(seconds=len(sound) / WAV_BYTES_PER_SECOND, heard=_heard(sound))


def _heard(sound: memoryview) -> bool:
    """Nothing is copied but the samples that are judged: ten minutes are 9.6 MB."""
    frames = len(sound) // (2 * FRAME_SAMPLES)
    step = frames // MOST_FRAMES + 1
    loud = 0
    for frame in range(0, frames, step):
        some = _SAMPLES.unpack_from(sound, 2 * FRAME_SAMPLES * frame)
        loud += sum(map(abs, some)) >= LOUD * len(some)
        if loud * step >= HEARD_FRAMES:
            return True
    return False


def recorded_in(folder: Path, name: str) -> Recorded:
    """What the recording of that name in that folder holds; nothing when there is none."""
    return listen(folder / f"{name}.wav") or NOTHING


def message_taken(voiced: Voiced, name: str, found: Recorded, at: datetime) -> MessageTaken:
    """What the core is told of a message that Asterisk's fallback took, once its recording is over and holds this."""
    return MessageTaken(
        node=voiced.node,
        recording=name,
        began_at=min(voiced.began_at, at),
        seconds=found.seconds,
        heard=found.heard,
        at=at,
    )


class Recording:
    """One that was asked for at `began_at`; `folder` is that of the recordings as Asterisk sees it."""

    __slots__ = ("_began_at", "_path")

    def __init__(self, folder: str, name: str, began_at: datetime) -> None:
        self._path = Path(folder) / f"{name}.wav"
        self._began_at = began_at

    def ended(self, status: str, now: datetime) -> Recorded:
        """By the file if it can be seen from here, else by the clock, unless Record failed (RECORD_STATUS)."""
        found = listen(self._path)
        if found is not None:
            return found
        if record_outcome(status) is RecordOutcome.FAILED:
            return NOTHING
        return Recorded(seconds=(now - self._began_at).total_seconds(), heard=True)

    def found(self) -> Recorded:
        """Of one whose end Asterisk has not told us: what its file holds."""
        return listen(self._path) or NOTHING
