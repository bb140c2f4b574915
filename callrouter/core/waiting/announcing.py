"""What callers are told while they wait in a line: their place, how long it may take, and sentences in turn.

What is told of place and time never goes up for one caller: where it would, nothing is said. All of it is arithmetic on
how the line stands; who asks and who speaks is `asterisk.waiting`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from callrouter.core.effects import Announced, Sound
from callrouter.core.waiting.estimate import whole_minutes

MOST_PLACES = 10
"""Places that are told by their number; further back there are at least so many callers before."""
MOST_MINUTES = 15
"""Minutes that are told by their number; longer waits are told to be longer."""


class Told(Struct, frozen=True, kw_only=True, gc=False):
    """The least that a caller has been told."""

    place: int | None = None
    minutes: int | None = None


NOTHING_TOLD = Told()


def announcement(
    announced: Announced, place: int, expected: float | None, told: Told
) -> tuple[tuple[Sound, ...], Told]:
    """What is said to a caller at a place, from 1, and what they have been told then; `expected` is in seconds."""
    sounds: list[Sound] = []
    if announced.places and (told.place is None or place <= told.place):
        sounds.append(_at(announced.places, place))
        told = Told(place=place, minutes=told.minutes)
    if announced.minutes and expected is not None:
        minutes = whole_minutes(expected)
        if told.minutes is None or minutes <= told.minutes:
            sounds.append(_at(announced.minutes, minutes))
            told = Told(place=told.place, minutes=minutes)
    return tuple(sounds), told


def _at(sounds: Sequence[Sound], number: int) -> Sound:
    """The sentence of a number, from 1; the last one is of all that is more."""
    return sounds[min(number, len(sounds)) - 1]
