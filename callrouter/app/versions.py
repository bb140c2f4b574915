"""Plans by version: those in service, else those the record keeps, made again of their own documents.

A call that ended while no engine was there may have walked a plan that was replaced between the stop of one engine and
the start of the next; without it, nothing of the call's state can be read.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

import structlog

from callrouter.app.history import compile_again
from callrouter.core.plan import Plan
from callrouter.dialplan import SoundSource
from callrouter.runtime.reload import ServedPlans
from callrouter.store.database import Database
from callrouter.store.plans import find_plan

log = structlog.get_logger(__name__)

KEPT: Final = 64
"""Plans of the past that are remembered: calls to collect come in crowds, of a few versions."""


class PlanVersions:
    """Finds the plan a call started with, however long ago."""

    def __init__(self, plans: ServedPlans, database: Database, sounds: SoundSource) -> None:
        self._plans = plans
        self._database = database
        self._sounds = sounds
        self._kept: OrderedDict[tuple[str, str], Plan | None] = OrderedDict()
        """Made again; None for one whose documents do not give that plan any more."""

    def at_hand(self, client: str, version: str) -> Plan | None:
        """In service, or made again lately."""
        return self._plans.plan(client, version) or self._kept.get((client, version))

    async def find(self, client: str, version: str) -> Plan | None:
        """The plan of that version; None when it was never live here, or cannot be made again.

        It is made in a thread: live calls do not wait for it.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer, and the plan is not in service.
        """
        key = (client, version)
        if (plan := self._plans.plan(client, version)) is not None:
            return plan
        if key not in self._kept:
            stored = await find_plan(self._database, client, version)
            if stored is None or not stored.documents:
                return None
            made = await asyncio.to_thread(compile_again, stored, self._sounds, self._plans.catalogue)
            if made is not None and made.version != version:
                log.warning("a kept version is another one when it is made again", client=client, version=version)
                made = None
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]
