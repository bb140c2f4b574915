"""How loud a sound is, and the one loudness that all sounds have: what callers hear next must not be louder or quieter.

Measured on Asterisk 22's sounds (8 kHz, active level in dB below full scale): its French and English prompts lie
between -15 and -23, median -19; Debian's music on hold between -21 and -31; espeak-ng brought to a peak of -3, as
before, between -15 ("Oui ?") and -21 (a long sentence). `LEVEL_DB` is what all of these reach without being clipped.
Prompts are levelled when they are spoken (`callrouter.speech`), the music on hold by `deploy/asterisk/pbx.py music`, to
the same level; of a client's own recordings `check` says which are far from it.
"""

from __future__ import annotations

import sys
import wave
from array import array
from collections.abc import Iterable, Iterator
from math import log10
from operator import mul
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

from callrouter.core.effects import Sound
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import Issue, Severity, shown

LEVEL_DB: Final = -22.0
"""Of what is heard, below full scale."""
PEAK_DB: Final = -3.0
"""The highest peak: a codec needs some room."""
FAR_DB: Final = 6.0
"""Twice or half as much of everything: a caller notices."""

FRAME_SAMPLES: Final = 160
"""20 ms at 8 kHz."""
PAUSE_DB: Final = 25.0
"""Frames so far below the loudest one are pauses, and do not count: a sentence with a long pause is as loud as one
without."""
_FULL: Final = 32768


def active_level_db(samples: array[int]) -> float | None:
    """The mean loudness of what is heard, without pauses, in dB below full scale (16 bits); None of silence."""
    frames = (samples[start : start + FRAME_SAMPLES] for start in range(0, len(samples), FRAME_SAMPLES))
    powers = [sum(map(mul, frame, frame)) / len(frame) for frame in frames]
    loudest = max(powers, default=0.0)
    heard = [power for power in powers if power > loudest / 10 ** (PAUSE_DB / 10)]
    return _db(sum(heard) / len(heard)) if heard else None


def levelled(content: bytes) -> bytes:
    """Samples (16 bits, little-endian) at `LEVEL_DB`, or as near to it as their peak allows."""
    samples = _samples(content)
    level = active_level_db(samples)
    if level is None:
        return content
    peak = _db(max(max(samples), -min(samples)) ** 2)
    factor = 10 ** (min(LEVEL_DB - level, PEAK_DB - peak) / 20)
    return _bytes(array("h", [int(sample * factor) for sample in samples]))


def far_from_the_others(plans: Iterable[Plan]) -> Iterator[Issue]:
    """Warnings of recordings in these trees that are much louder or quieter than all that is levelled.

    Reads every recording: for `check`, not for the engine.
    """
    levels: dict[str, float | None] = {}
    for plan in plans:
        for node in plan.nodes.values():
            for sound in dict.fromkeys(_recordings(node)):
                if sound.file not in levels:
                    levels[sound.file] = _level_of(Path(f"{sound.file}.wav"))
                level = levels[sound.file]
                if level is None or abs(level - LEVEL_DB) <= FAR_DB:
                    continue
                than = f"{abs(level - LEVEL_DB):.0f} dB {'louder' if level > LEVEL_DB else 'quieter'} than what"
                yield Issue(
                    file=node.source or plan.source,
                    line=node.line,
                    node=node.name,
                    message=f"sound {shown(Path(sound.file).name)} is {than} callers hear before and after it: "
                    f"sox in.wav out.wav gain {LEVEL_DB - level:+.0f}",
                    severity=Severity.WARNING,
                )


def _recordings(value: object) -> Iterator[Sound]:
    """The sounds of a node that no engine has spoken."""
    if isinstance(value, Sound):
        if not value.text:
            yield value
    elif isinstance(value, (tuple, Struct)):
        for part in value if isinstance(value, tuple) else astuple(value):
            yield from _recordings(part)


def _level_of(path: Path) -> float | None:
    """None when it is no WAV file; what is wrong with it is said elsewhere."""
    try:
        with wave.open(str(path), "rb") as audio:
            return active_level_db(_samples(audio.readframes(audio.getnframes())))
    except (OSError, EOFError, wave.Error, ValueError):
        return None


def _samples(content: bytes) -> array[int]:
    samples = array("h", content)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _bytes(samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _db(power: float) -> float:
    return 10 * log10(max(power, 1.0) / _FULL**2)
