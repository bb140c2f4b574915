"""What a standby makes of what it sees: is the place free, taken, or held by an engine that is stopped? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

STILL_SECONDS: Final = 3.0
"""An engine whose beat stands still for so long is stopped: three beats are missing. Its own fence is shorter
(`runtime.fence`)."""
UNSEEN_SECONDS: Final = 1.0
"""Who did not look for so long knows nothing of the time between: it was stopped itself, or the machine slept."""
_NAME_CHARACTERS: Final = 15
"""Of a user's name, in the list (`manager.c`, handle_showmanconn)."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class SessionSeen:
    """A session of the engine's user."""

    descriptor: int
    """By which it can be ended."""
    since: str


class Verdict(StrEnum):
    FREE = "free"
    TAKEN = "taken"
    STALE = "stale"
    """Taken, by an engine that does nothing any more."""


def sessions_in(listed: Iterable[str], user: str) -> list[SessionSeen]:
    """The sessions of a user in what `manager show connected` prints."""
    name = user[:_NAME_CHARACTERS]
    found = []
    for line in listed:
        columns = line.split()  # name, address, start, elapsed, descriptor, HTTP, read, write
        if len(columns) == 8 and columns[0] == name and columns[4].isdecimal():
            found.append(SessionSeen(descriptor=int(columns[4]), since=columns[2]))
    return sorted(found)


def global_in(listed: Iterable[str], name: str) -> str:
    """A variable in what `dialplan show globals` prints; empty where there is none."""
    return next((line.strip()[len(name) + 1 :] for line in listed if line.strip().startswith(f"{name}=")), "")


@dataclass(slots=True)
class Watching:
    """What one standby has seen, from look to look."""

    _sessions: Sequence[SessionSeen] = ()
    _beat: str = ""
    _still_since: float = field(default=float("-inf"))
    _looked_at: float = field(default=float("-inf"))

    def look(self, sessions: Sequence[SessionSeen], beat: str, now_seconds: float) -> Verdict:
        """Take note of what is there now, by a clock that nobody sets."""
        unseen = now_seconds - self._looked_at > UNSEEN_SECONDS
        if unseen or tuple(sessions) != self._sessions or beat != self._beat:
            self._still_since = now_seconds
        self._sessions, self._beat, self._looked_at = tuple(sessions), beat, now_seconds
        if not sessions:
            return Verdict.FREE
        return Verdict.STALE if now_seconds - self._still_since >= STILL_SECONDS else Verdict.TAKEN
