"""Conditions of a branch that never decide, because earlier ones answer for all that they hold for.

A condition on a variable is a list of values, a list of beginnings, or a range of numbers; one on a queue is a range.
Each of its values, beginnings or numbers must be left over by the conditions before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from callrouter.core.conditions import (
    Bounds,
    Condition,
    DateWithin,
    DidIs,
    Measure,
    QueueStands,
    ShareOfCalls,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
    VariableUnset,
)

Edge = tuple[float, int]
"""A place between numbers: `(5, 0)` is just before 5, `(5, 1)` just after it."""


class Hidden(Struct, frozen=True, kw_only=True):
    """Why a condition never decides."""

    why: str
    by: tuple[int, ...]
    """Places of the earlier conditions that answer for it, from 0."""


def hidden(condition: Condition, earlier: Sequence[tuple[int, Condition]]) -> Hidden | None:
    """Whether earlier conditions, each with its place, answer for all that a condition holds for."""
    match condition:
        case VariableIs(values=()):
            return _found("whoever has one is answered for by", _always(condition.variable, earlier))
        case VariableIs():
            return _by_each(
                "all its values are answered for by",
                [
                    [place for place, one in earlier if _holds_value(one, condition.variable, value)]
                    for value in condition.values
                ],
            )
        case VariableStartsWith():
            return _by_each(
                "all that begins so is answered for by",
                [
                    [place for place, one in earlier if _holds_beginning(one, condition.variable, start)]
                    for start in condition.prefixes
                ],
            )
        case VariableNumber():
            always = _always(condition.variable, earlier)
            ranges = [
                (place, _range(one.bounds))
                for place, one in earlier
                if isinstance(one, VariableNumber) and one.variable == condition.variable
            ]
            by = always or _covered(_range(condition.bounds), ranges)
            return _found("all its numbers are answered for by", by)
        case VariableUnset():
            same = [place for place, one in earlier if one == condition]
            return _found("callers without one are answered for by", same[:1])
        case QueueStands():
            ranges = [
                (place, _queue_range(one))
                for place, one in earlier
                if isinstance(one, QueueStands) and (one.queue, one.measure) == (condition.queue, condition.measure)
            ]
            return _found("whenever it holds, the call is answered for by", _covered(_queue_range(condition), ranges))
        case ShareOfCalls():
            # Both are drawn from the same call: a share within an earlier one is never drawn.
            larger = [
                place for place, one in earlier if isinstance(one, ShareOfCalls) and condition.percent <= one.percent
            ]
            return _found("shares are counted from 0, and it is not larger than", larger[:1])
        case DidIs():
            return _by_each(
                "all its numbers are answered for by",
                [
                    [place for place, one in earlier if isinstance(one, DidIs) and number in one.numbers]
                    for number in condition.numbers
                ],
            )
        case DateWithin():
            around = [place for place, one in earlier if isinstance(one, DateWithin) and condition.within(one)]
            return _found("all its days are answered for by", around[:1])


def _found(why: str, by: Sequence[int]) -> Hidden | None:
    return Hidden(why=why, by=tuple(by)) if by else None


def _by_each(why: str, holders: Sequence[Sequence[int]]) -> Hidden | None:
    """Hidden when something earlier holds every single value."""
    if not holders or not all(holders):
        return None
    return Hidden(why=why, by=tuple(sorted({places[0] for places in holders})))


def _always(variable: str, earlier: Iterable[tuple[int, Condition]]) -> list[int]:
    """The first condition that holds whenever the variable is set."""
    return [
        place for place, one in earlier if isinstance(one, VariableIs) and (one.variable, one.values) == (variable, ())
    ][:1]


def _holds_value(one: Condition, variable: str, value: str) -> bool:
    match one:
        case VariableIs():
            return one.variable == variable and (not one.values or value in one.values)
        case VariableStartsWith():
            return one.variable == variable and value.startswith(one.prefixes)
        case VariableNumber():
            return one.variable == variable and one.fits(value)
        case _:
            return False


def _holds_beginning(one: Condition, variable: str, start: str) -> bool:
    match one:
        case VariableIs():
            return one.variable == variable and not one.values
        case VariableStartsWith():
            return one.variable == variable and start.startswith(one.prefixes)
        case _:
            return False


def _range(bounds: Bounds) -> tuple[Edge, Edge]:
    """Where a range begins and ends."""
    low, high = (-math.inf, 0), (math.inf, 1)
    if bounds.at_least is not None or bounds.above is not None:
        low = (bounds.at_least, 0) if bounds.at_least is not None else (bounds.above or 0.0, 1)
    if bounds.at_most is not None or bounds.below is not None:
        high = (bounds.at_most, 1) if bounds.at_most is not None else (bounds.below or 0.0, 0)
    return low, high


def _queue_range(condition: QueueStands) -> tuple[Edge, Edge]:
    """The same of a queue, of which nothing is less than none; people are counted in whole numbers."""
    low, high = _range(condition.bounds)
    if condition.measure is not Measure.EXPECTED_WAIT:
        low, high = _whole(low), _whole(high)
    return ((-math.inf, 0) if low <= (0.0, 0) else low), high


def _whole(edge: Edge) -> Edge:
    """The edge before the next whole number."""
    value, after = edge
    if math.isinf(value):
        return edge
    return (math.floor(value) + 1.0, 0) if after or value != math.floor(value) else (value, 0)


def _covered(wanted: tuple[Edge, Edge], ranges: Sequence[tuple[int, tuple[Edge, Edge]]]) -> list[int]:
    """The ranges that together hold all of the wanted one, or none."""
    reached, end = wanted
    by: list[int] = []
    while reached < end:
        further = [(high, place) for place, (low, high) in ranges if low <= reached < high]
        if not further:
            return []
        reached, place = max(further, key=lambda one: (one[0], -one[1]))
        by.append(place)
    return sorted(by)
