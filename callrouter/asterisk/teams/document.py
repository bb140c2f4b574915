"""The teams and telephones that a PBX is to have: as values, as the JSON that travels, and under which names.

The clients' files are understood by callrouter alone. A PBX gets what follows from them as one document, whether
`callrouter teams` writes it to a file or `callrouter pbx apply` fetches it from the engine. Needs the standard library
only: `pbx.py` renders Asterisk's files with it on machines that have nothing else.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from callrouter.errors import TeamsError
from callrouter.pbx_names import wrong_name

if TYPE_CHECKING:
    from callrouter.dialplan.shared.queues import TeamQueue

STRATEGIES: Final = frozenset({"ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "linear"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """An agent's place in a team, and the telephone they are rung at."""

    agent: str
    phone: str

    @property
    def interface(self) -> str:
        """What app_queue rings."""
        return f"PJSIP/{self.phone}"


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team's line; what is None is as in queues.conf's template. Seconds are whole, as app_queue's are."""

    name: str
    members: tuple[Member, ...] = ()
    strategy: str | None = None
    ring_seconds: int | None = None
    retry_seconds: int | None = None
    wrap_up_seconds: int | None = None
    max_callers: int | None = None
    """0: any number."""
    weight: int = 0
    levels: Mapping[str, int] = field(default_factory=dict)
    """By agent who is not of level 1."""
    next_level_seconds: int | None = None
    """None: whoever is of a further level is rung as soon as nobody before them is free."""

    def penalty(self, agent: str) -> int:
        """An agent's level as app_queue counts: from 0."""
        return self.levels.get(agent, 1) - 1


@dataclass(frozen=True, kw_only=True)
class Teams:
    """What a folder says about teams, and every telephone of its agents."""

    teams: tuple[Team, ...] = ()
    phones: tuple[str, ...] = ()
    still_named: tuple[str, ...] = ()
    """Queues that the folder has no more, and that a tree in service, or one that a call walks, still names."""

    @property
    def revision(self) -> str:
        """What tells it from others: 12 hexadecimal digits."""
        return hashlib.sha256(text_of(self).encode()).hexdigest()[:12]


def folder_teams(
    queues: Mapping[str, TeamQueue],
    phones: Mapping[str, str],
    telephones: Sequence[str] = (),
    *,
    still_named: Sequence[str] = (),
) -> Teams:
    """The teams of a folder's queues; `phones` are the agents' telephones, by agent, `telephones` others besides.

    app_queue knows whole seconds: they are rounded up. A pause of 0 is one of 5 s to it.
    """
    return Teams(
        teams=tuple(
            Team(
                name=queue.name,
                # Who logs in is a member by that: where they stand is the roster's (asterisk.agents).
                members=tuple(
                    Member(agent=agent, phone=phones[agent]) for agent in (() if queue.log_in else queue.members)
                ),
                strategy=queue.strategy,
                ring_seconds=_whole(queue.ring_seconds, at_least=1),
                retry_seconds=_whole(queue.retry_seconds, at_least=1),
                # A client may say otherwise than its team, and app_queue knows teams only: callrouter-wrap-up pauses.
                wrap_up_seconds=0,
                max_callers=queue.max_callers,
                weight=queue.weight,
                levels={agent: level for agent, level in queue.levels.items() if level > 1},
                next_level_seconds=_number(queue.next_level_seconds, at_least=1),
            )
            for queue in queues.values()
        ),
        phones=tuple(sorted({*phones.values(), *telephones})),
        still_named=tuple(sorted(set(still_named) - queues.keys())),
    )


def teams_of_members(members: Mapping[str, Sequence[str]]) -> Teams:
    """Teams with the template's settings; each agent's telephone has the agent's name.

    Raises:
        TeamsError: a name cannot stand in Asterisk's files.
    """
    teams = {name: tuple(Member(agent=agent, phone=agent) for agent in agents) for name, agents in members.items()}
    return Teams(teams=tuple(Team(name=_name(name), members=found) for name, found in teams.items()))


def as_json(teams: Teams) -> dict[str, Any]:
    """The document, as it travels."""
    return {
        "teams": [team_as_json(team) for team in teams.teams],
        "phones": list(teams.phones),
        "still_named": list(teams.still_named),
    }


def team_as_json(team: Team) -> dict[str, Any]:
    """A team of the document."""
    return {
        "name": team.name,
        "strategy": team.strategy,
        "ring_seconds": team.ring_seconds,
        "retry_seconds": team.retry_seconds,
        "wrap_up_seconds": team.wrap_up_seconds,
        "max_callers": team.max_callers,
        "weight": team.weight,
        "levels": dict(team.levels),
        "next_level_seconds": team.next_level_seconds,
        "members": [{"agent": one.agent, "phone": one.phone} for one in team.members],
    }


def text_of(teams: Teams) -> str:
    """The document as one text, the same for the same teams."""
    return json.dumps(as_json(teams), ensure_ascii=False, separators=(",", ":"))


def teams_from(text: str, source: str) -> Teams:
    """Read a document; `source` is where it was, for the sentence.

    Raises:
        TeamsError: it is none, or names something that cannot stand in Asterisk's files.
    """
    try:
        found = json.loads(text)
        return Teams(
            teams=tuple(map(team_from, found["teams"])),
            phones=tuple(map(_name, found["phones"])),
            still_named=tuple(map(_name, found.get("still_named", ()))),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TeamsError(f"{source}: this is not what `callrouter teams` writes ({error!r})") from error


def team_from(found: Mapping[str, Any]) -> Team:
    """Read a team of a document; what is null is as in queues.conf's template.

    Raises:
        TeamsError: its name, its strategy, or a name of a member cannot stand in Asterisk's files.
    """
    strategy = found["strategy"]
    if strategy is not None and strategy not in STRATEGIES:
        raise TeamsError(f"queue {found['name']!r}: strategy {strategy!r} is not one of Asterisk's")
    return Team(
        name=_name(found["name"]),
        strategy=strategy,
        ring_seconds=_number(found["ring_seconds"], at_least=1),
        retry_seconds=_number(found["retry_seconds"], at_least=1),
        wrap_up_seconds=_number(found["wrap_up_seconds"], at_least=0),
        max_callers=_number(found["max_callers"], at_least=0),
        weight=int(found.get("weight", 0)),
        levels={_name(agent): int(level) for agent, level in found.get("levels", {}).items()},
        next_level_seconds=_number(found.get("next_level_seconds"), at_least=1),
        members=tuple(Member(agent=_name(one["agent"]), phone=_name(one["phone"])) for one in found["members"]),
    )


def _number(value: float | None, *, at_least: int) -> int | None:
    return None if value is None else _whole(value, at_least=at_least)


def _whole(value: float, *, at_least: int) -> int:
    return max(at_least, math.ceil(value))


def _name(name: str) -> str:
    """A name that can stand in Asterisk's files as it is, whoever wrote it."""
    if wrong := wrong_name(name):
        raise TeamsError(f"{name!r} cannot be the name of a queue, an agent or a telephone at the PBX: {wrong}")
    return name
