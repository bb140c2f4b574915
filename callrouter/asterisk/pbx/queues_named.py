"""Which queues of the PBX plans need, gone through without a pause that a caller would feel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from itertools import islice
from typing import Final, Generic, TypeVar

from callrouter.core.plan import Plan

_SLICE: Final = 2
"""Plans gone through without a pause: some 0.1 ms, after which the loop may serve its callers."""

Key = TypeVar("Key", bound=Hashable)


class QueuesNamed(Generic[Key]):
    """Who names which queue.

    Args:
        plans: by whatever tells them apart; the same object as long as they are the same.
    """

    def __init__(self, plans: Callable[[], Mapping[Key, Plan]]) -> None:
        self._plans = plans
        self._known: tuple[Mapping[Key, Plan], dict[str, list[Key]]] | None = None
        """Plans, and what was found in them."""

    async def look(self) -> dict[str, list[Key]]:
        """By queue of the PBX, the plans of which a node or a condition needs it."""
        plans = self._plans()
        if self._known is None or self._known[0] is not plans:
            found: dict[str, list[Key]] = {}
            left = iter(plans.items())
            while some := list(islice(left, _SLICE)):
                for key, plan in some:
                    for queue in _queues_of(plan):
                        found.setdefault(queue, []).append(key)
                await asyncio.sleep(0)
            self._known = (plans, found)
        return self._known[1]


def _queues_of(plan: Plan) -> set[str]:
    abouts = (node.about() for node in plan.nodes.values())
    return {queue for about in abouts for queue in about.pbx_queues}
