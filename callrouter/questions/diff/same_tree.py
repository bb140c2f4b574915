"""Where two compiled trees differ, walked side by side; names of nodes and lines of files are no difference."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from msgspec.structs import fields

from callrouter.core.call import replace
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule

_OF_THE_PLACE = frozenset({"name", "line", "source", "included_at", "exits", "hours"})
"""Fields that say where a node stands, or name what is compared itself."""

Pair = tuple[str, str]
"""A node of the old tree and the one that stands in its place in the new; empty where there is none."""


def differing(old: Plan, new: Plan) -> tuple[Pair, ...]:
    """The nodes that are not what they were: another verb, another value, another way out."""
    begins = [(old.start, new.start), (old.fallback, new.fallback)]
    return tuple(pair for pair, differs in _walked(old, new, begins) if differs)


def _walked(old: Plan, new: Plan, begins: list[Pair]) -> list[tuple[Pair, bool]]:
    """All pairs that some pairs lead to, and whether the two nodes of each differ."""
    waiting = [*begins]
    found: dict[Pair, bool] = {}
    for pair in waiting:
        if pair in found:
            continue
        before, now = old.nodes.get(pair[0]), new.nodes.get(pair[1])
        if before is None or now is None:
            found[pair] = before is not now
            continue
        found[pair] = not _alike(old, before, new, now)
        waiting += _exits(before, now)
    return [*found.items()]


def _alike(old: Plan, before: Node, new: Plan, now: Node) -> bool:
    if type(before) is not type(now) or before.exits.keys() != now.exits.keys():
        return False
    if _hours(old, before) != _hours(new, now):
        return False
    return all(getattr(before, name) == getattr(now, name) for name in _compared(type(before)))


@cache
def _compared(kind: type[Node]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.name not in _OF_THE_PLACE)


def _hours(plan: Plan, node: Node) -> Schedule | None:
    """The hours a node goes by, whatever they are called."""
    name = plan.about[node.name].reads.hours
    return replace(plan.schedules[name], name="") if name else None


def _exits(before: Node, now: Node) -> Iterator[tuple[str, str]]:
    return ((before.exits[name], now.exits[name]) for name in before.exits if name in now.exits)


class Likeness:
    """From where on two trees go the same way; each answer is found once."""

    def __init__(self, old: Plan, new: Plan) -> None:
        self._plans = old, new
        self._same: dict[Pair, bool] = {}
        self._everywhere = (old.timezone, old.language) == (new.timezone, new.language)

    def same_from(self, before: str, now: str) -> bool:
        """Whether nothing differs from these two nodes on."""
        pair = before, now
        if pair not in self._same:
            old, new = self._plans
            walked = _walked(old, new, [pair])
            found = self._everywhere and not any(differs for _, differs in walked)
            self._same |= dict.fromkeys([one for one, _ in walked] if found else [pair], found)
        return self._same[pair]
