"""Plans by version: those in service, else those the record keeps, made again of their own documents.

A call that ended while no engine was there may have walked a plan that was replaced between the stop of one engine and
the start of the next; without it, nothing of the call's state can be read. And a question about a call of the past is
answered by the plan of that time, whatever stands in the folder now.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from callrouter.core.plan import Plan
from callrouter.dialplan import SoundSource, load_directory
from callrouter.dialplan.shared.reading import FOLDER as SHARED
from callrouter.errors import CallrouterError
from callrouter.runtime.reload import ServedPlans
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, find_plan

log = structlog.get_logger(__name__)

KEPT: Final = 64
"""Plans of the past that are remembered: calls to collect come in crowds, of a few versions."""


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


class PlanVersions:
    """Finds the plan a call started with, however long ago, among those in service and those of the record."""

    def __init__(self, plans: ServedPlans, database: Database, sounds: SoundSource) -> None:
        self._plans = plans
        self._kept = KeptPlans(database, sounds, plans.catalogue.region)

    def at_hand(self, client: str, version: str) -> Plan | None:
        """In service, or made again lately."""
        return self._plans.plan(client, version) or _of_version(self._kept.at_hand(client, version), version)

    async def find(self, client: str, version: str) -> Plan | None:
        """The plan of that version; None when it was never live here, or cannot be made again.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer, and the plan is not in service.
        """
        if (plan := self._plans.plan(client, version)) is not None:
            return plan
        kept = await self._kept.find(client, version)
        if kept.stored is not None and kept.plan is None:
            log.warning("a kept version no longer passes", client=client, version=version)
        elif kept.plan is not None and kept.plan.version != version:
            log.warning("a kept version is another one when it is made again", client=client, version=version)
        return _of_version(kept.plan, version)


def _of_version(plan: Plan | None, version: str) -> Plan | None:
    """A plan that this release compiles to something else cannot read the state of a call that walked it."""
    return plan if plan is not None and plan.version == version else None


def compile_again(stored: StoredPlan, sounds: SoundSource, *, region: str, now: datetime) -> Plan | None:
    """The plan of a version that was live, made of its own documents; None when they no longer pass.

    Arguments as of `compile_all`.
    """
    return compile_all([stored], sounds, region=region, now=now).get(stored.client)


def compile_all(stored: Iterable[StoredPlan], sounds: SoundSource, *, region: str, now: datetime) -> dict[str, Plan]:
    """By client: the plans of versions that were live, made of their own documents; without those that do not pass.

    Args:
        stored: with all their documents.
        sounds: what it plays.
        region: country whose national form a trunk may send.
        now: around which its holidays are looked up.
    """
    plans: dict[str, Plan] = {}
    for group in _that_stand_together(stored):
        with tempfile.TemporaryDirectory(prefix="callrouter-plan-") as place:
            for name, content in group.documents.items():
                path = Path(place, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8", newline="")
            try:
                # What was live stays what it was, whatever days have passed since.
                made = load_directory(Path(place), sounds, now=now, region=region).with_overdue().plans
            except CallrouterError:
                continue
            plans |= {client: made[client] for client in group.clients if client in made}
    return plans


class _Group:
    """Documents that stand together, and whose plans are wanted."""

    def __init__(self, first: StoredPlan) -> None:
        self.documents = dict(first.documents)
        self.clients = {first.client}

    def takes(self, other: StoredPlan) -> bool:
        """Whether the documents of another version do not contradict these; then they are of the group."""
        common = self.documents.keys() & other.documents.keys()
        agrees = all(self.documents[name] == other.documents[name] for name in common)
        if not agrees or _shared(self.documents) != _shared(other.documents):
            return False
        self.documents |= other.documents
        self.clients.add(other.client)
        return True


def _that_stand_together(stored: Iterable[StoredPlan]) -> list[_Group]:
    """Versions whose documents do not contradict each other are compiled at once: as a rule, all of them."""
    groups: list[_Group] = []
    for one in stored:
        if not any(group.takes(one) for group in groups):
            groups.append(_Group(one))
    return groups


def _shared(documents: Mapping[str, str]) -> set[str]:
    return {name for name in documents if name.startswith(f"{SHARED}/")}
