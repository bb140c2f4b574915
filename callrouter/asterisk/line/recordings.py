"""What a recording holds: how long it is, and whether anything can be heard, as its file says.

Asterisk knows neither: Record() counts a line without a single packet, and a caller who says nothing, like any other.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from struct import Struct as Layout
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from callrouter.asterisk.causes import record_outcome
from callrouter.asterisk.notes import Voiced
from callrouter.core.call import RecordOutcome
from callrouter.core.inputs import MessageTaken, RecordingFound

WAV_HEADER_BYTES: Final = 44
SAMPLES_PER_SECOND: Final = 8_000
WAV_BYTES_PER_SECOND: Final = 2 * SAMPLES_PER_SECOND
"""8 kHz, 16 bit, mono: what Record writes for .wav."""
FRAME_SAMPLES: Final = 160
FRAME_SECONDS: Final = FRAME_SAMPLES / SAMPLES_PER_SECOND
LOUD: Final = 128
"""Mean amplitude of a frame in which somebody may speak: half of what Asterisk takes for silence (dsp.conf,
silencethreshold = 256), because a message that is hard to hear is one all the same."""
HEARD_FRAMES: Final = 10
"""So many loud frames are speech; fewer are a click."""
TOGETHER, WITHIN = 7, 10
"""So many loud frames within so many are speech: a click before it or behind it is no part of it."""
MOST_FRAMES: Final = 3000
"""Of a longer recording every second, third … frame is looked at: the loop serves live calls meanwhile."""
EVERY_SAMPLE: Final = 4
"""One sample of so many is enough to judge a frame's loudness."""
_SAMPLES: Final = Layout("<" + f"h{2 * (EVERY_SAMPLE - 1)}x" * (FRAME_SAMPLES // EVERY_SAMPLE))
"""Those samples of one frame, little-endian."""
ENDED_BY_SILENCE: Final = "SILENCE"
"""RECORD_STATUS."""
ENDED_BY_KEY: Final = "DTMF"
KEPT_SECONDS: Final = 1.0
"""So much of the silence that ends a recording Record() keeps (app_record.c)."""
CUT_SECONDS: Final = 0.25
"""So much Record() cuts off the end where a key ends it."""


class Recorded(Struct, frozen=True, kw_only=True, gc=False):
    """What is in a recording."""

    seconds: float
    """How long it is."""
    heard: bool
    """Whether anything in it can be heard."""
    spoken_seconds: float
    """From the first sound in it to the last."""
    quiet_seconds: float = 0.0
    """From the last sound to the end."""


NOTHING: Final = Recorded(seconds=0.0, heard=False, spoken_seconds=0.0)


def listen(path: Path) -> Recorded | None:
    """What a file of Record's holds; None when there is none to be seen."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    sound = memoryview(content)[WAV_HEADER_BYTES:]
    seconds, (first, last) = len(sound) / WAV_BYTES_PER_SECOND, _spoken(sound)
    return Recorded(seconds=seconds, heard=last > first, spoken_seconds=last - first, quiet_seconds=seconds - last)


def _spoken(sound: memoryview) -> tuple[float, float]:
    """Seconds until the first sound, and until the end of the last; twice 0 where nothing can be heard.

    Nothing is copied but the samples that are judged, and those between are not: ten minutes are 9.6 MB.
    """
    frames = len(sound) // (2 * FRAME_SAMPLES)
    step = frames // MOST_FRAMES + 1
    looked = range(0, frames, step)
    first, loud = _first(sound, looked, step, at_least=HEARD_FRAMES)
    if len(loud) * step < HEARD_FRAMES:
        return 0.0, 0.0
    last = None if first is None else _first(sound, looked[::-1], step, at_least=0)[0]
    if first is None or last is None:  # too faint to be sure where it begins, and where it ends
        first, last = loud[0], loud[-1]
    return first * FRAME_SECONDS, min(last + step, frames) * FRAME_SECONDS


def _first(sound: memoryview, looked: range, step: int, *, at_least: int) -> tuple[int | None, list[int]]:
    """The first loud frame of the first `TOGETHER` within `WITHIN`, and all loud ones, of which at least so many are
    looked for.
    """
    together, within = max(1, TOGETHER // step), max(1, WITHIN // step) * step
    loud: list[int] = []
    first = None
    for frame in looked:
        some = _SAMPLES.unpack_from(sound, 2 * FRAME_SAMPLES * frame)
        if sum(map(abs, some)) < LOUD * len(some):
            continue
        loud.append(frame)
        if first is None and len(loud) >= together and abs(frame - loud[-together]) < within:
            first = loud[-together]
        if first is not None and len(loud) * step >= at_least:
            break
    return first, loud


def recorded_in(folder: Path, name: str) -> Recorded:
    """What the recording of that name in that folder holds; nothing when there is none."""
    return listen(folder / f"{name}.wav") or NOTHING


def found_in(found: Recorded, at: datetime) -> RecordingFound:
    """What the core is told of a recording that is over and from which nobody goes on."""
    spoken = found.spoken_seconds
    return RecordingFound(seconds=found.seconds, heard=found.heard, spoken_seconds=spoken, at=at)


def message_taken(voiced: Voiced, name: str, found: Recorded, at: datetime) -> MessageTaken:
    """What the core is told of a message that Asterisk's fallback took, once its recording is over and holds this."""
    return MessageTaken(
        node=voiced.node,
        recording=name,
        began_at=min(voiced.began_at, at),
        seconds=found.seconds,
        heard=found.heard,
        spoken_seconds=found.spoken_seconds,
        at=at,
    )


class Recording:
    """One that was asked for at `began_at`; `folder` is that of the recordings as Asterisk sees it, `silence_seconds`
    the silence that ends it.
    """

    __slots__ = ("_began_at", "_path", "_silence_seconds")

    def __init__(self, folder: str, name: str, began_at: datetime, silence_seconds: float) -> None:
        self._path = Path(folder) / f"{name}.wav"
        self._began_at = began_at
        self._silence_seconds = silence_seconds

    def ended(self, status: str, now: datetime) -> Recorded:
        """By the file if it can be seen from here, else by the clock, unless Record failed (RECORD_STATUS)."""
        found = listen(self._path)
        if found is not None:
            # Who spoke until they pressed the key has lost the last word, and spoken it.
            cut = CUT_SECONDS if status == ENDED_BY_KEY and found.heard and found.quiet_seconds < FRAME_SECONDS else 0.0
            return replace(found, spoken_seconds=found.spoken_seconds + cut) if cut else found
        if record_outcome(status) is RecordOutcome.FAILED:
            return NOTHING
        seconds = (now - self._began_at).total_seconds()
        spoken = seconds - self._silence_seconds if status == ENDED_BY_SILENCE else seconds
        kept = spoken + min(KEPT_SECONDS, self._silence_seconds) if status == ENDED_BY_SILENCE else seconds
        return Recorded(seconds=max(0.0, kept), heard=True, spoken_seconds=max(0.0, spoken))

    def found(self) -> Recorded:
        """Of one whose end Asterisk has not told us: what its file holds."""
        return listen(self._path) or NOTHING
