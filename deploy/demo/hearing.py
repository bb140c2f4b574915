"""Did the caller hear that prompt? A score from comparing sound with sound.

Normalised cross-correlation: 1.0 is the very same sound at some offset, whatever its loudness. What travels through
Asterisk as A-law scores above 0.95; two different sentences of the same synthetic voice stay below 0.35
(tests/acceptance/test_hearing.py measures both on the demonstration's prompts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy.demo import g711

HEARD = 0.8
"""From here on it is the same prompt: far from both sides' worst case."""
_QUIET = 1e-3
PIECE_SECONDS = 0.5

Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The best place of a prompt in a recording."""

    score: float
    at_seconds: float


def find(recording: g711.Pcm, prompt: g711.Pcm) -> Match:
    """Where the prompt fits the recording best. Score 0.0 when the recording is shorter than the prompt, or silent."""
    sample = prompt.astype(np.float64)
    sound = recording.astype(np.float64)
    own_energy = float(sample @ sample)
    if len(sample) == 0 or len(sound) < len(sample) or own_energy == 0:
        return Match(score=0.0, at_seconds=0.0)
    products = _correlate(sound, sample)
    sums = np.concatenate(([0.0], np.cumsum(sound * sound)))
    energies = sums[len(sample) :] - sums[: -len(sample)]
    # Where the recording is next to silent any noise would look like anything.
    floor = max(float(energies.max()) * _QUIET, 1.0)
    scores = products / np.sqrt(np.maximum(energies, floor) * own_energy)
    best = int(scores.argmax())
    return Match(score=float(scores[best]), at_seconds=best / g711.RATE)


def heard(recording: g711.Pcm, prompt: g711.Pcm) -> float:
    """How well the recording holds the prompt, 0.0 to 1.0; see HEARD."""
    return max(find(recording, prompt).score, 0.0)


def share_heard(recording: g711.Pcm, prompt: g711.Pcm) -> float:
    """How much of the prompt the recording holds in its order, piece by piece, 0.0 to 1.0 of its energy.

    For prompts of which nothing may be missing: where the machine stood still in the midst of one, it was heard whole,
    with a pause, and is the same sound at no single offset.
    """
    size, at, found, whole = round(PIECE_SECONDS * g711.RATE), 0, 0.0, 0.0
    for start in range(0, len(prompt), size):
        piece = prompt[start : start + size]
        energy = float(np.square(piece.astype(np.float64)).sum())
        whole += energy
        match = find(recording[at:], piece)
        if match.score > HEARD:
            at += round(match.at_seconds * g711.RATE) + len(piece)
            found += energy
    return found / whole if whole else 0.0


def spoken_part(pcm: g711.Pcm) -> g711.Pcm:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 500)
    return pcm[loud[0] : loud[-1] + 1] if len(loud) else pcm[:0]


def _correlate(sound: Wave, sample: Wave) -> Wave:
    """Sliding dot products, by way of the Fourier transform."""
    size = 1 << (len(sound) + len(sample) - 1).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(sample, size))
    return np.fft.irfft(spectrum, size)[: len(sound) - len(sample) + 1]
