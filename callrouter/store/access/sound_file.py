"""The file of a recording: where it is, what it holds, and its end.

No name comes from outside: it is the id of a row, and only letters, digits, `_`, `.` and `-` make a file. A link is no
recording: what Asterisk writes is a file.

Asterisk's `.wav` is PCM, 16 bit, 8 kHz, mono, which every browser plays as it is.
"""

from __future__ import annotations

import hashlib
import math
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from struct import Struct
from typing import Final

MEDIA_TYPE: Final = "audio/wav"
QUIETEST: Final = -96.0
"""dBFS: of 16 bits nothing is quieter but silence."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}", re.ASCII)
_CONVERSATION: Final = re.compile(r".+-c\d+", re.ASCII)
_HEADER_BYTES: Final = 44
_BYTES_PER_SECOND: Final = 16_000.0
_FULL_SCALE: Final = 32768.0
_READ_BYTES: Final = 1 << 16
_EVERY: Final = 8
"""One sample of so many is enough to judge how loud it is: a minute takes 6 ms instead of 50."""
_SAMPLES: Final = Struct("<" + f"h{2 * (_EVERY - 1)}x" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a file holds."""

    loudness: float
    """RMS in dBFS, `QUIETEST` for silence."""
    checksum: str
    """SHA-256."""
    seconds: float
    """How long it is."""


def file_of(folder: Path, recording_id: str) -> Path | None:
    """The file of a recording; None when there is none to be seen. Blocks."""
    path = path_of(folder, recording_id)
    try:
        return path if path is not None and stat.S_ISREG(path.lstat().st_mode) else None
    except OSError:
        return None


def path_of(folder: Path, recording_id: str) -> Path | None:
    """Where the file of a recording is, if there is one; None for an id that names no file."""
    return folder / f"{recording_id}.wav" if _NAME.fullmatch(recording_id) else None


def conversations_before(folder: Path, at: datetime) -> list[str]:
    """Recordings of conversations, by their files' names (`core.books.recordings.name_of`), that nobody has written to
    since. Blocks.

    Raises:
        OSError: the folder is not there, or cannot be read.
    """
    found = []
    for path in folder.iterdir():  # glob() says of a folder that it cannot read that there is nothing in it
        if path.suffix == ".wav" and _CONVERSATION.fullmatch(path.stem) and file_of(folder, path.stem) is not None:
            with suppress(FileNotFoundError):  # somebody has deleted it just now
                if path.stat().st_mtime < at.timestamp():
                    found.append(path.stem)
    return found


def measure(path: Path) -> Measured:
    """Read a file once. Blocks.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    total = count = size = 0
    with path.open("rb") as file:
        digest.update(file.read(_HEADER_BYTES))
        while block := file.read(_READ_BYTES):
            digest.update(block)
            size += len(block)
            for samples in _SAMPLES.iter_unpack(block[: len(block) // _SAMPLES.size * _SAMPLES.size]):
                total += sum(sample * sample for sample in samples)
                count += len(samples)
    return Measured(loudness=_decibels(total, count), checksum=digest.hexdigest(), seconds=size / _BYTES_PER_SECOND)


def _decibels(total: int, count: int) -> float:
    if not total:
        return QUIETEST
    return round(max(QUIETEST, 20 * math.log10(math.sqrt(total / count) / _FULL_SCALE)), 1)
