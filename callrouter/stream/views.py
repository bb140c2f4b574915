"""Who sees what of the stream: a principal's scope, and what of it they ask for."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from callrouter.permissions import EVERYTHING, Scope, ScopeKind
from callrouter.stream.events import (
    AgentCard,
    AgentChanged,
    CallCard,
    CallEvent,
    CallSupervised,
    CallTransferred,
    Event,
    RecordEvent,
    agent_state,
)


class View(Struct, frozen=True, kw_only=True):
    """A part of the stream. What is named is what is seen, and never more than the scope holds.

    One of an agent shows calls that ring at the agent's telephone, or whose caller they talk to or did last, and how
    the agent stands; one of a team, calls that are or were in its queue, and its agents as far as they are that team's.
    Without either it is a supervisor's.
    """

    scope: Scope = EVERYTHING
    agent: str | None = None
    team: str | None = None
    client: str | None = None

    def of(self, event: Event) -> Event | None:
        """What it shows of an event, the event itself if that is all of it. That the engine does not hear Asterisk is
        for everybody."""
        if isinstance(event, CallSupervised) and self.agent is not None:
            return None  # whoever listens is no agent's business
        if isinstance(event, CallEvent):
            also = event.by if isinstance(event, CallTransferred) else getattr(event, "agent", None)
            return event if self.shows_call(event.call, also=also) else None
        if isinstance(event, AgentChanged):
            return self._of_change(event)
        if isinstance(event, RecordEvent):
            return event if self._shows_client(event.client) else None
        return event

    def shows_call(self, call: CallCard, also: str | None = None) -> bool:
        """Whether a call is; `also` is an agent of whom an event speaks besides."""
        if not self.scope.holds(call.client, call.queues):
            return False
        if self.client is not None and self.client != call.client:
            return False
        if self.team is not None and self.team not in call.queues:
            return False
        return self.agent is None or self.agent in (call.agent, also) or self.agent in call.offered_to

    def _shows_client(self, client: str) -> bool:
        """Whether what is of a client and of no call in progress is: it is no team's, and no agent's."""
        return (
            self.scope.holds(client, ()) and self.client in (None, client) and self.team is None and self.agent is None
        )

    @property
    def teams(self) -> frozenset[str] | None:
        """Whose part of an agent it shows; None: all of them."""
        scope = self.scope.names if self.scope.kind is ScopeKind.TEAMS else None
        asked = frozenset((self.team,)) if self.team is not None else None
        return scope & asked if scope is not None and asked is not None else asked if scope is None else scope

    def of_agent(self, card: AgentCard) -> AgentCard | None:
        """How an agent stands for its teams; None: it shows nothing of them."""
        part = self._part(card)
        return part if part is not None and part.queues else None

    def calls(self, cards: Iterable[CallCard]) -> list[CallCard]:
        """Those of the calls that it shows."""
        return [card for card in cards if self.shows_call(card)]

    def agents(self, cards: Iterable[AgentCard]) -> list[AgentCard]:
        """What it shows of the agents."""
        return [part for card in cards if (part := self.of_agent(card)) is not None]

    def _of_change(self, event: AgentChanged) -> AgentChanged | None:
        """Who leaves a team is shown to it without that queue; who has nothing to do with it, not at all."""
        card, left, teams = self._part(event.agent), event.left, self.teams
        if card is None:
            return None
        if teams is not None:
            left = [queue for queue in left if queue in teams]
            if not card.queues and not left:
                return None
        return event if card is event.agent and left == event.left else replace(event, agent=card, left=left)

    def _part(self, card: AgentCard) -> AgentCard | None:
        """An agent's places in its teams, be they none; None: it shows no agents, or another one."""
        # They work for teams, and are no client's.
        if self.client is not None or self.scope.kind is ScopeKind.CLIENTS or self.agent not in (None, card.agent):
            return None
        teams = self.teams
        if teams is None or teams.issuperset(card.queues):
            return card
        queues = [queue for queue in card.queues if queue in teams]
        paused_in = [queue for queue in card.paused_in if queue in teams]
        reason = card.reason if paused_in else ""
        state = agent_state(queues, paused_in, reason)
        return replace(card, state=state, queues=queues, paused_in=paused_in, reason=reason)
