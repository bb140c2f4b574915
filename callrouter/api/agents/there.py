"""What is wanted for agents, passed on to the engine, which carries it out on behalf of whoever asked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from callrouter.api.agents.schemas import AgentOut, AgentsOut
from callrouter.api.agents.wishes import Behalf, Wish
from callrouter.api.engine_client import EngineClient, EngineRefused
from callrouter.core.agents.standing import Refused
from callrouter.errors import AgentRefused

_REFUSED: Final[Mapping[int, Refused]] = {
    HTTPStatus.NOT_FOUND: Refused.UNKNOWN,
    HTTPStatus.CONFLICT: Refused.NOT_LOGGED_IN,
    HTTPStatus.SERVICE_UNAVAILABLE: Refused.AWAY,
}
"""How the engine says that something cannot be done for an agent."""
_DETAIL: Final = {Wish.LOG_IN: "phone", Wish.PAUSE: "reason"}


@dataclass(frozen=True)
class AgentsThere:
    """As `routes.Agents`."""

    engine: EngineClient

    async def who(self) -> AgentsOut:
        """Where its agents stand.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self.engine.ask(AgentsOut, "GET", "/agents")

    async def do(self, wish: Wish, agent: str, detail: str, behalf: Behalf) -> AgentOut:
        """Have it do something for an agent; `detail` is a telephone or a reason.

        Raises:
            AgentRefused: it cannot be done where they stand.
            EngineAway: with the reason, and what to look at.
        """
        teams = ",".join(sorted(behalf.teams or ()))
        asked = {"by": behalf.principal, "address": behalf.address, "teams": teams, _DETAIL.get(wish, ""): detail}
        said = {name: value for name, value in asked.items() if value}
        path = f"/agents/{quote(agent, safe='')}/{wish}?{urlencode(said)}"
        try:
            return await self.engine.ask(AgentOut, "POST", path, may_refuse=_REFUSED)
        except EngineRefused as error:
            raise AgentRefused(str(error), _REFUSED[error.status]) from error
