"""Agents over the API, on the whole of callrouter: what is asked of web is done at the PBX, and stands in the
record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from callrouter.asterisk.agents.comparison import CREW_SECONDS

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

AGENT = "agent-6"
SOON_SECONDS = 5.0


def test_an_agent_is_paused_and_back(town: Town) -> None:
    """At the PBX at once; the session is a row, and who did it is in the audit trail."""
    town.until(lambda: stand(town), lambda one: one["state"] == "ready", seconds=SOON_SECONDS + CREW_SECONDS)
    paused = post(town, f"/api/agents/{AGENT}/pause")
    at_pbx = town.until(lambda: shown(town), lambda line: "paused" in line, seconds=SOON_SECONDS)
    again = post(town, f"/api/agents/{AGENT}/pause")
    ready = post(town, f"/api/agents/{AGENT}/ready")
    back = town.until(lambda: shown(town), lambda line: "paused" not in line, seconds=SOON_SECONDS)
    unknown = post(town, "/api/agents/nobody/ready")
    sessions = town.until(
        lambda: town.get("/api/agents/sessions", agent=AGENT, kind="pause")["sessions"],
        lambda rows: bool(rows) and rows[0]["ended_at"] is not None,
        seconds=SOON_SECONDS,
    )
    deeds = town.until(
        lambda: town.get("/api/audit", action="agent.pause")["deeds"],
        lambda rows: any(row["object"] == f"{AGENT} ready" for row in rows),
        seconds=SOON_SECONDS,
    )

    assert (paused.status_code, again.json()["since"]) == (200, paused.json()["since"])
    assert "paused" in at_pbx
    assert (ready.json()["state"], "paused" in back, unknown.status_code) == ("ready", False, 404)
    assert len(sessions) == 1
    assert sessions[0]["ended_by"] == "operator"
    assert {(deed["principal"], deed["object"], deed["outcome"]) for deed in deeds} >= {
        ("operator", f"{AGENT} pause", "done"),
        ("operator", f"{AGENT} ready", "done"),
    }


def stand(town: Town) -> dict[str, Any]:
    """Where the agent stands, by the API."""
    found: list[dict[str, Any]] = town.get("/api/agents")["agents"]
    return next(one for one in found if one["agent"] == AGENT)


def shown(town: Town) -> str:
    """The agent's line of `queue show`."""
    lines = town.stack.pbx.cli("queue show shop").splitlines()
    return next(line for line in lines if AGENT in line)


def post(town: Town, path: str) -> httpx.Response:
    """As the operator."""
    engine = town.stack.engine
    return httpx.post(engine.web_url + path, headers={"Authorization": f"Bearer {engine.token}"}, timeout=5)
