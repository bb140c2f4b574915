"""The queues that clients' preferences derive from teams', who has which, and what is refused beyond their number.

Which ones go beyond it does not depend on the order of files: those that were there before stay, then those that most
clients have, then those whose names come first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from callrouter.core.agents.preference import Preference
from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.issues import Issue, how_many
from callrouter.dialplan.shared.derived import MOST_DERIVED

_FEW = 5
"""Clients, and derived queues, that one sentence names."""


def clients_of(plans: Mapping[str, Plan]) -> dict[str, list[str]]:
    """By derived queue, the clients whose plans have it; both in the order of names."""
    found: dict[str, list[str]] = {}
    for client, plan in sorted(plans.items()):
        for queue in plan.derived:
            found.setdefault(queue, []).append(client)
    return dict(sorted(found.items()))


def derived_of(plans: Mapping[str, Plan]) -> dict[str, Preference]:
    """All derived queues of these plans, by name."""
    found = {name: one for plan in plans.values() if plan.derived for name, one in plan.derived.items()}
    return dict(sorted(found.items()))


def within_bound(
    plans: Mapping[str, Plan], compiled: Collection[Compiled], held: Collection[str]
) -> tuple[dict[str, Plan], list[Issue]]:
    """The plans whose derived queues are no more than there may be, and why others are refused.

    Args:
        plans: by client.
        compiled: what they were made from.
        held: derived queues that were there before.
    """
    clients = clients_of(plans)
    if len(clients) <= MOST_DERIVED:
        return dict(plans), []
    order = sorted(clients, key=lambda queue: (queue not in held, -len(clients[queue]), queue))
    beyond = frozenset(order[MOST_DERIVED:])
    issues = list(_issues(compiled, plans, clients, beyond))
    refused = {issue.file for issue in issues}
    return {client: plan for client, plan in plans.items() if plan.source not in refused}, issues


def _issues(
    compiled: Collection[Compiled], plans: Mapping[str, Plan], clients: Mapping[str, list[str]], beyond: frozenset[str]
) -> Iterator[Issue]:
    alone = sorted({names[0] for names in clients.values() if len(names) == 1})
    for one in compiled:
        plan = plans.get(one.client)
        if plan is None or plan is not one.plan or not (own := sorted(beyond & plan.derived.keys())):
            continue
        message = (
            f"agents: the folder would have {len(clients)} queues derived from its teams', and {MOST_DERIVED} is the "
            f"most: {_some(own)} {'is' if len(own) == 1 else 'are'} beyond that. {how_many(len(alone), 'client')} "
            f"{'has' if len(alone) == 1 else 'have'} one alone ({_some(alone)}): give some of them the same prefer, "
            "never and next_level, which share one, or make a team of its own in shared/queues.yaml"
        )
        line = one.document.line("agents", plan.derived[own[0]].team)
        yield Issue(file=one.document.file, line=line, field="agents", message=message)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
