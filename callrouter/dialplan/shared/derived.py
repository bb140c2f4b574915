"""Queues derived from a team's, for clients who want its agents in another order, or not all of them.

A derived queue is its team's in all but who is rung, and when: strategy, times, weight and bound are the team's. It
follows the team: who joins the team is rung by its derived queues, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from callrouter.core.agents.preference import Preference, levels_with, shortest
from callrouter.core.call import replace
from callrouter.dialplan.shared.queues import TeamQueue

MOST_DERIVED: Final = 60
"""Derived queues of a folder. An agent of a team is a member of each of its derived queues: app_queue looks at all of
them whenever their telephone rings or is free again, and each change of theirs is an event for each."""


def levels_of(team: TeamQueue) -> dict[str, int]:
    """Of every member."""
    return {agent: team.level(agent) for agent in team.members}


def shortest_in(preference: Preference, team: TeamQueue) -> Preference | None:
    """The one form of all preferences that come to the same in a team; None: the team does that anyway."""
    return shortest(preference, levels_of(team), team.next_level_seconds)


def derived_queue(team: TeamQueue, preference: Preference) -> TeamQueue:
    """The team's queue as it is for those who prefer so; agents whom the team has no more are left out."""
    levels = levels_with(preference, levels_of(team))
    after = preference.next_level_seconds or team.next_level_seconds
    return replace(
        team,
        name=preference.queue,
        members=tuple(agent for agent in team.members if agent in levels),
        levels={agent: level for agent, level in levels.items() if level > 1},
        next_level_seconds=after if len(set(levels.values())) > 1 else None,
    )


def derived_queues(queues: Mapping[str, TeamQueue], derived: Mapping[str, Preference]) -> dict[str, TeamQueue]:
    """By name; those of teams that are there."""
    return {
        name: derived_queue(queues[preference.team], preference)
        for name, preference in derived.items()
        if preference.team in queues
    }
