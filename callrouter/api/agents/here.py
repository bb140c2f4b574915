"""What is wanted for agents, carried out by the roster of this process; each deed, and each refusal, is in the
trail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from callrouter.api.agents.schemas import AgentOut, AgentsOut
from callrouter.api.agents.wishes import Behalf, Wish
from callrouter.asterisk.agents.roster import Roster
from callrouter.core.agents.standing import Standing
from callrouter.store.access.audit import Deed
from callrouter.store.tables import AuditOutcome


@dataclass(frozen=True, kw_only=True)
class AgentsHere:
    """As `routes.Agents`; `note` takes deeds for the audit trail."""

    roster: Roster
    note: Callable[[Deed], None]

    async def who(self) -> AgentsOut:
        """Where everybody stands."""
        agents = sorted(self.roster.crew.agents.values(), key=lambda agent: agent.name)
        return AgentsOut(agents=[self._out(agent.name, self.roster.standing(agent)) for agent in agents])

    async def do(self, wish: Wish, agent: str, detail: str, behalf: Behalf) -> AgentOut:
        """Do what somebody wants done for an agent; it is in the audit trail, and so is that it was refused.

        Raises:
            AgentRefused: it cannot be done where they stand.
        """
        outcome = AuditOutcome.REFUSED
        try:
            standing = self._do(wish, agent, detail, behalf.by)
            outcome = AuditOutcome.DONE
        finally:
            self.note(
                Deed(
                    principal=behalf.by,
                    action=wish.permission,
                    object=f"{agent} {wish}",
                    outcome=outcome,
                    address=behalf.address,
                )
            )
        return self._out(agent, standing)

    def _do(self, wish: Wish, agent: str, detail: str, by: str) -> Standing:
        match wish:
            case Wish.LOG_IN:
                return self.roster.log_in(agent, detail or self.roster.agent(agent).phone)
            case Wish.LOG_OUT:
                return self.roster.log_out(agent, by)
            case Wish.PAUSE:
                return self.roster.pause(agent, self.roster.known_reason(detail), by)
            case Wish.READY:
                return self.roster.ready(agent, by)

    def _out(self, name: str, standing: Standing) -> AgentOut:
        return AgentOut.of(self.roster.agent(name), standing, self.roster.gone_since.get(standing.phone))
