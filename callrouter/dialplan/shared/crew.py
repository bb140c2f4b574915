"""Who answers callers: the agents of `shared/agents.yaml` with their places in the teams of `shared/queues.yaml`."""

from __future__ import annotations

from callrouter.core.agents.standing import Agent, Crew, Member
from callrouter.dialplan.documents.people import AgentBlock
from callrouter.dialplan.shared.reading import Shared


def crew_of(shared: Shared) -> Crew | None:
    """Every agent, and every member of a team where no file says who they are.

    None while either file is wrong in any entry: whoever is left out would be logged out by a slip of the pen.
    """
    if shared.wrong_teams:
        return None
    agents = {name: _agent(shared, name, shared.agents.get(name) or AgentBlock()) for name in shared.phones}
    return Crew(
        agents=agents,
        pauses=shared.pauses,
        telephones=frozenset(shared.telephones),
        queues=frozenset(shared.queues),
    )


def _agent(shared: Shared, name: str, block: AgentBlock) -> Agent:
    places = (
        Member(
            queue=team.name,
            log_in=team.log_in,
            misses=team.misses,
            penalty=team.level(name) - 1,
            in_turn=team.strategy != "ringall",
            retry_seconds=team.retry_seconds,
        )
        for team in shared.queues.values()
        if name in team.members
    )
    return Agent(
        name=name,
        title=block.name or name,
        phone=shared.phones[name],
        number=block.number,
        language=block.language,
        places=tuple(places),
    )
