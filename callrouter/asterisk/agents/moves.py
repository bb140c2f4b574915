"""What a change of an agent's standing changes at Asterisk."""

from __future__ import annotations

from callrouter.asterisk.agents.members import Change
from callrouter.core.agents.standing import Agent, AgentState, Standing


def phones_of(agent: Agent, standing: Standing) -> list[str]:
    """Where somebody is rung: where they are logged in, and at their own telephone for teams without log-ins."""
    own = [agent.phone] if any(not place.log_in for place in agent.places) else []
    return list(dict.fromkeys([*([standing.phone] if standing.phone else []), *own]))


def move(change: Change, agent: Agent, before: Standing, now: Standing) -> None:
    """Away from one telephone, to another."""
    places = [place for place in agent.places if place.log_in]
    for place in places if before.phone else ():
        for queue in place.queues:
            change.remove(queue, before.phone)
    paused = now.state in (AgentState.PAUSED, AgentState.WRAP_UP)
    for place in places if now.phone else ():
        for queue, penalty in place.queues.items():
            change.add(queue, now.phone, agent.name, penalty=penalty, paused=paused)


def set_pause(change: Change, agent: Agent, before: Standing, now: Standing) -> None:
    """As they stand now."""
    is_paused = now.state in (AgentState.PAUSED, AgentState.WRAP_UP)
    was_paused = before.state in (AgentState.PAUSED, AgentState.WRAP_UP)
    for phone in phones_of(agent, now):
        if is_paused:
            change.pause(phone, now.reason)
        elif was_paused:
            change.resume(phone)
