"""Whose turn it is: so many attempts at a time, and no destination may hold up the others.

A destination that answered the last time may have some attempts under way at once; one that failed, or is new, has one.
Those that failed hold a quarter of the slots together, and with the new ones three quarters: however many of them are
dead, there is always room for those that work, and nearly always for a new one. One that failed several times in a row
rests for a while (`runtime.breaker`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Final

from callrouter.runtime.breaker import Breaker

SLOTS: Final = 64
"""Attempts at a time."""
OF_ONE: Final = 4
"""Attempts at a time to a destination that answers."""
OF_THE_FAILED: Final = 1 / 4
"""Part of the slots that all destinations together may have that failed the last time."""
OF_THE_UNPROVEN: Final = 3 / 4
"""Part of the slots that all destinations together may have that failed the last time, or are new."""


class Turn(StrEnum):
    """What becomes of asking for a slot."""

    TAKEN = "taken"
    NO_ROOM = "no room"
    """Later, when a slot is given back."""
    RESTING = "resting"
    """The destination failed several times in a row, and is left alone."""


@dataclass(slots=True)
class _Destination:
    breaker: Breaker = field(default_factory=Breaker)
    answers: bool | None = None
    """Whether it did the last time; None: it is new."""
    addresses: set[str] = field(default_factory=set)
    """Those heard of. They come from the clients' documents: tens or hundreds."""


class Slots:
    """Attempts under way, by destination."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._destinations: defaultdict[str, _Destination] = defaultdict(_Destination)
        self._under_way: Counter[str] = Counter()
        """By destination; only those that have any."""

    @property
    def free(self) -> int:
        """How many there are."""
        return SLOTS - self._under_way.total()

    def take(self, destination: str, address: str) -> Turn:
        """Take one for an attempt, if there is one; whoever has taken one must give it back."""
        wanted, now = self._destinations[destination], self._clock()
        wanted.addresses.add(address)
        if wanted.breaker.rests(now):
            return Turn.RESTING
        if not self._room().has(wanted, self._under_way[destination]):
            return Turn.NO_ROOM
        wanted.breaker.claim(now)
        self._under_way[destination] += 1
        return Turn.TAKEN

    def give_back(self, destination: str, *, answers: bool | None) -> None:
        """The attempt has ended: the destination is there, or is not, or (None) nothing was learnt about it."""
        self._under_way[destination] -= 1
        if not self._under_way[destination]:
            del self._under_way[destination]
        known = self._destinations[destination]
        if answers is None:
            known.breaker.release()
        else:
            known.answers = answers
            known.breaker.note(ok=answers, now=self._clock())

    def without_room(self) -> list[str]:
        """Addresses heard of that can have no slot before one is given back."""
        room, now = self._room(), self._clock()
        return [
            address
            for name, one in self._destinations.items()
            if not one.breaker.rests(now) and not room.has(one, self._under_way[name])
            for address in one.addresses
        ]

    def refusal(self, destination: str) -> str:
        """The sentence for a destination that rests."""
        return self._destinations[destination].breaker.refusal(destination)

    def _room(self) -> _Room:
        room = _Room(free=self.free)
        for name, many in self._under_way.items():
            match self._destinations[name].answers:
                case None:
                    room.unproven += many
                case False:
                    room.unproven += many
                    room.failed += many
                case True:
                    pass
        return room


@dataclass(slots=True, kw_only=True)
class _Room:
    """What is free, and how many attempts are under way to those who may not hold it all."""

    free: int
    unproven: int = 0
    failed: int = 0

    def has(self, one: _Destination, under_way: int) -> bool:
        if self.free <= 0:
            return False
        if one.answers:
            return under_way < OF_ONE
        if under_way or self.unproven >= SLOTS * OF_THE_UNPROVEN:
            return False
        return one.answers is None or self.failed < SLOTS * OF_THE_FAILED
