"""Who sees what of the stream: a principal's scope, and what of it they ask for."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from callrouter.permissions import EVERYTHING, Scope, ScopeKind
from callrouter.stream.events import AgentCard, AgentChanged, CallCard, CallEvent, CallTransferred, Event


class View(Struct, frozen=True, kw_only=True):
    """A part of the stream. What is named is what is seen, and never more than the scope holds.

    One of an agent shows calls that ring at the agent's telephone, or whose caller they talk to or did last, and how
    the agent stands; one of a team, calls that are or were in its queue, and its agents. Without either it is a
    supervisor's.
    """

    scope: Scope = EVERYTHING
    agent: str | None = None
    team: str | None = None
    client: str | None = None

    def shows(self, event: Event) -> bool:
        """Whether an event is for it. That the engine does not hear Asterisk is for everybody."""
        if isinstance(event, CallEvent):
            also = event.by if isinstance(event, CallTransferred) else getattr(event, "agent", None)
            return self.shows_call(event.call, also=also)
        if isinstance(event, AgentChanged):
            return self.shows_agent(event.agent)
        return True

    def shows_call(self, call: CallCard, also: str | None = None) -> bool:
        """Whether a call is; `also` is an agent of whom an event speaks besides."""
        if not self.scope.holds(call.client, call.queues):
            return False
        if self.client is not None and self.client != call.client:
            return False
        if self.team is not None and self.team not in call.queues:
            return False
        return self.agent is None or self.agent in (call.agent, also) or self.agent in call.offered_to

    def shows_agent(self, card: AgentCard) -> bool:
        """Whether an agent is: they work for teams, and are no client's."""
        if self.client is not None or self.scope.kind is ScopeKind.CLIENTS:
            return False
        if self.scope.kind is ScopeKind.TEAMS and self.scope.names.isdisjoint(card.queues):
            return False
        if self.team is not None and self.team not in card.queues:
            return False
        return self.agent is None or self.agent == card.agent

    def calls(self, cards: Iterable[CallCard]) -> list[CallCard]:
        """Those of the calls that it shows."""
        return [card for card in cards if self.shows_call(card)]

    def agents(self, cards: Iterable[AgentCard]) -> list[AgentCard]:
        """Those of the agents that it shows."""
        return [card for card in cards if self.shows_agent(card)]
