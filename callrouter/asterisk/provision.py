"""What the PBX must know to serve alone, pushed to it after each log-in and each reload; idempotent.

`callrouter/fallback/<did>` in AstDB is `queue:<name>`, `number:<digits>` or `closed`: extensions.conf follows it when
no engine takes a call, or control of it was lost. Asterisk looks a number up as it was dialled, so each stands there in
every spelling a trunk may send. Only what differs is written, and what is not published any more is deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from callrouter.asterisk.link import AmiLink
from callrouter.core.fallback import CLOSED, alone
from callrouter.core.numbers import spellings
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue
from callrouter.errors import ActionFailed

FAMILY = "callrouter/fallback"
T = TypeVar("T")
_SLICE = 50
"""Entries worked on without a pause: some 0.3 ms, after which the loop may serve its callers."""


def fallback_of(plan: Plan) -> str:
    """What Asterisk's own dialplan can do of a plan's fallback."""
    node = plan.nodes.get(plan.fallback)
    return (alone(node) if node else "") or CLOSED


class Fallbacks:
    """Keeps AstDB in step with the plans in service."""

    def __init__(self, link: AmiLink, region: str) -> None:
        self._link = link
        self._region = region
        self._there: dict[str, str] = {}
        """What AstDB holds, as far as we know."""
        self._publishing = asyncio.Lock()

    async def publish_all(self, catalogue: Catalogue, *, afresh: bool) -> None:
        """Make AstDB say what the plans in service say; see `publish`."""
        plans = list(catalogue.plans.values())
        # Whose file is wrong and who has no good plan any more: the fallback of before is all there is.
        complete = catalogue.refused <= {plan.source for plan in plans}
        await self.publish(plans, complete=complete, afresh=afresh)

    async def publish(self, plans: Collection[Plan], *, complete: bool, afresh: bool) -> None:
        """Make AstDB say what these plans say, and nothing else if they are `complete`.

        They are not while a client's file cannot be read: its callers are better served by what stands there than
        by the closed prompt. `afresh`: look at what AstDB holds (after a log-in, it may be another PBX's).

        Raises:
            AmiError: the link went away meanwhile.
        """
        async with self._publishing:
            if afresh:
                self._there = await self._read()
            wanted = await self._wanted(plans)
            changed = [(key, value) for key, value in wanted.items() if self._there.get(key) != value]
            await self._put(changed)
            if complete and wanted:
                await self._delete([key for key in self._there if key not in wanted])

    async def _read(self) -> dict[str, str]:
        try:
            answer = await self._link.collect("DBGetTree", {"Family": FAMILY})
        except ActionFailed:
            return {}  # Asterisk's answer to an empty family
        found = (message for message in answer if message["Event"] == "DBGetTreeResponse")
        return {message["Key"].removeprefix(f"/{FAMILY}/"): message["Val"] for message in found}

    async def _wanted(self, plans: Iterable[Plan]) -> dict[str, str]:
        wanted: dict[str, str] = {}
        for some in _slices(plans):
            for plan in some:
                value = fallback_of(plan)
                wanted.update((key, value) for did in plan.numbers for key in spellings(did, self._region))
            await asyncio.sleep(0)
        return wanted

    async def _put(self, entries: Iterable[tuple[str, str]]) -> None:
        for some in _slices(entries):
            batch = self._link.batch()
            for key, value in some:
                batch.post("DBPut", {"Family": FAMILY, "Key": key, "Val": value}, about=key)
            batch.write()
            self._there.update(some)
            await asyncio.sleep(0)

    async def _delete(self, keys: Iterable[str]) -> None:
        for some in _slices(keys):
            batch = self._link.batch()
            for key in some:
                batch.post("DBDel", {"Family": FAMILY, "Key": key}, about=key)
                del self._there[key]
            batch.write()
            await asyncio.sleep(0)


def _slices(things: Iterable[T]) -> Iterator[list[T]]:
    left = iter(things)
    while some := list(islice(left, _SLICE)):
        yield some
