"""What is wanted for agents, carried out by the roster of this process; each deed, and each refusal, is in the
trail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from callrouter.api.agents.schemas import AgentOut, AgentsOut
from callrouter.api.agents.wishes import Behalf, Wish
from callrouter.asterisk.agents.roster import Roster
from callrouter.core.agents.standing import Refused, Standing
from callrouter.errors import AgentRefused
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
        outcome, phone = AuditOutcome.REFUSED, ""
        try:
            if wish is Wish.LOG_IN:
                phone = detail or self.roster.agent(agent).phone
                self._may_take(phone, agent, behalf)
            standing = self._do(wish, agent, phone or detail, behalf.principal)
            outcome = AuditOutcome.DONE
        finally:
            self.note(
                Deed(
                    principal=behalf.principal,
                    action=wish.permission,
                    object=f"{agent} {wish} at {phone}" if phone else f"{agent} {wish}",
                    outcome=outcome,
                    address=behalf.address,
                )
            )
        return self._out(agent, standing)

    def _may_take(self, phone: str, agent: str, behalf: Behalf) -> None:
        """Whoever is logged in at a telephone leaves it: a matter of their team's.

        Raises:
            AgentRefused: they are of another one.
        """
        other = self.roster.at(phone)
        if other is not None and other.name != agent and not behalf.may_move(other):
            raise AgentRefused(f"somebody of another team is logged in at telephone {phone}", Refused.OTHERS)

    def _do(self, wish: Wish, agent: str, detail: str, by: str) -> Standing:
        match wish:
            case Wish.LOG_IN:
                return self.roster.log_in(agent, detail)
            case Wish.LOG_OUT:
                return self.roster.log_out(agent, by)
            case Wish.PAUSE:
                return self.roster.pause(agent, self.roster.known_reason(detail), by)
            case Wish.READY:
                return self.roster.ready(agent, by)

    def _out(self, name: str, standing: Standing) -> AgentOut:
        return AgentOut.of(self.roster.agent(name), standing, self.roster.gone_since.get(standing.phone))
