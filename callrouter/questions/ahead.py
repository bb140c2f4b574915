"""What a call can still meet from a node on, and which of its values the nodes there read.

A waiting call is known by where it stands and by what the nodes ahead can still read of it: variables, the caller, the
calendar and the draw as those nodes see them. Whatever else two calls differ in cannot matter any more, so that one of
them stands for both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from functools import cache

from callrouter.core.call import Call
from callrouter.core.conditions import ValueCondition, VariableIs
from callrouter.core.nodes.about import About
from callrouter.core.plan import Plan
from callrouter.dialplan.proof.graph import reach
from callrouter.questions.once import found_once


class Ahead:
    """What lies ahead of each node of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._leads = {node.name: node.exits.values() for node in plan.nodes.values()}

    @found_once
    def about(self, name: str) -> Mapping[str, About]:
        """What is said of itself by the node, and by each that a call can reach from it."""
        reached = reach((name,), self._leads)
        return {name: about for name, about in self.plan.about.items() if name in reached}

    @found_once
    def variables(self, name: str) -> frozenset[str]:
        """Variables whose value, or whether they are set, can still matter."""
        uses = [about.variables for about in self.about(name).values()]
        needed = (need.variable for use in uses for need in use.needed)
        return frozenset().union(needed, *(use.compared for use in uses))

    @found_once
    def compared(self, name: str) -> frozenset[str]:
        """Variables whose value some condition compares; whether they are set alone does not count."""
        conditions = (one for about in self.about(name).values() for one in about.reads.conditions)
        compared = (one for one in conditions if isinstance(one, ValueCondition))
        return frozenset(one.variable for one in compared if not isinstance(one, VariableIs) or one.values)

    def _still_read(self, call: Call) -> frozenset[tuple[str, str]]:
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

        @cache
        def read_at(reader: str) -> Hashable:
            return self.plan.about[reader].reads.seen(self.plan, call, at)

        @cache
        def read_from(name: str) -> Hashable:
            return tuple([read_at(reader) for reader in self._readers(name)])

        return read_from

    @found_once
    def _readers(self, name: str) -> tuple[str, ...]:
        return tuple(reader for reader, about in self.about(name).items() if about.reads.of_the_offer)

    def state_of(self, call: Call, offer_read: Callable[[str], Hashable]) -> Hashable:
        """All of a waiting call that can matter for what follows, and for how it will be counted."""
        return call.node, offer_read(call.node), self.progress(call)

    def progress(self, call: Call) -> Hashable:
        """What must be the same for two calls that wait at nodes of the same kind, so that only those can part them."""
        return call.state, frozenset(call.memory.items()), call.digits, self._still_read(call), _counted(call)


def _counted(call: Call) -> Hashable:
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
