"""Who is rung for a callback, or has taken one: Asterisk writes down who it was when they are done with it, no earlier.

So it is heard of the queue: AgentCalled, AgentConnect and AgentRingNoAnswer name the half that waits. What an engine
before heard is not known here.
"""

from __future__ import annotations

from collections.abc import Collection

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.placed_calls import NEAR, Link
from callrouter.asterisk.rings import agent_of


class CallbackAgents:
    """Make it before the link runs."""

    def __init__(self, link: Link) -> None:
        self._rung: dict[str, set[str]] = {}
        """By callback."""
        self._talking: dict[str, str] = {}
        link.tells(
            events={
                "AgentCalled": self._on_called,
                "AgentConnect": self._on_connect,
                "AgentRingNoAnswer": self._on_unanswered,
            }
        )

    def at_work(self, under_way: Collection[str]) -> tuple[set[str], set[str]]:
        """Agents who are rung, and who have taken one, for these callbacks; of others nothing is kept from now on."""
        self._rung = {key: agents for key, agents in self._rung.items() if key in under_way}
        self._talking = {key: agent for key, agent in self._talking.items() if key in under_way}
        return {agent for agents in self._rung.values() for agent in agents}, set(self._talking.values())

    def _on_called(self, message: AmiMessage) -> None:
        if key := _callback(message):
            self._rung.setdefault(key, set()).add(agent_of(message))

    def _on_unanswered(self, message: AmiMessage) -> None:
        if key := _callback(message):
            self._rung.get(key, set()).discard(agent_of(message))

    def _on_connect(self, message: AmiMessage) -> None:
        if key := _callback(message):
            self._rung.pop(key, None)
            self._talking[key] = agent_of(message)


def _callback(message: AmiMessage) -> str:
    """The id of the callback that waits on the channel; empty: none does."""
    channel = message["Uniqueid"]
    return channel.removesuffix(NEAR) if channel.endswith(NEAR) else ""
