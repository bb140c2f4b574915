"""Where two compiled trees differ, walked side by side; names of nodes and lines of files are no difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import fields

from callrouter.core.call import replace
from callrouter.core.nodes import Node, OpeningHoursNode
from callrouter.core.plan import Plan

_OF_THE_PLACE = frozenset({"name", "line", "source", "included_at", "exits", "hours"})
"""Fields that say where a node stands, or name what is compared itself."""


Pair = tuple[str, str]
"""A node of the old tree and the one that stands in its place in the new; empty where there is none."""


def differing(old: Plan, new: Plan) -> tuple[Pair, ...]:
    """The nodes that are not what they were: another verb, another value, another way out."""
    begins = [(old.start, new.start), (old.fallback, new.fallback)]
    seen: set[tuple[str, str]] = set()
    found: dict[Pair, None] = {}
    while begins:
        pair = begins.pop(0)
        if pair in seen:
            continue
        seen.add(pair)
        before, now = old.nodes.get(pair[0]), new.nodes.get(pair[1])
        if before is None or now is None:
            if before is not now:
                found[pair] = None
            continue
        if not _alike(old, before, new, now):
            found[pair] = None
        begins += _exits(before, now)
    return tuple(found)


def _alike(old: Plan, before: Node, new: Plan, now: Node) -> bool:
    if type(before) is not type(now) or before.exits.keys() != now.exits.keys():
        return False
    if isinstance(before, OpeningHoursNode) and isinstance(now, OpeningHoursNode):
        was, becomes = (replace(plan.schedules[node.hours], name="") for plan, node in ((old, before), (new, now)))
        if was != becomes:
            return False
    compared = (one.name for one in fields(before) if one.name not in _OF_THE_PLACE)
    return all(getattr(before, name) == getattr(now, name) for name in compared)


def _exits(before: Node, now: Node) -> Iterator[tuple[str, str]]:
    return ((before.exits[name], now.exits[name]) for name in before.exits if name in now.exits)


def leading_to(plan: Plan, nodes: Iterable[str]) -> frozenset[str]:
    """These nodes, and all from which a call can come to one of them."""
    before: dict[str, list[str]] = {}
    for node in plan.nodes.values():
        for target in node.exits.values():
            before.setdefault(target, []).append(node.name)
    found = set(nodes)
    waiting = list(found)
    while waiting:
        new = [name for name in before.get(waiting.pop(), ()) if name not in found]
        found.update(new)
        waiting += new
    return frozenset(found)
