"""How long callers wait before they give up: measured, though most are answered before anybody knows.

A caller who was answered, or whom the line gave up, has shown that they would have waited at least so long (censored):
to leave them out, or to take their wait for their patience, makes callers seem far less patient than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Wait(Struct, frozen=True):
    """One caller's wait."""

    seconds: float
    gave_up: bool


class Patience(Struct, frozen=True, kw_only=True):
    """The patience of callers."""

    mean_seconds: float | None
    """By the greatest likelihood, were it exponential: all waits over those who gave up. None: nobody gave up."""
    at_seconds: Sequence[float]
    """When callers gave up, in order."""
    still_there: Sequence[float]
    """What share of callers would wait longer than each of these (Kaplan and Meier); it falls by steps, and no further
    where the longest waits were not of those who gave up."""


def patience_of(waits: Iterable[Wait], *, at_least_seconds: float = 0.0) -> Patience:
    """Of these callers. Who did not wait at all, and was answered at once, has shown nothing.

    Args:
        waits: of all callers, those who were answered too.
        at_least_seconds: who gave up sooner is left out: they had called a wrong number, say.
    """
    shown = sorted(
        (one for one in waits if one.seconds > 0 and not (one.gave_up and one.seconds < at_least_seconds)),
        key=lambda one: (one.seconds, not one.gave_up),
    )
    gone = sum(one.gave_up for one in shown)
    waiting, still = len(shown), 1.0
    at, left = list[float](), list[float]()
    for one in shown:
        if one.gave_up:
            still *= 1.0 - 1.0 / waiting
            at.append(one.seconds)
            left.append(still)
        waiting -= 1
    mean = sum(one.seconds for one in shown) / gone if gone else None
    return Patience(mean_seconds=mean, at_seconds=at, still_there=left)
