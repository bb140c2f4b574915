"""What the conditions of trees tell apart: of each kind of value, and of each way a queue can stand, one.

Values named in conditions are tried, what begins as they ask, both sides of every bound and the middle between two; of
all for which the same conditions hold, the first is kept. So a tree can be questioned whole with few of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import TypeVar

from callrouter.core.conditions import (
    Measure,
    QueueStands,
    ValueCondition,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
)
from callrouter.core.effects import LookupField
from callrouter.core.inputs import QueueLook
from callrouter.core.nodes.about import NumberAsked
from callrouter.core.plan import Plan
from callrouter.questions.once import found_once

ORDINARY_ANSWER = "1"
"""What a web service answers for a field of which nothing is said."""

_DIGITS = "0123456789"
_Tried = TypeVar("_Tried")
_Condition = TypeVar("_Condition")


def conditions(kind: type[_Condition], *plans: Plan) -> list[_Condition]:
    """All conditions of a kind that some trees go by."""
    asked = (one for plan in plans for about in plan.about.values() for one in about.reads.conditions)
    return [one for one in asked if isinstance(one, kind)]


def one_of_each(tried: Iterable[_Tried], kind_of: Callable[[_Tried], Hashable]) -> tuple[_Tried, ...]:
    """The first of each kind."""
    found: dict[Hashable, _Tried] = {}
    for one in tried:
        found.setdefault(kind_of(one), one)
    return tuple(found.values())


class Distinctions:
    """What some trees tell apart."""

    def __init__(self, *plans: Plan) -> None:
        self._plans = plans

    def on(self, variable: str) -> tuple[ValueCondition, ...]:
        """All conditions that compare this variable's value."""
        compared = (one for one in conditions(object, *self._plans) if isinstance(one, ValueCondition))
        return tuple(dict.fromkeys(one for one in compared if one.variable == variable))

    @found_once
    def keyed(self, asked: NumberAsked) -> tuple[str, ...]:
        """What may be keyed there: one number of each kind, first one that no condition holds for, if there is one."""
        compared, least = self.on(asked.variable), max(asked.min_digits, 1)
        values = [digit * least for digit in "1234567890"]
        for found in _named(compared):
            padded = [found.zfill(least)]
            for size in {least, len(found) + 1}:
                padded += [found.ljust(size, digit) for digit in _DIGITS]
            values += [one for one in (found, *padded) if one.isascii() and one.isdecimal()]
        allowed = (one for one in values if least <= len(one) <= asked.max_digits)
        kinds = one_of_each(allowed, lambda value: _held(compared, value))
        return tuple(sorted(kinds, key=lambda value: any(_held(compared, value))))

    def plain(self, asked: NumberAsked) -> str:
        """A number that may be keyed there and that no condition holds for; empty where each is told apart."""
        first = next(iter(self.keyed(asked)), "")
        return "" if any(_held(self.on(asked.variable), first)) else first

    @found_once
    def answered(self, field: LookupField) -> tuple[str, ...]:
        """What a web service may answer for a variable: one value of each kind, first the ordinary one."""
        compared = self.on(field.variable)
        named = tuple(_named(compared))
        values = [ORDINARY_ANSWER, *named, *(found + more for found in named for more in ("0", "x")), "0", "x", "-"]
        allowed = (one for one in values if one and len(one.encode()) <= field.longest)
        return one_of_each(allowed, lambda value: _held(compared, value))

    @found_once
    def standings(self, queue: str) -> tuple[QueueLook, ...]:
        """How a queue can stand, one of each kind: quiet, then what is least unlike it."""
        asked = [one for one in dict.fromkeys(conditions(QueueStands, *self._plans)) if one.queue == queue]
        tried = sorted(_possible(asked), key=_unlikeness)
        return one_of_each(tried, lambda look: tuple(bool(condition.holds_for(look)) for condition in asked))


def _named(conditions: Iterable[ValueCondition]) -> Iterator[str]:
    """Values and beginnings that stand in conditions, and numbers on both sides of their bounds."""
    edges: set[float] = set()
    for condition in conditions:
        match condition:
            case VariableIs(values=values):
                yield from values
            case VariableStartsWith(prefixes=prefixes):
                yield from prefixes
            case VariableNumber(bounds=bounds):
                edges.update(bounds.edges)
    for number in _around(edges, 1.0):
        yield f"{number:.6f}".rstrip("0").rstrip(".")


def _around(edges: Iterable[float], step: float) -> Iterator[float]:
    """Each bound, a step below and above it, and the middle between it and the next."""
    ordered = sorted(set(edges))
    for edge in ordered:
        yield from (edge, edge - step, edge + step)
    for lower, upper in pairwise(ordered):
        yield (lower + upper) / 2


def _held(conditions: Iterable[ValueCondition], value: str) -> tuple[bool, ...]:
    return tuple(condition.fits(value) for condition in conditions)


# How queues stand

QUIET = QueueLook(agents=3, free=3, waiting=0, talk_seconds=120.0)
"""How a queue stands of which nothing is said."""


def standing(
    *, agents: int | None = None, free: int | None = None, waiting: int | None = None, talk: float | None = None
) -> QueueLook:
    """How a queue stands of which only this is said; somebody is free as long as nobody waits."""
    agents = QUIET.agents if agents is None else agents
    waiting = QUIET.waiting if waiting is None else waiting
    if free is None:
        free = 0 if waiting else agents
    return QueueLook(
        agents=agents, free=free, waiting=waiting, talk_seconds=QUIET.talk_seconds if talk is None else talk
    )


def describe_look(look: QueueLook) -> str:
    """`agents:0,waiting:7`: what is to be said of a queue that stands like this; or `quiet`."""
    said = {}
    if look.agents != QUIET.agents:
        said["agents"] = f"{look.agents}"
    if look.waiting != QUIET.waiting:
        said["waiting"] = f"{look.waiting}"
    if look.free != standing(agents=look.agents, waiting=look.waiting).free:
        said["free"] = f"{look.free}"
    if look.talk_seconds != QUIET.talk_seconds:
        said["talk"] = f"{look.talk_seconds:g}s"
    return ",".join(f"{measure}:{value}" for measure, value in said.items()) or "quiet"


def _possible(conditions: Sequence[QueueStands]) -> Iterator[QueueLook]:
    edges: dict[Measure, set[float]] = {measure: set() for measure in Measure}
    for condition in conditions:
        edges[condition.measure].update(condition.bounds.edges)
    numbers = {measure: {int(one) for one in _around(edges[measure], 1.0) if one >= 0} for measure in Measure}
    free = numbers[Measure.FREE]
    yield QUIET
    for agents, waiting in product(
        {QUIET.agents, 0, 1, *numbers[Measure.AGENTS], *free}, {0, 1, *numbers[Measure.WAITING], *free}
    ):
        for at_leisure in {0, agents, *(one for one in free if one <= agents)}:
            for talk in {QUIET.talk_seconds, *_conversations(edges[Measure.EXPECTED_WAIT], agents, waiting)}:
                yield QueueLook(agents=agents, free=at_leisure, waiting=waiting, talk_seconds=talk)


def _conversations(waits: Iterable[float], agents: int, waiting: int) -> Iterator[float]:
    """Lengths of conversations in seconds that put the expected wait on a bound, or beside it."""
    for seconds in _around(waits, 1.0):
        if agents and seconds > 0:
            yield seconds * agents / (waiting + 1)


def _unlikeness(look: QueueLook) -> tuple[float, ...]:
    said = 0 if look == QUIET else describe_look(look).count(":")
    return said, look.agents == 0, abs(look.agents - QUIET.agents), look.waiting, look.free, look.talk_seconds
