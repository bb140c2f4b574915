"""What becomes of callers who are sent to a queue that the PBX does not have. Pure.

A queue that is derived from a team's may be named by a plan before the PBX's unit has brought it: extensions.conf,
callrouter-queue-there.
"""

from __future__ import annotations

from collections.abc import Mapping

from callrouter.core.agents.preference import leaves_out, team_of


def consequence(queue: str) -> str:
    """Of callers who are sent there, as the end of a sentence."""
    if team_of(queue) == queue:
        return "whoever is sent there overflows at once"
    if leaves_out(queue):
        return "whoever is sent there waits until it is there, as long as their tree lets them wait"
    return "whoever is sent there is offered to the whole team"


def by_consequence(missing: Mapping[str, list[str]]) -> dict[str, dict[str, list[str]]]:
    """Missing queues, and the clients whose trees name each, by what becomes of their callers."""
    found: dict[str, dict[str, list[str]]] = {}
    for queue, clients in missing.items():
        found.setdefault(consequence(queue), {})[queue] = clients
    return found
