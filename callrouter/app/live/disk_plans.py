"""Plans of the engine's own disk, made of the documents that are kept there, and only those that are wanted.

This needs neither PostgreSQL nor the clients' folder, nor any other client's plan: some milliseconds each. A start has
the plans of live calls so, and those of the first new calls, before anything else is loaded. Several that are wanted
are made together where they stand on the same shared documents, which takes half the time; whoever rings goes first.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Final

import structlog

from callrouter import hurry
from callrouter.app.live.compiling import compile_again, compile_all, of_version
from callrouter.app.live.live_plans import LivePlans, Version
from callrouter.core import numbers
from callrouter.core.plan import Plan
from callrouter.dialplan import SoundSource
from callrouter.runtime.giving_way import giving_way
from callrouter.store.plans import StoredPlan

log = structlog.get_logger(__name__)

REMEMBERED: Final = 512
"""Plans that are remembered."""
MADE_AT_ONCE: Final = 8
"""Plans that one thread makes in one go, some 0.05 s of work, which whoever rings then waits for."""


class DiskPlans:
    """See the module."""

    def __init__(
        self,
        disk: LivePlans,
        sounds: SoundSource,
        *,
        region: str,
        now: Callable[[], datetime],
        hurries: bool = False,
        ahead: Mapping[Version, Plan] | None = None,
    ) -> None:
        """`sounds` has a sound for every name: of a call in progress it is not asked what a folder lacks by now.

        `hurries`: whether plans are made before other programs of the machine have their turn. `ahead`: what was made
        while another engine led.
        """
        self._disk = disk
        self._sounds = sounds
        self._region = region
        self._now = now
        self._hurries = hurries
        self._made: OrderedDict[Version, Plan] = OrderedDict()
        self._wanted: dict[Version, None] = {}
        self._making: asyncio.Event | None = None
        """Set when those that are being made are there."""
        self._ahead = ahead or {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever live here."""
        return self._disk.changed_at is None

    def at_hand(self, client: str, version: str) -> Plan | None:
        """The plan, when it was made lately, or ahead."""
        return self._made.get((client, version)) or self._ahead.get((client, version))

    def all_loaded(self) -> None:
        """What is live is in service: what was made ahead has served its turn, but for calls that walk it."""
        self._ahead = {}

    async def find(self, client: str, version: str, *, first: bool = False) -> Plan | None:
        """The plan of a version that is live, or that a live call walks; None when it is not kept, or cannot be made
        again. It is made in a thread, before others that are wanted (`first`) or after them.
        """
        key = client, version
        if self.at_hand(*key) is None:
            self._wanted = {key: None, **self._wanted} if first else {**self._wanted, key: None}
        while key in self._wanted:
            if self._making is None:
                await self._make_some()
            else:  # who asks for the same one does not have it made twice
                await self._making.wait()
        return self.at_hand(*key)

    async def _make_some(self) -> None:
        making = self._making = asyncio.Event()
        try:
            some = list(islice(self._wanted, MADE_AT_ONCE))
            for plan in await asyncio.to_thread(self._make, some):
                self._remember(plan)
            for one in some:  # not before: whoever made them may be cancelled, and others wait for the same
                self._wanted.pop(one, None)
        finally:
            self._making = None
            making.set()

    async def live(self, client: str) -> Plan | None:
        """The client's plan that was live last; None when it has none, or it cannot be made again."""
        plan = self._disk.plans.get(client)
        return None if plan is None else await self.find(client, plan.version, first=True)

    async def for_did(self, did: str) -> Plan | None:
        """The plan that was live last for a number, as the switch sent it; None when no client had it."""
        number = did if did in self._clients else numbers.normalise(did, self._region) or ""
        client = self._clients.get(number)
        return await self.find(client, self._disk.plans[client].version, first=True) if client is not None else None

    @cached_property
    def _clients(self) -> dict[str, str]:
        """By number. Asked for at a start only, before anything else is live."""
        return {did: client for client, plan in self._disk.plans.items() for did in plan.numbers}

    def _make(self, wanted: Collection[Version]) -> list[Plan]:
        """Without those that are not kept, or cannot be made again."""
        with giving_way(), hurry.hurried(self._hurries):
            kept = [stored for version in wanted if (stored := self._disk.stored(*version)) is not None]
            together = compile_all(kept, self._sounds, region=self._region, now=self._now())
            made = [of_version(together.get(one.client), one.version) or self._alone(one) for one in kept]
        return [plan for plan in made if plan is not None]

    def _alone(self, stored: StoredPlan) -> Plan | None:
        """Of its own documents only: beside others it is refused, or another version of the client was made."""
        plan = compile_again(stored, self._sounds, region=self._region, now=self._now())
        if plan is None:
            log.warning("a kept version no longer passes", client=stored.client, version=stored.version)
        return of_version(plan, stored.version, stored.shape)

    def _remember(self, plan: Plan) -> None:
        self._made[plan.client, plan.version] = plan
        self._made.move_to_end((plan.client, plan.version))
        while len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
