"""Plans by version: those in service, else those that the disk or the record keeps, made again of their documents.

A call that ended while no engine was there may have walked a plan that was replaced between the stop of one engine and
the start of the next; without it, nothing of the call's state can be read. And a question about a call of the past is
answered by the plan of that time, whatever stands in the folder now.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from callrouter.app.live.compiling import compile_again, of_version
from callrouter.app.live.disk_plans import DiskPlans
from callrouter.core.plan import Plan
from callrouter.dialplan import SoundSource
from callrouter.errors import DatabaseUnreachable, StoreError
from callrouter.runtime.reload import ServedPlans
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, find_plan, live_version

log = structlog.get_logger(__name__)

KEPT: Final = 64
"""Plans of the past that are remembered: calls to collect come in crowds, of a few versions."""
IN_SERVICE: Final = 512
"""Live plans that are remembered for a time without PostgreSQL."""
ASK_SECONDS: Final = 3.0
"""For what is live; a plan is made again in some 0.1 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """What the record knows of a version."""

    stored: StoredPlan | None
    """None: it was never live here."""
    plan: Plan | None
    """None: it cannot be made again."""

    @property
    def timezone(self) -> str:
        """The client's, as it was then; UTC when it is not known."""
        if self.plan is not None:
            return self.plan.timezone
        return self.stored.promise.timezone if self.stored and self.stored.promise else "UTC"


class KeptPlans:
    """Plans of the record, by version; those that were asked for lately are remembered."""

    def __init__(self, database: Database, sounds: SoundSource, region: str) -> None:
        self._database = database
        self._sounds = sounds
        self._region = region
        self._kept: OrderedDict[tuple[str, str], KeptPlan] = OrderedDict()

    def at_hand(self, client: str, version: str) -> Plan | None:
        """The plan, when it was made again lately."""
        kept = self._kept.get((client, version))
        return kept.plan if kept else None

    async def find(self, client: str, version: str) -> KeptPlan:
        """What the record knows of that version. Its plan is made in a thread: live calls do not wait for it.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        key = (client, version)
        if key in self._kept:
            return self._kept[key]
        stored = await find_plan(self._database, client, version)
        if stored is None or not stored.documents:
            return KeptPlan(stored=stored, plan=None)
        plan = await asyncio.to_thread(
            compile_again, stored, self._sounds, region=self._region, now=stored.first_live_at
        )
        self._kept[key] = found = KeptPlan(stored=stored, plan=plan)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found


class PlansInService:
    """The plan of each client that is live, for a process that serves no calls.

    It is asked for again each time; while PostgreSQL is away, the one that was found last goes on, else the one on the
    engine's own disk, where that is this machine's.
    """

    def __init__(self, database: Database, kept: KeptPlans, on_disk: Callable[[], DiskPlans]) -> None:
        """`on_disk` reads what is there now; it blocks."""
        self._database = database
        self._plans = kept
        self._on_disk = on_disk
        self._last: OrderedDict[str, tuple[str, Plan]] = OrderedDict()
        """By client: the version that was live when it was asked for last, and its plan."""

    async def live(self, client: str) -> Plan | None:
        """The client's; None: it has none.

        Raises:
            StoreError: PostgreSQL does not answer, and nobody else knows.
        """
        try:
            async with asyncio.timeout(ASK_SECONDS):
                version = await live_version(self._database, client)
                found = await self._of_version(client, version)
        except (StoreError, TimeoutError) as error:
            last = self._last.get(client)
            kept = last[1] if last else await self._of_disk(client)
            if kept is None:
                if isinstance(error, StoreError):
                    raise
                raise DatabaseUnreachable("PostgreSQL does not say in time what is live") from error
            return kept
        if version is None or found is None:
            self._last.pop(client, None)
            return None
        self._last[client] = version, found
        self._last.move_to_end(client)
        while len(self._last) > IN_SERVICE:
            self._last.popitem(last=False)
        return found

    async def _of_version(self, client: str, version: str | None) -> Plan | None:
        if version is None:
            return None
        last = self._last.get(client)
        return last[1] if last and last[0] == version else (await self._plans.find(client, version)).plan

    async def _of_disk(self, client: str) -> Plan | None:
        disk = await asyncio.to_thread(self._on_disk)
        return await disk.live(client)


class PlanVersions:
    """Finds the plan a call started with, however long ago: among those in service, on the engine's own disk, which
    has what live calls walk, and in the record.
    """

    def __init__(
        self,
        plans: ServedPlans,
        disk: DiskPlans,
        database: Database,
        sounds: SoundSource,
        *,
        on_found: Callable[[StoredPlan], None] = lambda _: None,
    ) -> None:
        """`on_found`: told each version that the record alone had."""
        self._plans = plans
        self._on_found = on_found
        self._disk = disk
        self._kept = KeptPlans(database, sounds, plans.catalogue.region)

    def at_hand(self, client: str, version: str) -> Plan | None:
        """In service, or made again lately."""
        plan = self._plans.plan(client, version) or self._disk.at_hand(client, version)
        return plan or of_version(self._kept.at_hand(client, version), version)

    async def find(self, client: str, version: str) -> Plan | None:
        """The plan of that version; None when it was never live here, or cannot be made again.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer, and the plan is neither in service nor on disk.
        """
        plan = self._plans.plan(client, version) or await self._disk.find(client, version)
        if plan is not None:
            return plan
        kept = await self._kept.find(client, version)
        if kept.stored is not None and kept.stored.documents:
            self._on_found(kept.stored)
        if kept.stored is not None and kept.plan is None:
            log.warning("a kept version no longer passes", client=client, version=version)
        elif kept.plan is not None and kept.plan.version != version:
            log.warning("a kept version is another one when it is made again", client=client, version=version)
        return of_version(kept.plan, version)
