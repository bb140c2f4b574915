"""Keeps what the PBX's unit is handed in step with the plans: no queue goes that a caller may still be sent to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from callrouter.asterisk.pbx.queues_named import QueuesNamed
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.agents.preference import by_queue
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.pauses import pause

LOOK_AGAIN_SECONDS: Final = 10.0
"""How often it is looked whether the last call that walked an older plan has ended."""


class NamedQueues:
    """Tells the handover which queues plans name, derived ones too: those in service, and those that calls walk.

    Args:
        plans: those in service, by client; the same object as long as they are the same.
        due: set by whoever puts plans into service.
    """

    def __init__(
        self, handover: Handover, plans: Callable[[], Mapping[str, Plan]], calls: LiveCalls, *, due: asyncio.Event
    ) -> None:
        self._handover = handover
        self._in_service = QueuesNamed(plans)
        self._plans = plans
        self._calls = calls
        self._due = due

    async def run(self) -> None:
        """Tell when due, and now and then, until cancelled."""
        while True:
            self._due.clear()
            await self.tell()
            await pause(LOOK_AGAIN_SECONDS, self._due)

    async def tell(self) -> None:
        """Tell now."""
        walked = self._walked()
        named = await self._in_service.look()
        others = await QueuesNamed(lambda: walked).look()
        plans = [*self._plans().values(), *walked.values()]
        found = by_queue(one for plan in plans if plan.derived for one in plan.derived.values())
        self._handover.named(named.keys() | others.keys(), found)

    def close(self) -> None:
        """Let go of the unit: the engine stops."""
        self._handover.close()

    def _walked(self) -> dict[tuple[str, str], Plan]:
        """Plans that calls walk and that are not in service any more."""
        plans = self._plans()
        walked = {(live.plan.client, live.plan.version): live.plan for live in self._calls}
        return {key: plan for key, plan in walked.items() if plans.get(plan.client) is not plan}
