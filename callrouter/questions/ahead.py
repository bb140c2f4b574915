"""What a call can still meet from a node on, and which of its values the nodes there read.

A waiting call is known by where it stands and by what the nodes ahead can still read of it: variables, the caller, the
calendar and the draw as those nodes see them. Whatever else two calls differ in cannot matter any more, so that one of
them stands for both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime

from callrouter.core.call import Call
from callrouter.core.conditions import VariableIs, VariableNumber, VariableStartsWith
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan


class Ahead:
    """What lies ahead of each node of a plan; each answer is found once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._nodes: dict[str, tuple[Node, ...]] = {}
        self._variables: dict[str, frozenset[str]] = {}
        self._compared: dict[str, frozenset[str]] = {}
        self._readers: dict[str, tuple[Node, ...]] = {}

    def nodes(self, name: str) -> tuple[Node, ...]:
        """The node itself, and all that a call can reach from it."""
        if name not in self._nodes:
            reached: dict[str, Node] = {}
            waiting = [name]
            while waiting:
                node = self.plan.nodes.get(waiting.pop())
                if node is not None and node.name not in reached:
                    reached[node.name] = node
                    waiting += node.exits.values()
            self._nodes[name] = tuple(reached.values())
        return self._nodes[name]

    def variables(self, name: str) -> frozenset[str]:
        """Variables whose value, or whether they are set, can still matter."""
        if name not in self._variables:
            uses = [self.plan.about[node.name].variables for node in self.nodes(name)]
            needed = (need.variable for use in uses for need in use.needed)
            self._variables[name] = frozenset().union(needed, *(use.compared for use in uses))
        return self._variables[name]

    def compared(self, name: str) -> frozenset[str]:
        """Variables whose value some condition compares; whether they are set alone does not count."""
        if name not in self._compared:
            conditions = (one for node in self.nodes(name) for one in self.plan.about[node.name].reads.conditions)
            self._compared[name] = frozenset(
                one.variable
                for one in conditions
                if isinstance(one, VariableStartsWith | VariableNumber) or (isinstance(one, VariableIs) and one.values)
            )
        return self._compared[name]

    def still_read(self, call: Call) -> frozenset[tuple[str, str]]:
        """The variables of a call that can still matter, with their values."""
        if not call.variables:
            return frozenset()
        read = self.variables(call.node)
        return frozenset(item for item in call.variables.items() if item[0] in read)

    def offer_read(self, call: Call, at: datetime) -> Callable[[str], Hashable]:
        """For a call that was offered at an instant: what the nodes ahead of a node read of the offer.

        That is who calls, what the calendar says, and what is drawn. It stays the same for the whole call, because
        calls are taken not to last from one part of the calendar into the next.
        """
        by_reader: dict[str, Hashable] = {}
        by_node: dict[str, Hashable] = {}

        def reads(node: Node) -> Hashable:
            if node.name not in by_reader:
                by_reader[node.name] = self.plan.about[node.name].reads.seen(self.plan, call, at)
            return by_reader[node.name]

        def read_from(name: str) -> Hashable:
            if name not in by_node:
                by_node[name] = tuple(reads(node) for node in self._readers_from(name))
            return by_node[name]

        return read_from

    def _readers_from(self, name: str) -> tuple[Node, ...]:
        if name not in self._readers:
            about = self.plan.about
            self._readers[name] = tuple(node for node in self.nodes(name) if about[node.name].reads.of_the_offer)
        return self._readers[name]

    def state_of(self, call: Call, offer_read: Callable[[str], Hashable]) -> Hashable:
        """All of a waiting call that can matter for what follows, and for how it will be counted."""
        return (
            call.node,
            call.state,
            frozenset(call.memory.items()),
            call.digits,
            self.still_read(call),
            offer_read(call.node),
            counted(call),
        )


def counted(call: Call) -> Hashable:
    """What has happened to a call that counts at its end, by names that do not hang on the nodes'."""
    answered = [visit.queue for visit in call.queue_visits if visit.answered_at]
    reached = [dial.target for dial in call.dials if dial.answered_at]
    return (
        call.verdict,
        call.offered,
        answered[-1] if answered else "",
        reached[-1] if reached else "",
        call.messages[-1].deliver if call.messages else None,
        len(call.callbacks),
    )
