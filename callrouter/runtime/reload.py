"""The plans in service, replaced as a whole; calls in progress keep the plan they started with.

A load that finds something wrong leaves the client its last good plan. What is served, since when, and what is not
served as it stands can be asked at any time; whoever must act on a change (provision the switch, keep the history,
count) is told by a `Swap`. Before the first load there is nothing in service but the plans that first calls were
given (`runtime.first_calls`): whoever needs all of them waits until `loaded`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import perf_counter

import structlog

from callrouter.core.call import replace
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, Issue, Loader
from callrouter.dialplan.documents.expected_file import tables_of
from callrouter.dialplan.folder.look import Look, is_table
from callrouter.dialplan.issues import errors
from callrouter.errors import CallrouterError
from callrouter.logs import Outage
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.giving_way import giving_way

log = structlog.get_logger(__name__)


class Why(StrEnum):
    """What made a load happen."""

    START = "start"
    SAVED = "saved"
    """The folder changed."""
    ASKED = "asked"
    """By signal or by HTTP."""
    ANOTHER_DAY = "day"
    """What depends on the day is found again."""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """What one load changed."""

    at: datetime
    why: Why
    live: tuple[Plan, ...] = ()
    """Plans that went into service."""
    withdrawn: tuple[Plan, ...] = ()
    """The last plans of clients that have none any more."""
    catalogue: Catalogue
    """What is in service now; its issues are those of this load."""
    seconds: float = 0.0
    """How long loading took."""


@dataclass(frozen=True, kw_only=True)
class RefusedFile:
    """A file that is not served as it stands."""

    file: str
    keeps: Plan | None
    """The plan its client has all the same."""
    issues: tuple[Issue, ...]
    overdue: bool = False
    """Whether its client is served by it as it stands: time alone speaks against it."""


@dataclass(frozen=True, kw_only=True)
class KeptPlans:
    """Plans that are served at a start though the folder does not say so now."""

    since: Mapping[str, datetime]
    """By client: when its plan went live, before the start."""
    changed_at: datetime | None
    """When any of them changed last."""
    failure: str = ""
    """Why the folder could not be loaded at all; empty when it could."""


async def _at_once(_: Mapping[str, Plan]) -> None:
    """Nothing is to be waited for."""


class ServedPlans:
    """What `for_did` answers from; `reload` swaps it."""

    def __init__(
        self,
        catalogue: Catalogue,
        loader: Loader,
        calls: LiveCalls,
        *,
        now: Callable[[], datetime],
        is_loaded: bool = True,
        judge: Callable[[Catalogue, Mapping[str, str]], Catalogue] = lambda fresh, _: fresh,
        ready: Callable[[Mapping[str, Plan]], Awaitable[None]] = _at_once,
        on_swap: Callable[[Swap], None] = lambda _: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """`catalogue` is what `loader` has loaded (and perhaps plans of the past for clients whose file is wrong); not
        `is_loaded`: nothing yet, and `begin` follows.

        `judge` is handed what is loaded later, and the versions in service by client: what it leaves out of the plans
        and calls refused does not go live. It is called in a thread. `ready` is handed the plans that are about to go
        live, and waited for.
        """
        self.catalogue = catalogue
        self.loaded = asyncio.Event()
        """Set once what is served is what the folder says, as far as it can be."""
        self.since: dict[str, datetime] = {}
        """By client: when its plan went into service here."""
        self.failure = ""
        """Why the folder as a whole could not be loaded the last time; empty when it could."""
        self.kept_at: datetime | None = None
        """From when the plans in service are, while nothing could be loaded since the start; None otherwise."""
        self.seen: Look | None = None
        """What stood in the folder when the plans in service were loaded."""
        self._first: dict[str, Plan] = {}
        """Before the first load: plans of what was live, by the number that was dialled."""
        self._loader = loader
        self._calls = calls
        self.now = now
        """The clock: an aware instant."""
        self._judge = judge
        self._ready = ready
        self._on_swap = on_swap
        self._on_failure = on_failure
        self._reloading = asyncio.Lock()
        self._unloaded = Outage(
            log, "the dialplans could not be loaded; the present ones stay in service", "the dialplans are loaded again"
        )
        if is_loaded:
            self.begin(catalogue)

    def begin(self, catalogue: Catalogue, kept: KeptPlans | None = None, *, seconds: float = 0.0) -> None:
        """The first load has ended, after so many seconds. `kept`: which of these plans are older than this start."""
        walked = {(live.plan.client, live.plan.version): live.plan for live in self._calls}
        older = {key: plan for key, plan in walked.items() if catalogue.plan(*key) is None}
        self.catalogue = replace(catalogue, older={**catalogue.older, **older}) if older else catalogue
        self.since = dict.fromkeys(catalogue.plans, catalogue.loaded_at)
        if kept is not None:
            self.since |= {client: at for client, at in kept.since.items() if client in self.since}
            self.failure = kept.failure
            self.kept_at = kept.changed_at if kept.failure else None
        self.seen = self._loader.seen
        self._first.clear()
        self.loaded.set()
        live = tuple(catalogue.plans.values())
        swap = Swap(at=catalogue.loaded_at, why=Why.START, live=live, catalogue=self.catalogue, seconds=seconds)
        self._announce(swap, said=frozenset())

    def serve_first(self, did: str, plan: Plan) -> None:
        """Before the first load: calls of this number, as it was dialled, have this plan, which was live last."""
        if not self.loaded.is_set():
            self._first[did] = plan

    def for_did(self, did: str) -> Plan:
        """The plan of a dialled number; the plan for unknown numbers when no client has it."""
        return self._first.get(did) or self.catalogue.for_did(did)

    @property
    def plans(self) -> Mapping[str, Plan]:
        """Those in service, by client."""
        return self.catalogue.plans

    def plan(self, client: str, version: str) -> Plan | None:
        """The plan a call started with, while it is known."""
        return self.catalogue.plan(client, version)

    @property
    def refused(self) -> tuple[RefusedFile, ...]:
        """The files that are not served as they stand, with what is wrong with each."""
        catalogue = self.catalogue
        keeps = {file: plan for plan in catalogue.plans.values() for file in (plan.source, *tables_of(plan.source))}
        # Under another name than the file had whose plan is kept.
        for file, names in catalogue.meant.items():
            plan = next((catalogue.plans[name] for name in names if name in catalogue.plans), None)
            if plan is not None and plan.source not in catalogue.documents:
                keeps[file] = plan
        wrong = {issue.file for issue in errors(catalogue.issues)}
        # Routes that keep a client's file out of service are told with it.
        told = {file: file for file in catalogue.refused | wrong}
        told |= {table: file for file in catalogue.refused for table in tables_of(file) if table in wrong}
        return tuple(
            RefusedFile(
                file=file,
                keeps=keeps.get(file),
                issues=tuple(issue for issue in catalogue.issues if told.get(issue.file) == file),
                overdue=self._stays(file, keeps.get(file)),
            )
            for file in sorted(set(told.values()))
        )

    def _stays(self, file: str, keeps: Plan | None) -> bool:
        overdue = self.catalogue.overdue.get(file)
        return overdue is not None and keeps is not None and keeps.version == overdue.plan.version

    @property
    def trouble(self) -> str:
        """What is not as the folder says, in one sentence; empty when all is."""
        if self.kept_at:
            return f"{self.failure}; the plans in service are those of {self.kept_at:%Y-%m-%d %H:%M:%S} UTC"
        if self.failure:
            return self.failure
        refused = sorted(self.refused, key=lambda one: one.overdue)
        if not refused:
            return ""
        first = next((str(issue) for issue in errors(refused[0].issues)), refused[0].file)
        more = f" (and {len(refused) - 1} more files)" if len(refused) > 1 else ""
        return f"{self._how(refused[0])}: {first}{more}"

    @staticmethod
    def _how(refused: RefusedFile) -> str:
        if is_table(refused.file):
            return "in service, and not as expected"
        return "overdue, and served all the same" if refused.overdue else "not served as it stands"

    def saw(self, look: Look | None) -> None:
        """The folder stands so, and nothing can be made of it: it is not news until it changes. None: it is news."""
        self.seen = look

    async def reload(
        self, why: Why = Why.ASKED, *, hold: Callable[[Catalogue | None], bool] | None = None
    ) -> Swap | None:
        """Load what has changed, off the loop; what is wrong keeps its last good plan, and is logged.

        Sounds that a new plan needs are there before it is served. `hold` may look at what was loaded (None: the folder
        could not be) and refuse it for now. Returns None when nothing was put into service because of it, or because
        nothing could be loaded.
        """
        await self.loaded.wait()
        async with self._reloading:
            began = perf_counter()
            try:
                fresh = await asyncio.to_thread(self._load, self.now())
            except CallrouterError as error:
                if hold is None or not hold(None):
                    self._fails(str(error))
                return None
            if hold is not None and hold(fresh):
                return None
            await self._ready(fresh.plans)
            return self._swap(fresh, why, perf_counter() - began)

    def _load(self, now: datetime) -> Catalogue:
        live = {client: plan.version for client, plan in self.catalogue.plans.items()}
        with giving_way():
            return self._judge(self._loader.load(now), live)

    def _swap(self, fresh: Catalogue, why: Why, seconds: float) -> Swap:
        before = self.catalogue
        in_use = {(live.plan.client, live.plan.version) for live in self._calls}
        self.catalogue = after = fresh.replace_from(before, in_use)
        self.seen, self.failure, self.kept_at = self._loader.seen, "", None
        self._unloaded.ended()
        swap = Swap(
            at=self.now(),
            why=why,
            live=tuple(plan for plan in after.plans.values() if _is_new(plan, before)),
            withdrawn=tuple(plan for client, plan in before.plans.items() if client not in after.plans),
            catalogue=after,
            seconds=seconds,
        )
        for plan in swap.withdrawn:
            self.since.pop(plan.client, None)
        self.since.update({plan.client: swap.at for plan in swap.live})
        self._announce(swap, said=frozenset(before.issues))
        return swap

    def _fails(self, reason: str) -> None:
        self._unloaded.failed(reason)
        self.failure = reason
        self._on_failure()

    def _announce(self, swap: Swap, said: frozenset[Issue]) -> None:
        for issue in swap.catalogue.issues:
            if issue not in said:
                log.warning("dialplan", issue=str(issue))
        for refused in self.refused:
            if refused.overdue and not said.issuperset(refused.issues):
                log.error("time has overtaken a file that is in service: mend it", file=refused.file)
        if swap.live or swap.withdrawn or set(swap.catalogue.issues) != said:
            log.info(
                "dialplans in service",
                why=swap.why.value,
                clients=len(swap.catalogue.plans),
                issues=len(swap.catalogue.issues),
                live=_some(swap.live),
                withdrawn=_some(swap.withdrawn),
                seconds=round(swap.seconds, 3),
            )
        self._on_swap(swap)


def _is_new(plan: Plan, before: Catalogue) -> bool:
    old = before.plans.get(plan.client)
    return old is None or old.version != plan.version


def _some(plans: tuple[Plan, ...]) -> str:
    """Names for a line of the log: the first few, and how many more."""
    names = ", ".join(plan.client for plan in plans[:5])
    return f"{names} and {len(plans) - 5} more" if len(plans) > 5 else names
