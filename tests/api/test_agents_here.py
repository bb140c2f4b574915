"""What is done for agents in the engine's process: within whose say, and what the trail has of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from callrouter.api.agents.here import AgentsHere
from callrouter.api.engine_app import create_engine_app
from callrouter.core.agents.standing import Agent, AgentState, Crew, Member
from callrouter.permissions import Permission
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import TokenBook
from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client
from tests.api.serving import make_gate, serving
from tests.api.test_agents import MEDICAL, OPERATOR
from tests.api.test_auth import token_for
from tests.api.test_web_app import web
from tests.asterisk.agents.test_roster import Room


def of(name: str, team: str) -> Agent:
    return Agent(name=name, title=name, phone=name, places=(Member(queue=team, log_in=True),))


@pytest.fixture
def room() -> Room:
    """One of the team `medical`, and one of `legal`, who is logged in."""
    room = Room(Crew(agents={one.name: one for one in (of("agent-1", "medical"), of("agent-2", "legal"))}))
    room.roster.log_in("agent-2", "agent-2")
    return room


@pytest.fixture
async def bases(room: Room, database: Database, tmp_path: Path) -> AsyncIterator[tuple[dict[str, str], list[Deed]]]:
    """Where the engine's own pages are, and web's; and the trail."""
    deeds: list[Deed] = []
    gate = make_gate(tokens=TokenBook(database))
    app = create_engine_app(
        [], CollectorRegistry(), {}, gate=gate, agents=AgentsHere(roster=room.roster, note=deeds.append)
    )
    async with (
        serving(app) as engine,
        serving(web(database, engine, folder=tmp_path, gate=gate)) as base,
    ):
        yield {"": engine, "/api": base}, deeds


@pytest.mark.parametrize("place", ["", "/api"])
async def test_a_team_logs_nobody_of_another_one_out(
    bases: tuple[dict[str, str], list[Deed]], room: Room, database: Database, place: str
) -> None:
    """By logging its own agent in at their telephone; the operator may. The trail names the telephone."""
    servers, deeds = bases
    team = await token_for(database, Permission.AGENT_LOGIN, scope=MEDICAL, name="desk")
    path = f"{place}/agents/agent-1/log-in"
    async with plain_client(base_url=servers[place]) as client:
        refused = await client.post(path, params={"phone": "agent-2"}, headers=team)
        still = room.state("agent-2")
        own = await client.post(path, headers=team)
        done = await client.post(path, params={"phone": "agent-2"}, headers=OPERATOR)

    assert (refused.status_code, own.status_code, done.status_code) == (409, 200, 200)
    assert refused.json()["detail"] == "somebody of another team is logged in at telephone agent-2"
    assert still is AgentState.READY
    assert room.state("agent-2") is AgentState.LOGGED_OUT
    assert [(one.object, one.outcome) for one in deeds] == [
        ("agent-1 log-in at agent-2", "refused"),
        ("agent-1 log-in at agent-1", "done"),
        ("agent-1 log-in at agent-2", "done"),
    ]
