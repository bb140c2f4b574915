"""Whom of a team a client wants for its callers: some first, some never. Plain data, and what follows from it.

app_queue's penalties are per member and queue, not per caller: so clients who want another order, or other agents, than
their team has wait in a queue of their own, derived from the team's. Clients who want the same share one. Its name says
what they want, and whose team it is: people read the team's name in every record, and never this one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

_DOT: Final = "."
"""Stands in no name of a document (`language.values.name`), and may stand in one at the PBX (`pbx_names`)."""
LONGEST_QUEUE: Final = 79
"""Characters of a queue's name at the PBX."""


class Preference(Struct, frozen=True, kw_only=True):
    """What a client wants of a team, in its shortest form: see `dialplan.shared.derived`."""

    team: str
    prefer: tuple[str, ...] = ()
    """Agents who are rung before all others, in the order of their names."""
    never: tuple[str, ...] = ()
    """Agents who are not rung, in the order of their names."""
    next_level_seconds: int | None = None
    """After how long each further level is rung too; None: as the team says."""

    @property
    def queue(self) -> str:
        """The derived queue's name at the PBX: `medical.agent-1.-agent-3.20s`; by a digest where that is too long.

        No two preferences have the same: no name of an agent holds a dot, and none begins with a figure, a hyphen or an
        underscore.
        """
        wait = [] if self.next_level_seconds is None else [f"{self.next_level_seconds}s"]
        name = _DOT.join((self.team, *self.prefer, *(f"-{agent}" for agent in self.never), *wait))
        if len(name) <= LONGEST_QUEUE:
            return name
        return f"{self.team}{_DOT}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    def __str__(self) -> str:
        """For a person."""
        said = []
        if self.prefer:
            said.append(f"{' and '.join(self.prefer)} first")
        if self.never:
            said.append(f"never {' or '.join(self.never)}")
        if self.next_level_seconds is not None:
            said.append(f"further levels after {self.next_level_seconds} s each")
        return ", ".join(said)


def team_of(queue: str) -> str:
    """The team whose queue, or a queue derived from it, has this name at the PBX."""
    return queue.partition(_DOT)[0]


def leaves_out(queue: str) -> bool:
    """Whether agents of the team may not be rung in a queue that has this name at the PBX; of a digest it is supposed.

    Asterisk's dialplan asks the same (extensions.conf, callrouter-queue-there).
    """
    return any(part.startswith(("-", "_")) for part in queue.split(_DOT)[1:])


def levels_with(preference: Preference, levels: Mapping[str, int]) -> dict[str, int]:
    """Each agent's level for those who prefer so, from 1 and without gaps; who is never rung has none.

    `levels` are the team's, of every member. Preferred agents come before all others; among themselves, and among the
    others, the team's levels decide.
    """
    places = {
        agent: (agent not in preference.prefer, level)
        for agent, level in levels.items()
        if agent not in preference.never
    }
    return _ranked(places)


def without_gaps(levels: Mapping[str, int]) -> dict[str, int]:
    """The same order in levels 1, 2, 3 …"""
    return _ranked({agent: (False, level) for agent, level in levels.items()})


def shortest(preference: Preference, levels: Mapping[str, int], next_level_seconds: float | None) -> Preference | None:
    """The one form of all preferences that come to the same in a team; None: it is what the team does anyway.

    `levels` and `next_level_seconds` are the team's. There is one such form: a list of preferred agents that changes
    the order breaks it at exactly one place, which says who they are; one that does not is left out.
    """
    never = tuple(sorted(set(preference.never) & levels.keys()))
    rung = {agent: level for agent, level in levels.items() if agent not in never}
    prefer = tuple(sorted(set(preference.prefer) & rung.keys()))
    found = Preference(team=preference.team, prefer=prefer, never=never)
    if levels_with(found, levels) == without_gaps(rung):
        found = Preference(team=preference.team, never=never)
    after = whole_seconds(preference.next_level_seconds)
    if after not in (None, whole_seconds(next_level_seconds)) and _count(levels_with(found, levels)) > 1:
        found = Preference(team=found.team, prefer=found.prefer, never=never, next_level_seconds=after)
    return found if found.prefer or found.never or found.next_level_seconds is not None else None


def _ranked(places: Mapping[str, tuple[bool, int]]) -> dict[str, int]:
    order = sorted(set(places.values()))
    return {agent: order.index(place) + 1 for agent, place in places.items()}


def _count(levels: Mapping[str, int]) -> int:
    return len(set(levels.values()))


def whole_seconds(seconds: float | None) -> int | None:
    """app_queue knows whole seconds: they are rounded up."""
    return None if seconds is None else max(1, math.ceil(seconds))


def by_queue(preferences: Iterable[Preference]) -> dict[str, Preference]:
    """By the name of the derived queue, in the order of names."""
    found = {one.queue: one for one in preferences}
    return dict(sorted(found.items()))
