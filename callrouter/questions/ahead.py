"""What lies behind a node: all a call can still come to from there, and what of it is read there.

A waiting call is determined by where it stands and by what the nodes behind that can still read: the variables they
use, the caller, the calendar and the draw as they see them. Whatever else two calls differ in cannot matter any more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from datetime import datetime

from callrouter.core.call import Call
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan


class Behind:
    """What lies behind each node of a plan; each answer is found once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._nodes: dict[str, tuple[Node, ...]] = {}
        self._variables: dict[str, frozenset[str]] = {}
        self._readers: dict[str, tuple[Node, ...]] = {}

    def nodes(self, name: str) -> tuple[Node, ...]:
        """The node itself, and all that a call can come to from it."""
        if name not in self._nodes:
            found: dict[str, Node] = {}
            waiting = [name]
            while waiting:
                node = self.plan.nodes.get(waiting.pop())
                if node is not None and node.name not in found:
                    found[node.name] = node
                    waiting += node.exits.values()
            self._nodes[name] = tuple(found.values())
        return self._nodes[name]

    def variables(self, name: str) -> frozenset[str]:
        """Variables whose value, or whether they are set, can still matter."""
        if name not in self._variables:
            self._variables[name] = frozenset(one for node in self.nodes(name) for one in self._variables_of(node))
        return self._variables[name]

    def _variables_of(self, node: Node) -> Iterator[str]:
        variables = self.plan.about[node.name].variables
        yield from variables.compared
        yield from (one.variable for one in variables.needed)

    def still_read(self, call: Call) -> frozenset[tuple[str, str]]:
        """The variables of a call that can still matter, with their values."""
        if not call.variables:
            return frozenset()
        wanted = self.variables(call.node)
        return frozenset(item for item in call.variables.items() if item[0] in wanted)

    def readers(self, name: str) -> tuple[Node, ...]:
        """The nodes that ask who calls, when, or what is drawn."""
        if name not in self._readers:
            self._readers[name] = tuple(
                node for node in self.nodes(name) if self.plan.about[node.name].reads.of_the_offer
            )
        return self._readers[name]

    def facing(self, call: Call, at: datetime) -> Callable[[str], Hashable]:
        """For a call that begins at an instant: what all readers behind a node will read, whatever happens."""
        read: dict[str, Hashable] = {}
        known: dict[str, Hashable] = {}

        def reading(node: Node) -> Hashable:
            if node.name not in read:
                read[node.name] = self.plan.about[node.name].reads.seen(self.plan, call, at)
            return read[node.name]

        def facing(name: str) -> Hashable:
            if name not in known:
                known[name] = tuple(reading(node) for node in self.readers(name))
            return known[name]

        return facing
