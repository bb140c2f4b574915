"""What the PBX must know to serve alone, pushed to it after each log-in and each reload; idempotent.

`callrouter/fallback/<did>` in AstDB is `queue:<name>` (a derived queue's, for a client who prefers agents),
`number:<digits>` or `closed`: extensions.conf follows it when no engine takes a call, or control of it was lost. Where
it is declared who we are when we call out, `:<number shown>:<forwarding>:<forwarded by>:<whose>` follows the digits;
with `caller` at the end, the caller's own number is shown, and that other one in place of a number that is not there.
`callrouter/limit/<did>` is `<client>:<calls>`: it refuses what is beyond, before an engine hears of it.
`callrouter/offer/<did>` is what an agent's telephone shows of the fallback's caller (`asterisk.briefing`),
`callrouter/brief/<did>` what is whispered to them. Asterisk looks a number up as it was dialled, so each stands there
in every spelling a trunk may send. Only what differs is written, and what is not published any more is deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import structlog

from callrouter.asterisk.briefing import offer
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.pbx.astdb import entries
from callrouter.core.agents.preference import team_of
from callrouter.core.call import CallerId
from callrouter.core.effects import Dial
from callrouter.core.fallback import CLOSED, alone
from callrouter.core.identity import Identity
from callrouter.core.nodes import Node
from callrouter.core.numbers import spellings
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue
from callrouter.errors import EncodingError

log = structlog.get_logger(__name__)

FAMILY = "callrouter/fallback"
LIMITS = "callrouter/limit"
OFFERS = "callrouter/offer"
BRIEFS = "callrouter/brief"
Entry = tuple[str, str]
"""A family of AstDB's and a key in it."""
T = TypeVar("T")
NOBODY_SHOWN = CallerId()
"""A caller without a number."""
_SLICE = 50
"""Entries worked on without a pause: some 0.3 ms, after which the loop may serve its callers."""


def fallback_of(plan: Plan, did: str) -> str:
    """What Asterisk's own dialplan can do of a plan's fallback, for calls to one of its numbers."""
    node = plan.nodes.get(plan.fallback)
    told = (alone(node) if node else "") or CLOSED
    identity = (_own_identity(node) if node else None) or plan.identity
    if identity is None or not told.startswith("number:"):
        return told
    presented = identity.presented(NOBODY_SHOWN, did)
    return ":".join((told, presented.number, presented.forwarding, presented.forwarded_by, identity.shows))


def _own_identity(node: Node) -> Identity | None:
    """What a node that rings somebody shows, where that is not what the client's other calls do."""
    return next((one.identity for one in node.about().does if isinstance(one, Dial)), None)


def limit_of(plan: Plan, client_calls: int) -> str:
    """How many live calls a plan's client may have; empty: any number. `client_calls` is for those who do not say."""
    calls = plan.max_calls or client_calls
    return f"{plan.client}:{calls}" if calls else ""


def shown_of(plan: Plan, did: str) -> dict[str, str]:
    """By family: what agents are shown, and what is whispered to them, where Asterisk alone gives them a caller."""
    kind, _, queue = fallback_of(plan, did).partition(":")
    if kind != "queue":
        return {}
    shown = {OFFERS: offer(plan.briefing(team_of(queue)), plan.phrase_sounds)}
    return shown | ({BRIEFS: "&".join(sound.file for sound in plan.phrase_sounds)} if plan.phrase_sounds else {})


class Fallbacks:
    """Keeps AstDB in step with the plans in service."""

    def __init__(self, link: AmiLink, region: str, *, client_calls: int = 0) -> None:
        """`client_calls`: live calls of a client whose file does not say; 0: any number."""
        self._link = link
        self._region = region
        self._client_calls = client_calls
        self._there: dict[Entry, str] = {}
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

        They are not while a client's file cannot be read: its callers are better served by what stands there of its
        numbers than by the closed prompt. `afresh`: look at what AstDB holds (after a log-in, it may be another PBX's).

        Raises:
            AmiError: the link went away meanwhile.
        """
        async with self._publishing:
            if afresh:
                self._there = await self._read()
            wanted = await self._wanted(plans)
            changed = [(key, value) for key, value in wanted.items() if self._there.get(key) != value]
            await self._put(changed)
            gone = [key for key in self._there if key not in wanted]
            # Of a number that is served all is known: whose limit stood there before has no say any more.
            served = [(family, did) for family, did in gone if (FAMILY, did) in wanted]
            await self._delete(gone if complete and wanted else served)

    async def _read(self) -> dict[Entry, str]:
        return {
            (family, key): value
            for family in (FAMILY, LIMITS, OFFERS, BRIEFS)
            for key, value in await entries(self._link, family)
        }

    async def _wanted(self, plans: Iterable[Plan]) -> dict[Entry, str]:
        wanted: dict[Entry, str] = {}
        for some in _slices(plans):
            for plan in some:
                limit = limit_of(plan, self._client_calls)
                for did in plan.numbers:
                    values = {FAMILY: fallback_of(plan, did), LIMITS: limit, **shown_of(plan, did)}
                    keys = spellings(did, self._region)
                    wanted.update(((family, key), value) for family, value in values.items() if value for key in keys)
            await asyncio.sleep(0)
        return wanted

    async def _put(self, entries: Iterable[tuple[Entry, str]]) -> None:
        for some in _slices(entries):
            batch = self._link.batch()
            for (family, key), value in some:
                try:
                    batch.post("DBPut", {"Family": family, "Key": key, "Val": value}, about=key)
                except EncodingError as error:  # one number's entry must not cost all others theirs
                    log.warning(
                        "an entry for the PBX alone cannot be published", family=family, did=key, reason=str(error)
                    )
                else:
                    self._there[family, key] = value
            batch.write()
            await asyncio.sleep(0)

    async def _delete(self, entries: Iterable[Entry]) -> None:
        for some in _slices(entries):
            batch = self._link.batch()
            for family, key in some:
                batch.post("DBDel", {"Family": family, "Key": key}, about=key)
                del self._there[family, key]
            batch.write()
            await asyncio.sleep(0)


def _slices(things: Iterable[T]) -> Iterator[list[T]]:
    left = iter(things)
    while some := list(islice(left, _SLICE)):
        yield some
