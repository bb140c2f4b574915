"""The last events, by number, for whoever comes back after a short absence.

An event's id is `epoch-number`: the epoch is of one engine's life (milliseconds since 1970 when it began; two are only
ever compared for equality), and numbers rise by one. Whoever names the last id they have seen is given what came after
it, if all of that is still here. Readers of web's are told of what comes into the record as well: their ids have its
place there as a third part (`recent`).
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import Final, Generic, TypeVar

from msgspec import Struct

MOST_EVENTS: Final = 8_192
"""At 20 calls a second some 50 s, and a whole day of most operators: about 8 MB."""

_ID: Final = re.compile(r"([0-9]{1,16})-([0-9]{1,16})(?:-([0-9]{1,16}))?", re.ASCII)

Kept = TypeVar("Kept")


class EventId(Struct, frozen=True, gc=False):
    """Which event, of which engine's life."""

    epoch: int
    """0: no engine was heard."""
    number: int
    record: int | None = None
    """Up to which place they know what came into the record; None: the id says nothing of that."""

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}" + (f"-{self.record}" if self.record is not None else "")

    @property
    def of_engine(self) -> EventId:
        """Without the record."""
        return self if self.record is None else EventId(self.epoch, self.number)

    @classmethod
    def read(cls, text: str | None) -> EventId | None:
        """The id that a reader names; None when it is none of ours, whatever it is."""
        found = _ID.fullmatch(text or "")
        return cls(int(found[1]), int(found[2]), int(found[3]) if found[3] else None) if found else None


class Ring(Generic[Kept]):
    """What is kept of the events of one epoch, without gaps."""

    def __init__(self, last: EventId, most: int = MOST_EVENTS) -> None:
        """Empty; the next event's number is one more than that of `last`."""
        self.last = last
        self._kept: deque[Kept] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def next_id(self) -> EventId:
        """Of the event that is appended next."""
        return EventId(self.last.epoch, self.last.number + 1)

    def append(self, kept: Kept) -> None:
        """The next event."""
        self.last = self.next_id
        self._kept.append(kept)

    def interrupt(self) -> None:
        """Something happened that was made no event: nobody can go on from before."""
        self.last = self.next_id
        self._kept.clear()

    def since(self, seen: EventId) -> list[Kept] | None:
        """All that came after the event of that id; None when some of it is not here, or the id is of elsewhere."""
        missed = self.last.number - seen.number
        if seen.epoch != self.last.epoch or not 0 <= missed <= len(self._kept):
            return None
        return list(islice(self._kept, len(self._kept) - missed, None))

    def all(self) -> list[Kept]:
        """All that are here, the oldest first."""
        return list(self._kept)
