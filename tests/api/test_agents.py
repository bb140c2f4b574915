"""Agents over the API: through web to the engine, on whose behalf, within whose teams, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from callrouter.api.agents.wishes import Wish
from callrouter.api.engine_app import create_engine_app
from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.core.call import replace
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.store.access.tokens import TokenBook
from callrouter.store.agents.sessions import SessionLog
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome
from deploy.demo.plain_http import plain_client
from tests.api.agents_at_work import MONDAY, SomeAgents
from tests.api.serving import TOKEN, Noted, make_gate, serving
from tests.api.test_auth import token_for
from tests.api.test_web_app import web

OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
MEDICAL = Scope(ScopeKind.TEAMS, frozenset({"medical"}))


@dataclass
class Both:
    """Web in front of an engine."""

    web: str
    engine: str
    agents: SomeAgents
    noted: Noted

    async def ask(self, method: str, path: str, headers: dict[str, str], **params: str) -> httpx.Response:
        base = self.web if path.startswith("/api") else self.engine
        async with plain_client(base_url=base, headers=headers) as client:
            return await client.request(method, path, params=params)


@pytest.fixture
async def both(database: Database, tmp_path: Path) -> AsyncIterator[Both]:
    agents, noted = SomeAgents(), Noted()
    gate = make_gate(tokens=TokenBook(database), trail=noted)
    async with AsyncExitStack() as stack:
        app = create_engine_app([], CollectorRegistry(), {}, gate=gate, agents=agents)
        engine = await stack.enter_async_context(serving(app))
        base = await stack.enter_async_context(serving(web(database, engine, folder=tmp_path, gate=gate)))
        yield Both(web=base, engine=engine, agents=agents, noted=noted)


async def test_what_is_done_is_done_on_behalf_of_who_asked(both: Both, database: Database) -> None:
    """Through web, which holds the operator's token, and at the engine's own pages."""
    headers = await token_for(database, Permission.AGENT_LOGIN, Permission.AGENT_PAUSE, name="desk")
    for path, params in (
        ("/api/agents/agent-1/log-in", {"phone": "agent-2"}),
        ("/api/agents/agent-1/pause", {"reason": "lunch"}),
        ("/api/agents/agent-1/ready", {}),
        ("/agents/agent-1/log-out", {}),
    ):
        answer = await both.ask("POST", path, headers, **params)
        assert answer.status_code == 200, answer.text
        assert answer.json()["agent"] == "agent-1"

    assert both.agents.wishes == [
        (Wish.LOG_IN, "agent-1", "agent-2", "token:desk"),
        (Wish.PAUSE, "agent-1", "lunch", "token:desk"),
        (Wish.READY, "agent-1", "", "token:desk"),
        (Wish.LOG_OUT, "agent-1", "", "token:desk"),
    ]


async def test_only_the_operator_acts_for_somebody_else(both: Both, database: Database) -> None:
    """A token that says it acts for another one is refused."""
    headers = await token_for(database, Permission.AGENT_PAUSE, name="desk")

    refused = await both.ask("POST", "/agents/agent-1/pause", headers, by="token:other")
    done = await both.ask("POST", "/agents/agent-1/pause", OPERATOR, by="token:other")

    assert (refused.status_code, done.status_code) == (403, 200)
    assert both.agents.wishes == [(Wish.PAUSE, "agent-1", "", "token:other")]


@pytest.mark.parametrize("place", ["", "/api"])
async def test_a_team_sees_and_moves_its_own(both: Both, database: Database, place: str) -> None:
    """Another team's agent is as if there were none, and that somebody asked is in the trail."""
    headers = await token_for(database, *(p for p in Permission if p.startswith("agent.")), scope=MEDICAL, name="desk")

    seen = await both.ask("GET", f"{place}/agents", headers)
    theirs = await both.ask("POST", f"{place}/agents/agent-2/pause", headers)
    nobody = await both.ask("POST", f"{place}/agents/agent-9/pause", headers)

    assert [one["agent"] for one in seen.json()["agents"]] == ["agent-1"]
    assert (theirs.status_code, nobody.status_code) == (404, 404)
    assert theirs.json()["detail"].replace("agent-2", "agent-9") == nobody.json()["detail"]
    refused = [(one.object, one.principal) for one in both.noted.deeds if one.outcome is AuditOutcome.REFUSED]
    assert refused == [("agent-2", "token:desk"), ("agent-9", "token:desk")]


@pytest.mark.parametrize("place", ["", "/api"])
async def test_what_cannot_be_done_says_why(both: Both, place: str) -> None:
    """The engine's sentence, through web too."""
    both.agents.refuses = True

    answer = await both.ask("POST", f"{place}/agents/agent-1/log-out", OPERATOR)

    assert (answer.status_code, answer.json()["detail"]) == (409, "agent agent-1 is not logged in")


async def test_without_an_engine_nobody_knows(database: Database, tmp_path: Path) -> None:
    """502, and what to look at."""
    async with (
        serving(web(database, "http://127.0.0.1:9", folder=tmp_path, gate=make_gate())) as base,
        plain_client(base_url=base, headers=OPERATOR) as client,
    ):
        answers = [await client.get("/api/agents"), await client.post("/api/agents/agent-1/ready")]

    assert {answer.status_code for answer in answers} == {502}


async def test_sessions_are_read_from_the_record(both: Both, database: Database, tmp_path: Path) -> None:
    """The newest first; a team's token sees its own agents'."""
    book = SessionLog(database, tmp_path, pbx="pbx-1")
    for number, agent in enumerate(("agent-1", "agent-2", "agent-1")):
        began = MONDAY + timedelta(minutes=number)
        book.tell(Session(agent=agent, kind=SessionKind.LOGIN, phone=agent, started_at=began))
    await book.flush()
    headers = await token_for(database, Permission.AGENT_READ, scope=MEDICAL, name="desk")

    everybody = await both.ask("GET", "/api/agents/sessions", OPERATOR)
    one = await both.ask("GET", "/api/agents/sessions", OPERATOR, agent="agent-2", kind="login")
    theirs = await both.ask("GET", "/api/agents/sessions", headers, limit="1")

    assert [row["agent"] for row in everybody.json()["sessions"]] == ["agent-1", "agent-2", "agent-1"]
    assert [row["ended_at"] for row in one.json()["sessions"]] == [None]
    assert [row["started_at"] for row in theirs.json()["sessions"]] == ["2026-11-23T09:02:00Z"]
    assert theirs.json()["next_cursor"]


async def test_figures_are_read_from_the_record(both: Both, database: Database, tmp_path: Path) -> None:
    """By day and as a whole, in the zone that is named; a team's token sees its own agents'."""
    book = SessionLog(database, tmp_path, pbx="pbx-1")
    for agent in ("agent-1", "agent-2"):
        login = Session(agent=agent, kind=SessionKind.LOGIN, phone=agent, started_at=MONDAY)
        book.tell(replace(login, ended_at=MONDAY + timedelta(hours=20), ended_by="agent"))
    lunch = Session(agent="agent-1", kind=SessionKind.PAUSE, phone="agent-1", reason="lunch", started_at=MONDAY)
    book.tell(replace(lunch, ended_at=MONDAY + timedelta(hours=1), ended_by="agent"))
    await book.flush()
    headers = await token_for(database, Permission.AGENT_READ, scope=MEDICAL, name="desk")
    days = {"from": "2026-11-23", "to": "2026-11-25", "timezone": "Europe/Paris"}

    everybody = await both.ask("GET", "/api/agents/figures", OPERATOR, **days)
    theirs = await both.ask("GET", "/api/agents/figures", headers, step="day", by="client", **days)
    others = await both.ask("GET", "/api/agents/figures", headers, agent="agent-2", **days)
    backwards = await both.ask("GET", "/api/agents/figures", OPERATOR, **{**days, "to": "2026-11-22"})
    nowhere = await both.ask("GET", "/api/agents/figures", OPERATOR, timezone="Europe/Atlantis")

    assert [one["agent"] for one in everybody.json()["totals"]] == ["agent-1", "agent-2"]
    assert [(one["from_at"], one["available_seconds"] / 3600) for one in theirs.json()["agents"]] == [
        ("2026-11-22T23:00:00Z", 13),
        ("2026-11-23T23:00:00Z", 6),
    ]
    total = theirs.json()["totals"][0]
    assert (total["paused_seconds"], total["occupancy"], total["work"]["aht_seconds"]) == ({"lunch": 3600}, 0, None)
    assert others.json()["agents"] == []
    assert (backwards.status_code, nowhere.status_code) == (422, 422)
    assert "Europe/Atlantis" in nowhere.json()["detail"]
