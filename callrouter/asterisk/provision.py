"""What the PBX must know to serve alone, pushed to it after each log-in, each reload and each midnight; idempotent.

`callrouter/fallback/<did>`, `callrouter/times/<key>`, `callrouter/answer/<id>`, `callrouter/callers/<did>` and
`callrouter/caller/<name>/<who>` are ready-made answers (`alone.ready_made`): extensions.conf follows them when no
engine takes a call, or control of it was lost.
`callrouter/limit/<did>` is `<client>:<calls>`: it refuses what is beyond, before an engine hears of it.
`callrouter/offer/<did>` is what an agent's telephone shows of the fallback's caller (`asterisk.briefing`),
`callrouter/brief/<did>` what is whispered to them. Asterisk looks a number up as it was dialled, so each stands there
in every spelling a trunk may send. Only what differs is written, and what is not published any more is deleted.
`callrouter/published/<client>` says by which plan, and on which day, all of a client's was written: where it says so of
every client there is nothing to work out, to read or to write, which is how most engines start.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

import structlog

from callrouter import __version__
from callrouter.asterisk.alone.ready_made import (
    ANSWERS,
    BRIEFS,
    CALLERS,
    FALLBACKS,
    LISTED,
    OFFERS,
    RECORDINGS,
    TIMES,
    Entry,
    lengths_of,
    made_of,
    only_declared,
    ready_made,
    spelt,
)
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.pbx.astdb import entries
from callrouter.core.numbers import spellings
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue
from callrouter.errors import AmiError, EncodingError
from callrouter.runtime.giving_way import giving_way

log = structlog.get_logger(__name__)

LIMITS: Final = "callrouter/limit"
PUBLISHED: Final = "callrouter/published"
FAMILIES: Final = (ANSWERS, TIMES, RECORDINGS, LIMITS, OFFERS, BRIEFS, FALLBACKS, CALLERS)
"""In the order in which they are written: what is pointed at is there before what points at it."""
T = TypeVar("T")
_SLICE: Final = 50
"""Entries worked on without a pause: some 0.3 ms, after which the loop may serve its callers."""
_DIGESTS: Final = 5
"""Digests of plans: as long."""
_LOOKED_AT: Final = 1000
"""Entries that are only compared: as long."""
_PLANS_AT_ONCE: Final = 20
"""Plans whose answers are made in one go, in a thread of its own: some 50 ms."""
LOOK_SECONDS: Final = 600.0
"""How often we look whether a day is over."""
_A_DAY: Final = timedelta(days=1)


def limit_of(plan: Plan, client_calls: int) -> str:
    """How many live calls a plan's client may have; empty: any number. `client_calls` is for those who do not say."""
    calls = plan.max_calls or client_calls
    return f"{plan.client}:{calls}" if calls else ""


def _now() -> datetime:
    return datetime.now(UTC)


class Fallbacks:
    """Keeps AstDB in step with the plans in service."""

    def __init__(
        self,
        link: AmiLink,
        region: str,
        *,
        client_calls: int = 0,
        recordings_dir: str = "",
        now: Callable[[], datetime] = _now,
        shift: timedelta = timedelta(),
    ) -> None:
        """`client_calls`: live calls of a client whose file does not say; 0: any number.

        `recordings_dir`: where messages are recorded, as Asterisk sees it; `shift`: what our clock is ahead of its.
        """
        self._link = link
        self._region = region
        self._client_calls = client_calls
        self._recordings_dir = recordings_dir
        self._now = now
        self._shift = shift
        self._there: dict[Entry, str] = {}
        """What AstDB holds, if `_known`."""
        self._known = False
        self._published: dict[str, str] = {}
        """By client: of what its entries there are."""
        self._made: dict[int, tuple[Plan, dict[Entry, str]]] = {}
        """By the plan, which is an object of its own for as long as it stands here: its entries from `_day` on."""
        self._day = datetime.min.replace(tzinfo=UTC)
        """The midnight from which they are."""
        self._publishing = asyncio.Lock()

    async def publish_all(self, catalogue: Catalogue, *, afresh: bool) -> None:
        """Make AstDB say what the plans in service say; see `publish`."""
        plans = list(catalogue.plans.values())
        # Whose file is wrong and who has no good plan any more: the fallback of before is all there is.
        complete = catalogue.refused <= {plan.source for plan in plans}
        await self.publish(plans, complete=complete, afresh=afresh)

    async def keep_ahead(self, catalogue: Callable[[], Catalogue], link_up: Callable[[], bool]) -> None:
        """Publish again when a day is over, until cancelled, so that two weeks ahead are always there."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if link_up() and self._midnight() != self._day:
                with contextlib.suppress(AmiError):  # the next log-in does it
                    await self.publish_all(catalogue(), afresh=False)

    async def publish(self, plans: Collection[Plan], *, complete: bool, afresh: bool) -> None:
        """Make AstDB say what these plans say, and nothing else if they are `complete`.

        They are not while a client's file cannot be read: its callers are better served by what stands there of its
        numbers than by the closed prompt. `afresh`: look at what AstDB holds (after a log-in, it may be another PBX's).

        Raises:
            AmiError: the link went away meanwhile.
        """
        async with self._publishing:
            published = await self._published_by(plans, self._midnight())
            if afresh:
                self._known, self._there = False, {}
                self._published = dict(await entries(self._link, PUBLISHED))
            stale = [
                one for one, made in self._published.items() if published.get(one, "" if complete else made) != made
            ]
            if stale or published.keys() - self._published.keys():
                await self._write(plans, published, stale, complete=complete)

    async def _write(
        self, plans: Collection[Plan], published: Mapping[str, str], stale: Iterable[str], *, complete: bool
    ) -> None:
        """Clients who are `stale`, or new, are said to be published only when all of theirs is there."""
        await self._make(plans)
        wanted = await self._wanted(plans)
        if not self._known:
            self._there = await self._read()
            self._known = True
        await self._delete((PUBLISHED, client) for client in stale)
        for family, changed in sorted((await self._changed(wanted)).items(), key=lambda one: _place_of(one[0])):
            await self._put((((family, key), value) for key, value in changed))
        await self._delete(await self._gone(wanted, complete=complete and bool(wanted)))
        news = ((client, made) for client, made in published.items() if self._published.get(client) != made)
        await self._put(((PUBLISHED, client), made) for client, made in news)

    async def _changed(self, wanted: Mapping[Entry, str]) -> dict[str, list[tuple[str, str]]]:
        """By family: what does not stand there yet."""
        found: dict[str, list[tuple[str, str]]] = {}
        for some in _slices(wanted.items(), _LOOKED_AT):
            for (family, key), value in some:
                if self._there.get((family, key)) != value:
                    found.setdefault(family, []).append((key, value))
            await asyncio.sleep(0)
        return found

    async def _gone(self, wanted: Mapping[Entry, str], *, complete: bool) -> list[Entry]:
        """What stands there, and is not wanted any more.

        Of a number that is served, and of a list of callers, all is known: whose limit stood there before has no say
        any more, also while another client's file cannot be read.
        """
        found: list[Entry] = []
        lists = {family for family, _ in wanted if family.startswith(LISTED)}
        for some in _slices(list(self._there), _LOOKED_AT):
            gone = (one for one in some if one not in wanted)
            found += (
                one for one in gone if complete or one[0] in lists or (FALLBACKS, one[1].partition("/")[0]) in wanted
            )
            await asyncio.sleep(0)
        return found

    def _midnight(self) -> datetime:
        """The last one, by the PBX's clock in UTC, as an instant of ours."""
        there = self._now().astimezone(UTC) - self._shift
        return there.replace(hour=0, minute=0, second=0, microsecond=0) + self._shift

    async def _make(self, plans: Iterable[Plan]) -> None:
        """The entries of plans that have none yet of today; a plan that is unchanged is the same object."""
        since = self._midnight()
        kept = self._made if since == self._day else {}
        made: dict[int, tuple[Plan, dict[Entry, str]]] = {}
        missing: list[Plan] = []
        for plan in plans:
            if id(plan) in kept:
                made[id(plan)] = kept[id(plan)]
            else:
                missing.append(plan)
        for some in _slices(missing, _PLANS_AT_ONCE):
            made.update(await asyncio.to_thread(self._all_made, some, since))
        self._made, self._day = made, since

    def _all_made(self, plans: Iterable[Plan], since: datetime) -> dict[int, tuple[Plan, dict[Entry, str]]]:
        """In a thread."""
        with giving_way():
            return {id(plan): (plan, self.entries_of(plan, since)) for plan in plans}

    def entries_of(self, plan: Plan, since: datetime) -> dict[Entry, str]:
        """All that is published of a plan."""
        try:
            made = ready_made(plan, since, self._shift)
        except Exception as error:  # whatever it is: one client's tree must not cost all others theirs
            log.exception("what callers get without an engine is not known", client=plan.client, reason=repr(error))
            made = only_declared(plan)
        found = dict(made.shared)
        lists = {name: spelt(callers, self._region) for name, callers in made.lists.items()}
        for name, callers in lists.items():
            found.update(((LISTED + name, who), value) for who, value in callers.items())
        limit = limit_of(plan, self._client_calls)
        for did, told in made.of_numbers.items():
            name = made.listed.get(did, "")
            listed = f"{name}:{lengths_of(lists[name])}" if name else ""
            values = {**told, (LIMITS, ""): limit, (CALLERS, ""): listed}
            for spelling in spellings(did, self._region):
                found.update(((family, spelling + more), value) for (family, more), value in values.items() if value)
        return found

    async def _read(self) -> dict[Entry, str]:
        """What is there; all lists of callers at once: for each answer Asterisk looks at its whole database."""
        found: dict[Entry, str] = {}
        for family in FAMILIES:
            for rows in _slices(await entries(self._link, family), _LOOKED_AT):
                found.update(((family, key), value) for key, value in rows)
                await asyncio.sleep(0)
        for rows in _slices(await entries(self._link, LISTED.rstrip("/")), _LOOKED_AT):
            for key, value in rows:
                name, _, who = key.partition("/")
                found[LISTED + name, who] = value
            await asyncio.sleep(0)
        return found

    async def _published_by(self, plans: Iterable[Plan], since: datetime) -> dict[str, str]:
        """What would be written of each client, as a digest."""
        told = (
            __version__,
            since.isoformat(),
            str(self._shift),
            self._region,
            str(self._client_calls),
            self._recordings_dir,
        )
        found: dict[str, str] = {}
        for some in _slices(plans, _DIGESTS):
            found.update((plan.client, made_of(plan, *told)) for plan in some)
            await asyncio.sleep(0)
        return found

    async def _wanted(self, plans: Iterable[Plan]) -> dict[Entry, str]:
        wanted: dict[Entry, str] = {}
        for some in _slices(plans):
            for plan in some:
                wanted.update(self._made[id(plan)][1])
            await asyncio.sleep(0)
        if wanted and self._recordings_dir:
            wanted[RECORDINGS, "folder"] = self._recordings_dir
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
                    if family == PUBLISHED:
                        self._published[key] = value
                    else:
                        self._there[family, key] = value
            batch.write()
            await asyncio.sleep(0)

    async def _delete(self, entries: Iterable[Entry]) -> None:
        for some in _slices(entries):
            batch = self._link.batch()
            for family, key in some:
                batch.post("DBDel", {"Family": family, "Key": key}, about=key)
                if family == PUBLISHED:
                    del self._published[key]
                else:
                    del self._there[family, key]
            batch.write()
            await asyncio.sleep(0)


def _place_of(family: str) -> float:
    """When it is written: lists of callers point at answers, and are pointed at by numbers."""
    return FAMILIES.index(CALLERS) - 0.5 if family.startswith(LISTED) else FAMILIES.index(family)


def _slices(things: Iterable[T], size: int = _SLICE) -> Iterator[list[T]]:
    left = iter(things)
    while some := list(islice(left, size)):
        yield some
