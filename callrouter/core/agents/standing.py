"""Agents at work: who they are, what they may be doing, and how long they are left alone after a call. Plain data.

An agent is logged in at one telephone, or logged out. Logged in, they take calls unless they are paused, which they
asked for with a reason, or in wrap-up, which follows a conversation. Members of teams none of which asks for log-ins
are always logged in, at their own telephone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from callrouter.core.agents.preference import Preference, levels_with, team_of

WRAP_UP: Final = "wrap_up"
"""Why Asterisk's dialplan has paused an agent at the end of a conversation."""
MISSED: Final = "missed"
"""Why an agent is paused for a few seconds: they let a call ring, or refused it, and another is to have it."""
TOO_MANY_MISSED: Final = "too many missed calls"
"""Why an agent is paused until they say that they are there."""
LOGGED_OUT: Final = "logged_out"
"""Why Asterisk's dialplan has paused an agent who logged out while no engine was there."""
OWN_REASONS: Final = frozenset({WRAP_UP, MISSED, TOO_MANY_MISSED, LOGGED_OUT})
"""No operator's reason for a pause may be called like one of these."""


class WrapUp(Struct, frozen=True, kw_only=True):
    """How long agents of a client are left alone after a conversation, by how it ended."""

    answered_seconds: float = 0.0
    transferred_seconds: float = 0.0
    """After the agent has given the caller to somebody else."""


class AgentState(StrEnum):
    """What an agent is doing."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    """Calls may be offered; they may be talking."""
    PAUSED = "paused"
    WRAP_UP = "wrap_up"


class Member(Struct, frozen=True, kw_only=True):
    """An agent's place in a team."""

    queue: str
    log_in: bool
    """Whether they are rung there only while they are logged in."""
    misses: int = 0
    """After how many missed offers in a row they are paused; 0: never."""
    penalty: int = 0
    """Asterisk's: who has less is offered first."""
    in_turn: bool = True
    """Whether one after the other is rung, and not all at once."""
    retry_seconds: float = 1.0
    """Before the next one is rung."""
    penalties: Mapping[str, int] = field(default_factory=dict)
    """By queue of the PBX in which they are rung for the team, where there are more than the team's own."""

    @property
    def queues(self) -> Mapping[str, int]:
        """Queues of the PBX in which they are rung for the team, and Asterisk's penalty in each."""
        return self.penalties or {self.queue: self.penalty}


class Agent(Struct, frozen=True, kw_only=True):
    """Somebody who answers callers, as the files beside the clients say."""

    name: str
    title: str
    phone: str
    """Their own telephone at the PBX."""
    number: str | None = None
    """What they key in to log in at any telephone."""
    language: str | None = None
    places: tuple[Member, ...] = ()

    @property
    def logs_in(self) -> bool:
        """Whether any of their teams asks them to."""
        return any(place.log_in for place in self.places)

    @property
    def always_in(self) -> bool:
        """Whether none of their teams asks them to, and there is one."""
        return bool(self.places) and not self.logs_in


class Crew(Struct, frozen=True, kw_only=True):
    """All agents, and why they may pause."""

    agents: Mapping[str, Agent] = field(default_factory=dict)
    pauses: tuple[str, ...] = ()
    telephones: frozenset[str] = frozenset()
    """Nobody's own, for whoever sits down there."""
    queues: frozenset[str] = frozenset()
    """Queues of the PBX, all teams' and those derived from them; those in which nobody is rung too."""

    @property
    def teams(self) -> frozenset[str]:
        """All teams, those of which somebody is and no more is known too."""
        return frozenset(map(team_of, self.pbx_queues))

    @property
    def pbx_queues(self) -> frozenset[str]:
        """All queues of the PBX, those in which somebody is rung and of which no more is known too."""
        rung_in = (queue for agent in self.agents.values() for place in agent.places for queue in place.queues)
        return self.queues.union(rung_in)

    def with_derived(self, derived: Iterable[Preference]) -> Crew:
        """The same crew, rung in these queues too that are derived from their teams'."""
        levels: dict[str, dict[str, int]] = {}
        for agent in self.agents.values():
            for place in agent.places:
                levels.setdefault(place.queue, {})[agent.name] = place.penalty + 1
        wanted = [one for one in derived if one.team in self.queues]
        penalties: dict[tuple[str, str], dict[str, int]] = {}
        for one in wanted:
            for name, level in levels_with(one, levels.get(one.team, {})).items():
                penalties.setdefault((one.team, name), {})[one.queue] = level - 1
        agents = {name: _rung_too(agent, penalties) for name, agent in self.agents.items()}
        return replace(self, agents=agents, queues=self.queues.union(one.queue for one in wanted))

    def has_telephone(self, phone: str) -> bool:
        """Whether somebody may log in there."""
        return phone in self.telephones or self.owner(phone) is not None

    def is_taken(self, phone: str) -> bool:
        """Whether it rings for somebody who is always logged in there, so that nobody else can be."""
        return any(agent.always_in and agent.phone == phone for agent in self.agents.values())

    def numbered(self, number: str) -> Agent | None:
        """Whose number it is."""
        return next((agent for agent in self.agents.values() if agent.number == number), None)

    def owner(self, phone: str) -> Agent | None:
        """Whose own telephone it is."""
        return next((agent for agent in self.agents.values() if agent.phone == phone), None)


def _rung_too(agent: Agent, penalties: Mapping[tuple[str, str], Mapping[str, int]]) -> Agent:
    places = [
        replace(place, penalties={**place.queues, **more})
        if (more := penalties.get((place.queue, agent.name)))
        else place
        for place in agent.places
    ]
    return replace(agent, places=tuple(places))


class Refused(StrEnum):
    """Why an agent cannot do what they ask for."""

    UNKNOWN = "unknown"
    """There is no such agent, or telephone."""
    NOT_LOGGED_IN = "not_logged_in"
    ALWAYS_IN = "always_in"
    """None of their teams asks for log-ins, or the telephone is that of somebody who never logs out."""
    OTHERS = "others"
    """Somebody would have to leave whom whoever asks has no say over."""
    NO_REASON = "no_reason"
    AWAY = "away"
    """Asterisk, or what the answer rests on, is not there."""


class PinCheck(StrEnum):
    """What came of a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    """Too many wrong ones: for a while the right one is none either."""
    UNSET = "unset"
    """They have none."""
    AWAY = "away"
    """Nobody can say: PostgreSQL is away."""


class Standing(Struct, frozen=True, kw_only=True):
    """What an agent is doing, where, since when and why."""

    state: AgentState
    since_at: datetime
    phone: str = ""
    """Where they are logged in; empty: nowhere."""
    logged_in_at: datetime | None = None
    reason: str = ""
    """Of a pause: one of the operator's, or of `OWN_REASONS`."""
    until_at: datetime | None = None
    """When a wrap-up or a short pause ends by itself."""
    call_id: str = ""
    """Which conversation a wrap-up follows: a call's id, after a callback the outgoing call's."""

    def moved(self, by: timedelta) -> Standing:
        """The same, dated by a clock that was set."""
        return replace(
            self,
            since_at=self.since_at + by,
            logged_in_at=self.logged_in_at and self.logged_in_at + by,
            until_at=self.until_at and self.until_at + by,
        )
