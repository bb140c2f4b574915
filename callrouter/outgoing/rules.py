"""How callers are called back: what each client's tree in service says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from callrouter.core.call import CallerId
from callrouter.core.nodes.callback import Automatic, CallbackNode
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule
from callrouter.outgoing.ports import PlacedCall, Ruled


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one node of a client's tree says of those who asked there."""

    plan: Plan
    node: CallbackNode
    automatic: Automatic

    def is_open(self, now: datetime) -> bool:
        """Whether people are rung at that time."""
        schedule = self._schedule
        return schedule is None or schedule.at(now).open

    def admits(self, placed: PlacedCall, now: datetime) -> bool:
        """Whether a call that was placed may ring somebody at that time, as it was placed."""
        return (
            self.automatic.pbx_queue == placed.queue
            and self.is_open(now)
            and self.node.may_call_back(placed.number)
            and self.shown(placed.did) == placed.shown
        )

    def open_until(self, now: datetime, latest: datetime) -> datetime:
        """Until when people are rung from a time on at which they are, no later than `latest`."""
        schedule = self._schedule
        return latest if schedule is None else schedule.open_until(now, latest)

    @property
    def _schedule(self) -> Schedule | None:
        return self.plan.schedules.get(self.automatic.hours) if self.automatic.hours else None

    def shown(self, did: str) -> str:
        """The number that somebody sees who had dialled `did`: by the node's identity, or the client's, else that
        number itself; E.164, empty: none.
        """
        identity = self.automatic.identity or self.plan.identity
        if identity is not None:
            return identity.presented(CallerId(), did).number
        return did if did.startswith("+") else ""


class Rules:
    """Those of all plans in service, by client and node; nodes without `automatic` have none."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self.plans = plans
        self._rules = {(rule.plan.client, rule.node.name): rule for rule in _rules_of(plans)}

    def find(self, client: str, node: str) -> Rule | None:
        """None: nobody is called back by itself who asked there, now."""
        return self._rules.get((client, node))

    def ruled(self, now: datetime) -> list[Ruled]:
        """All nodes that have a rule, and whether people are rung by it at that time."""
        return [Ruled(client, node, rule.is_open(now)) for (client, node), rule in self._rules.items()]


def _rules_of(plans: Mapping[str, Plan]) -> Iterator[Rule]:
    for plan in plans.values():
        for node in plan.nodes.values():
            if isinstance(node, CallbackNode) and node.automatic is not None:
                yield Rule(plan=plan, node=node, automatic=node.automatic)
