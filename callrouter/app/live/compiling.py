"""From a plan to the documents it stands on, which are kept, and back: plans of the past are made of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from callrouter.core.call import replace
from callrouter.core.plan import Plan
from callrouter.dialplan import SoundSource, load_directory
from callrouter.dialplan.shared.reading import FOLDER as SHARED
from callrouter.errors import CallrouterError
from callrouter.runtime.reload import Swap
from callrouter.store.plans import ReportReader, StoredPlan, Subscriber


def stored_plan(plan: Plan, swap: Swap) -> StoredPlan:
    """A plan that a swap made, with the documents it stands on."""
    contents = swap.catalogue.documents
    uses = swap.catalogue.uses.get(plan.client, frozenset({plan.source}))
    documents = {name: contents[name].decode("utf-8", errors="replace") for name in sorted(uses) if name in contents}
    return StoredPlan(
        client=plan.client,
        version=plan.version,
        document=documents[plan.source],
        first_live_at=swap.at,
        source=plan.source,
        documents=documents,
        promise=plan.promise,
        formerly=plan.formerly,
        subscriptions=tuple(
            Subscriber(name=one.name, kinds=tuple(map(str, one.kinds)), timezone=plan.timezone)
            for one in plan.subscriptions.values()
        ),
        reports=tuple(ReportReader(to=one.to, minute=one.minute, timezone=plan.timezone) for one in plan.reports),
        retention=plan.retention,
        shape=plan.shape,
    )


def of_version(plan: Plan | None, version: str, shape: str = "") -> Plan | None:
    """The plan by which calls go on that walk a version; None where their state cannot be read by it.

    Another release may compile the same documents to something else, which is another version. A call is read by the
    nodes' names and their order: where these are what they were (`shape`), it goes on as the call's own version.
    """
    if plan is None or plan.version == version:
        return plan
    return replace(plan, version=version) if shape and plan.shape == shape else None


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
