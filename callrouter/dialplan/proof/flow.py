"""What is certain at a node: facts that hold on every way there, found by going through the tree until nothing changes.

Facts are bits of an int; what holds where ways meet is what all of them bring.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from callrouter.dialplan.proof.graph import Tree

Gains = Mapping[str, Mapping[str, int]]
"""By node, and then by exit: the facts that taking it adds."""

_NOTHING: Mapping[str, Any] = {}


def certain(tree: Tree, gains: Gains, loses: Mapping[str, int] = _NOTHING) -> dict[str, int]:
    """The facts that hold whenever a call is at a node, by node that calls can reach.

    `loses`: by node, the facts that need not hold any more when it was left, unless the exit adds them. At the
    beginning, and where a failure leads, nothing is certain.
    """
    found: dict[str, int] = dict.fromkeys(tree.roots, 0)
    waiting = deque(tree.roots)
    nodes = tree.nodes
    while waiting:
        name = waiting.popleft()
        held, gained = found[name], gains.get(name)
        if loses:
            held &= ~loses.get(name, 0)
        for way, target in nodes[name].exits.items():
            brought = held | gained.get(way, 0) if gained else held
            before = found.get(target)
            now = brought if before is None else before & brought
            if now != before and target in nodes:
                found[target] = now
                waiting.append(target)
    return found
