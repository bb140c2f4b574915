"""The queues that clients' preferences derive from teams': who is rung in each, in which order, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from callrouter.core.agents.preference import Preference
from callrouter.core.plan import Plan
from callrouter.dialplan.folder.derived_bound import clients_of, derived_of
from callrouter.dialplan.shared.derived import MOST_DERIVED, derived_queue, levels_of
from callrouter.dialplan.shared.queues import TeamQueue


class DerivedQueue(Struct, frozen=True, kw_only=True):
    """One of them."""

    queue: str
    """Its name at the PBX."""
    preference: Preference
    levels: tuple[tuple[str, ...], ...]
    """Agents who are rung first, then those who are rung next, and so on; empty where the team is not known."""
    clients: tuple[str, ...]


def derived_by(plans: Mapping[str, Plan], queues: Mapping[str, TeamQueue]) -> list[DerivedQueue]:
    """All of them, in the order of names; `queues` are the teams'."""
    clients = clients_of(plans)
    return [
        DerivedQueue(
            queue=name,
            preference=preference,
            levels=_levels(queues.get(preference.team), preference),
            clients=tuple(clients[name]),
        )
        for name, preference in derived_of(plans).items()
    ]


def in_words(found: list[DerivedQueue]) -> Iterator[str]:
    """Their number, and each on a line; nothing without any."""
    if found:
        yield f"Queues derived from teams' ({len(found)}; a folder may have {MOST_DERIVED}):"
    for one in found:
        agents = ", then ".join(" or ".join(agents) for agents in one.levels) or "nobody"
        yield f"  {one.queue}: {agents} (for {', '.join(one.clients)})"


def _levels(team: TeamQueue | None, preference: Preference) -> tuple[tuple[str, ...], ...]:
    if team is None:
        return ()
    levels = levels_of(derived_queue(team, preference))
    return tuple(
        tuple(agent for agent, level in levels.items() if level == wanted) for wanted in sorted(set(levels.values()))
    )
