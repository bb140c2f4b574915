"""Keeps on disk what is live, and of what was live, what calls walk: after a kill the next engine goes on by that.

A call keeps the version it began with, also when its client's file was changed since, or is gone. So its documents stay
as long as it lives, and go with the last call that walks them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final

import structlog

from callrouter.app.live.compiling import stored_plan
from callrouter.app.live.live_plans import LivePlans, Version
from callrouter.runtime.pauses import pause
from callrouter.runtime.reload import Swap
from callrouter.store.plans import StoredPlan

log = structlog.get_logger(__name__)

FORGET_SECONDS: Final = 30.0
"""How often it is looked whether the last call that walked an earlier version has ended."""


def _nobody_walks() -> Collection[Version]:
    return ()


class LiveKeeper:
    """Writes what is live to the disk, in the order it happened, with what calls walk that began earlier."""

    def __init__(self, disk: LivePlans, walked: Callable[[], Collection[Version] | None] = _nobody_walks) -> None:
        """`walked`: the versions that live calls walk; None while it is not known which calls live."""
        self.disk = disk
        self._walked = walked
        self._revived: dict[str, StoredPlan] = {}
        self._found: dict[Version, StoredPlan] = {}
        self._swaps: deque[Swap] = deque()
        self._work = asyncio.Event()

    def revived(self, stored: Iterable[StoredPlan]) -> None:
        """These are live again, and stand on documents that no swap holds."""
        self._revived |= {one.client: one for one in stored}

    def found(self, stored: StoredPlan) -> None:
        """The record alone had this version: the next engine is to have it here, if a live call walks it."""
        self._found[stored.client, stored.version] = stored

    def note(self, swap: Swap) -> None:
        """Something went live."""
        self._swaps.append(swap)
        self._work.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await pause(FORGET_SECONDS, self._work)
            self._work.clear()
            await self.flush()
            await self._trying(self._forget())

    async def flush(self) -> None:
        """Write what is live; a disk that does not take it is said, and tried again with the next change."""
        while self._swaps:
            swap = self._swaps.popleft()
            # Of several that wait, the last says what is live; one before it counts where calls began meanwhile.
            if not self._swaps or self._is_walked(swap):
                await self._trying(asyncio.to_thread(self._keep, swap, self._walked()))

    async def _forget(self) -> None:
        """What no call walks any more; and keep what calls walk that was found elsewhere."""
        walked = self._walked()
        if walked is None:
            return
        found, self._found = self._found, {}
        besides = [stored for key, stored in found.items() if key in walked]
        if besides or not self.disk.walked.keys() <= set(walked):
            await asyncio.to_thread(self.disk.forget, walked, besides)

    @staticmethod
    async def _trying(work: Awaitable[None]) -> None:
        try:
            await work
        except OSError as error:
            log.error("what is live cannot be kept on disk: the next start could not go by it", reason=str(error))  # noqa: TRY400

    def _is_walked(self, swap: Swap) -> bool:
        walked = self._walked()
        return walked is None or any((plan.client, plan.version) in walked for plan in swap.live)

    def _keep(self, swap: Swap, walked: Collection[Version] | None) -> None:
        live: dict[str, StoredPlan | None] = {}
        for client, plan in swap.catalogue.plans.items():
            revived = self._revived.get(client)
            if client in swap.catalogue.uses:
                live[client] = stored_plan(plan, swap)
            else:
                live[client] = revived if revived and revived.version == plan.version else None
        numbers = {client: plan.numbers for client, plan in swap.catalogue.plans.items()}
        self.disk.keep(live, swap.at, numbers=numbers, walked=walked)
