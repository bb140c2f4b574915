"""What is played in a round, each a pure tone of its own, so that a telephone knows what it hears.

All frequencies are multiples of 50 Hz: a packet of 20 ms then holds whole periods, every packet of a sound is the same,
and telling 200 telephones' packets apart costs one look into a table each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from deploy.demo import g711

HERTZ: Final = {
    "ask": 500.0,
    "one": 600.0,
    "beep": 700.0,
    "two": 850.0,
    "probe": 950.0,
    "thanks": 1050.0,
    "found": 1150.0,
    "failed": 1250.0,
    "bye": 1350.0,
    "tick": 1800.0,
    "closing": 1900.0,
    "agent": 1500.0,
    "contact": 1600.0,
    "caller": 1700.0,
}
"""By what stands for it; `beep` is Asterisk's own before a message."""
SECONDS: Final = {
    "ask": 6.0,
    "one": 1.5,
    "two": 1.5,
    "probe": 1.0,
    "thanks": 1.5,
    "found": 1.5,
    "failed": 1.5,
    "bye": 1.0,
    "tick": 0.02,
    "closing": 1.0,
}
"""Of the sound files."""
OTHER: Final = "other"
"""Music, ringing, speech: sound that is none of these."""
_PURE: Final = 0.98
"""Share of a sound's power that is one tone of ours; music has notes that are nearly as pure."""
_NEAR_HERTZ: Final = 15.0
_ENDS: Final = 8
"""So many quiet samples before and after a sound are of the sound: those of a low tone between its waves."""
_QUIET: Final = 120
"""Amplitude of 16 bits below which nobody hears anything."""
_KNOWN: Final = 50_000
_LEVEL: Final = 0.11
"""Of full scale: as loud as prompts are."""
_NAMES: Final = tuple(HERTZ)
_WAVES: Final = np.exp(-2j * np.pi * np.outer([*HERTZ.values()], np.arange(g711.FRAME)) / g711.RATE)


class Sounds:
    """What packets hold, by the table of those that were looked at before."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def known(self, alaw: bytes) -> str | None:
        """The name of a packet that was looked at before; None: look at it."""
        return self._known.get(alaw)

    def look(self, alaw: bytes) -> str:
        """A key of HERTZ, OTHER, or nothing: silence.

        The last 20 ms of a packet name it: before them it may hold what Asterisk had left of a sound that ended, and
        sends with the next one, however much later that is.
        """
        name = _name(g711.expand(alaw[-g711.FRAME :]))
        if len(self._known) < _KNOWN:
            self._known[alaw] = name
        return name


def _name(pcm: g711.Pcm) -> str:
    """Of 20 ms. All tones have whole periods in it, so that each is heard apart from the others."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) >= _QUIET)
    sounding = pcm[loud[0] : loud[-1] + 1] if len(loud) else pcm[:0]
    if len(sounding) < g711.FRAME // 2:
        return ""
    if len(sounding) < g711.FRAME - _ENDS:  # where a sound begins or ends
        hertz = g711.tone_of(sounding)
        return next((name for name, one in HERTZ.items() if hertz and abs(hertz - one) < _NEAR_HERTZ), OTHER)
    samples = pcm.astype(np.float64)
    powers = 2 * np.abs(_WAVES @ samples) ** 2 / g711.FRAME**2
    loudest = int(powers.argmax())
    return _NAMES[loudest] if powers[loudest] > _PURE * float(samples @ samples) / g711.FRAME else OTHER


def tone(name: str, seconds: float) -> g711.Pcm:
    """One of them."""
    return g711.tone(HERTZ[name], seconds, level=_LEVEL)


def write_sounds(folder: Path) -> None:
    """The sound files of the clients."""
    folder.mkdir(parents=True)
    for name, seconds in SECONDS.items():
        g711.write_wav(folder / f"{name}.wav", tone(name, seconds))
