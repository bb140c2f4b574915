"""What may be done for an agent, and on whose behalf."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callrouter.core.agents.standing import Agent
from callrouter.permissions import By, Permission


class Wish(StrEnum):
    """What is to be done for an agent."""

    LOG_IN = "log-in"
    LOG_OUT = "log-out"
    PAUSE = "pause"
    READY = "ready"

    @property
    def permission(self) -> Permission:
        """What it takes."""
        return Permission.AGENT_LOGIN if self in (Wish.LOG_IN, Wish.LOG_OUT) else Permission.AGENT_PAUSE


@dataclass(frozen=True, kw_only=True)
class Behalf(By):
    """Who wants it done, and from where."""

    teams: frozenset[str] | None = None
    """Whose agents they have a say over; None: everybody."""

    def may_move(self, agent: Agent) -> bool:
        """Whether they have a say over somebody."""
        return self.teams is None or any(place.queue in self.teams for place in agent.places)
