"""What the events add up to: the calls there are, how agents stand, and whether the engine hears Asterisk."""

from __future__ import annotations

from datetime import datetime

from callrouter.stream.events import (
    AgentCard,
    AgentChanged,
    CallCard,
    CallEnded,
    CallEvent,
    Event,
    ObservationLost,
    ObservationResumed,
    Snapshot,
)
from callrouter.stream.views import View


class Picture:
    """Begins with a snapshot, and follows the events after it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._calls: dict[str, CallCard] = {card.call_id: card for card in snapshot.calls}
        self._agents: dict[str, AgentCard] = {card.agent: card for card in snapshot.agents}
        self._observing = snapshot.observing

    def take(self, event: Event) -> None:
        """What an event changes."""
        match event:
            case CallEnded(call=call):
                self._calls.pop(call.call_id, None)
            case CallEvent(call=call):
                self._calls[call.call_id] = call
            case AgentChanged(agent=agent) if agent.queues:
                self._agents[agent.agent] = agent
            case AgentChanged(agent=agent):
                self._agents.pop(agent.agent, None)
            case ObservationLost():
                self._observing = False
            case ObservationResumed():
                self._observing = True

    def snapshot(self, view: View, at: datetime) -> Snapshot:
        """What a view shows of it."""
        return Snapshot(
            at=at,
            observing=self._observing,
            calls=view.calls(self._calls.values()),
            agents=view.agents(self._agents.values()),
        )
