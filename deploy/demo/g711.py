"""Sound as telephones carry it: G.711, 8,000 samples a second. A-law, unless mu-law is asked for.

PCM is 16-bit signed, mono, as NumPy arrays of int16.
"""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pathlib import Path

RATE = 8000
FRAME = 160
"""Samples in one RTP packet: 20 ms."""
SILENCE = b"\xd5" * FRAME

Pcm = NDArray[np.int16]


def _expansion() -> Pcm:
    """The table of ITU-T G.711, A-law: 256 codes to 16-bit samples."""
    codes = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (codes & 0x70) >> 4, (codes & 0x0F) << 4
    size = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(codes & 0x80, size, -size).astype(np.int16)


_EXPANDED = _expansion()
_BY_SIZE = np.argsort(_EXPANDED, kind="stable").astype(np.uint8)
_MIDDLES = (_EXPANDED[_BY_SIZE][:-1].astype(np.int32) + _EXPANDED[_BY_SIZE][1:]) // 2


def expand(alaw: bytes | bytearray) -> Pcm:
    """A-law to PCM."""
    return _EXPANDED[np.frombuffer(bytes(alaw), dtype=np.uint8)]


def compress(pcm: Pcm) -> bytes:
    """PCM to A-law: the nearest code of each sample."""
    return _BY_SIZE[np.searchsorted(_MIDDLES, pcm.astype(np.int32))].tobytes()


def _ulaw_expansion() -> Pcm:
    """The same of mu-law."""
    codes = np.arange(256, dtype=np.int32) ^ 0xFF
    size = ((((codes & 0x0F) << 3) + 0x84) << ((codes & 0x70) >> 4)) - 0x84
    return np.where(codes & 0x80, -size, size).astype(np.int16)


def _nearest(codes: Pcm, of: Pcm) -> bytes:
    """Of each code of one law, the nearest of another: a table for `bytes.translate`."""
    distance = np.abs(of.astype(np.int32)[:, None] - codes.astype(np.int32)[None, :])
    return bytes(np.argmin(distance, axis=1).astype(np.uint8))


TO_ULAW, FROM_ULAW = _nearest(_ulaw_expansion(), _EXPANDED), _nearest(_EXPANDED, _ulaw_expansion())


def tone(hertz: float, seconds: float, *, level: float = 0.25) -> Pcm:
    """A sine wave; `level` is a share of full scale."""
    at = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hertz * at) * level * 32767).astype(np.int16)


def tone_of(frame: Pcm) -> float | None:
    """The frequency in Hz when the frame holds one pure tone and nothing else, else None.

    A sine satisfies x[n+1] + x[n-1] = 2·cos(w)·x[n]: fit the cosine, and see how little is left over.
    """
    samples = frame.astype(np.float64)
    middle, around = samples[1:-1], samples[2:] + samples[:-2]
    energy = float(middle @ middle)
    if len(middle) < FRAME // 2 or energy < len(middle) * 200.0**2:
        return None
    double_cosine = float(middle @ around) / energy
    left = around - double_cosine * middle
    if abs(double_cosine) >= 2 or float(left @ left) > 0.01 * energy:
        return None
    return float(np.arccos(double_cosine / 2) * RATE / (2 * np.pi))


def read_wav(path: Path) -> Pcm:
    """A WAV file of 8 kHz, 16 bits, mono. Raises ValueError for any other."""
    with wave.open(str(path), "rb") as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            raise ValueError(f"{path}: not a WAV file of 8 kHz, 16 bits, mono")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def write_wav(path: Path, pcm: Pcm) -> None:
    """Write PCM as a WAV file of 8 kHz, 16 bits, mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.astype("<i2").tobytes())
