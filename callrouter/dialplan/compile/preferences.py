"""Whom of its teams a client wants, as its file says it under `agents`, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Collection

from callrouter.core.agents.preference import Preference, whole_seconds
from callrouter.dialplan.documents.client_file import ClientFile, PreferenceBlock
from callrouter.dialplan.issues import Severity, closest, shown
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.derived import derived_queue, levels_of, shortest_in
from callrouter.dialplan.shared.queues import TeamQueue


def preferences_of(scope: NameScope, file: ClientFile) -> dict[str, Preference]:
    """By team; a team of which the client wants what it does anyway is left out."""
    found: dict[str, Preference] = {}
    for name, block in file.agents.items():
        team = scope.shared.queues.get(name)
        if team is None:
            scope.queue(name, "agents", name)
        elif _is_possible(scope, team, block):
            wanted = Preference(
                team=name,
                prefer=block.prefer,
                never=block.never,
                next_level_seconds=whole_seconds(block.next_level),
            )
            preference = shortest_in(wanted, team)
            _check_effect(scope, team, block, preference)
            if preference is not None:
                found[name] = preference
    return found


def check_waited_in(scope: NameScope, file: ClientFile) -> None:
    """Warn of a team in whose queue no caller waits by the client's tree."""
    for name in file.agents:
        if name in scope.shared.queues and name not in scope.waited_in:
            idle = (
                f"agents: no node, callback or fallback of this client has queue {shown(name)}: only whom an agent "
                "gives to that team waits there"
            )
            scope.fail(idle, "agents", name, name="idle-preference")


def _is_possible(scope: NameScope, team: TeamQueue, block: PreferenceBlock) -> bool:
    before = len(scope.issues)
    for key, agents in (("prefer", block.prefer), ("never", block.never)):
        for index, agent in enumerate(agents):
            if agent not in team.members:
                wrong = f"agents: {shown(agent)} is no member of queue {shown(team.name)}"
                scope.fail(wrong, "agents", team.name, key, index, suggestion=closest(agent, team.members))
    if len(scope.issues) == before and not set(team.members) - set(block.never):
        wrong = f"agents: never names every member of queue {shown(team.name)}: nobody is left who could answer"
        scope.fail(wrong, "agents", team.name, "never")
    return len(scope.issues) == before


def _check_effect(scope: NameScope, team: TeamQueue, block: PreferenceBlock, found: Preference | None) -> None:
    """Say what does nothing: an error where it never could, a note where it is so by chance."""
    left = set(team.members) - set(block.never)
    if block.prefer and not (found and found.prefer):
        why = "it names everybody who is left" if left <= set(block.prefer) else "they are rung first anyway"
        scope.fail(
            f"agents: prefer changes nothing in queue {shown(team.name)}: {why}",
            *("agents", team.name, "prefer"),
            severity=Severity.NOTE,
        )
    if block.next_level is not None and not (found and found.next_level_seconds is not None):
        if _levels(team, found, left) > 1:
            same = f"agents: next_level is that of queue {shown(team.name)} itself"
            scope.fail(same, "agents", team.name, "next_level", severity=Severity.NOTE)
        else:
            wrong = f"agents: next_level does nothing in queue {shown(team.name)}: all who are left are of one level"
            scope.fail(wrong, "agents", team.name, "next_level")


def _levels(team: TeamQueue, found: Preference | None, left: Collection[str]) -> int:
    """How many levels there are for the client's callers."""
    queue = derived_queue(team, found) if found else team
    return len({level for agent, level in levels_of(queue).items() if agent in left})
