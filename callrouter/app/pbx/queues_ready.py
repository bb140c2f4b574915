"""Has derived queues at the PBX before plans that need them go live.

A caller who is sent to a queue that is not there yet is offered to the whole team, or waits for it (extensions.conf,
callrouter-queue-there).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from callrouter.asterisk.teams.handover import Handover
from callrouter.core.plan import Plan
from callrouter.dialplan.folder.derived_bound import derived_of

log = structlog.get_logger(__name__)

READY_SECONDS: Final = 0.5
"""How long plans wait for their queues: a saved file is live within 1 s."""


class QueuesReady:
    """Asks for the queues, and waits for them and for whoever is logged in to be rung by them.

    Args:
        members_due: has agents compared with the PBX's members.
        members_seen: set after each comparison.
    """

    def __init__(self, handover: Handover, *, members_due: asyncio.Event, members_seen: asyncio.Event) -> None:
        self._handover = handover
        self._members_due = members_due
        self._members_seen = members_seen

    async def __call__(self, plans: Mapping[str, Plan]) -> None:
        """Wait until the derived queues of these plans are there, for a while at the most."""
        if not self._handover.expect(derived_of(plans)):
            return
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._handover.settled()
                self._members_seen.clear()
                self._members_due.set()
                await self._members_seen.wait()
        except TimeoutError:
            log.warning("plans go live before the queues that are derived for them are at the PBX")
