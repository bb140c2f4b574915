"""Agents for tests of the API, who stand where a test puts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from callrouter.api.agents.schemas import AgentOut, AgentsOut
from callrouter.api.agents.wishes import Behalf, Wish
from callrouter.core.agents.standing import Agent, AgentState, Member, Refused, Standing
from callrouter.errors import AgentRefused

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class SomeAgents:
    """As `api.agents.Agents`: one of a team `medical`, one of `legal`."""

    wishes: list[tuple[Wish, str, str, str]] = field(default_factory=list)
    refuses: bool = False

    async def who(self) -> AgentsOut:
        """Both."""
        return AgentsOut(agents=[self._out("agent-1", "medical"), self._out("agent-2", "legal")])

    async def do(self, wish: Wish, agent: str, detail: str, behalf: Behalf) -> AgentOut:
        """Take note of it."""
        if self.refuses:
            raise AgentRefused(f"agent {agent} is not logged in", Refused.NOT_LOGGED_IN)
        self.wishes.append((wish, agent, detail, behalf.principal))
        return self._out(agent, "medical")

    def _out(self, name: str, team: str) -> AgentOut:
        agent = Agent(name=name, title=name, phone=name, places=(Member(queue=team, log_in=True),))
        return AgentOut.of(agent, Standing(state=AgentState.READY, since_at=MONDAY, phone=name), None)
