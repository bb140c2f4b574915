"""Recordings that go with mail: those that are there, and together small enough for the servers on the way."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from callrouter.delivery.parcel import Attachment, Told

MOST_BYTES: Final = 7_000_000
"""Of all recordings in one mail, some seven minutes: as base64 they grow by 37 %, and Postfix takes no mail of
more than 10,240,000 bytes unless it is told otherwise (`message_size_limit`).
"""


class Fate(StrEnum):
    """What becomes of a recording."""

    NONE = "none"
    """There is none."""
    ATTACHED = "attached"
    TOO_LARGE = "too large"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """That of one message."""

    fate: Fate
    content: bytes = b""


def read(messages: Sequence[Told]) -> list[Recording]:
    """One for each message, in order; whatever is wrong with a file, the message goes without it."""
    room = MOST_BYTES
    found = []
    for one in messages:
        recording = Recording(fate=Fate.NONE) if one.recording is None else _read(one.recording, room)
        room -= len(recording.content)
        found.append(recording)
    return found


def _read(attachment: Attachment, room: int) -> Recording:
    try:
        status = attachment.path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            return Recording(fate=Fate.GONE)
        if status.st_size > room:
            return Recording(fate=Fate.TOO_LARGE)
        content = attachment.path.read_bytes()
    except (OSError, ValueError):  # ValueError: a path that no system takes
        return Recording(fate=Fate.GONE)
    if len(content) > room:  # it has grown meanwhile
        return Recording(fate=Fate.TOO_LARGE)
    return Recording(fate=Fate.ATTACHED, content=content)
