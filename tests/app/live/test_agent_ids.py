"""An agent's identifier that was once somebody else's is said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from callrouter.app.live.agent_ids import FILE, AgentIds, reused_ids
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, remember_live

BEFORE = "agents:\n  anne: { name: Anne Martin }\n  desk-7: { name: Gina Roux }\n  bare: {}\n"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (BEFORE, {}),
        ("agents: { anne: { name: Anne Petit } }", {"anne": "agent anne is Anne Petit now, and was Anne Martin"}),
        ("agents: { anne: { name: Anne Petit, formerly: Anne Martin } }", {}),
        ("agents: { anne: { name: Anne Petit, formerly: [Anne M, Anne Martin] } }", {}),
        ("agents: { desk-7: { name: Hugo Noir } }", {"desk-7": "agent desk-7 is Hugo Noir now, and was Gina Roux"}),
        ("agents: { bare: { name: Zoé Blanc }, new: { name: Gina Roux } }", {}),
        ("agents: { anne: {} }", {}),
        ("agents: 7", {}),
        ("", {}),
    ],
)
def test_whose_it_was(document: str, found: dict[str, str]) -> None:
    """By name; who has none, or is new, or is the same person under another name, is nobody else."""
    assert reused_ids(document.encode(), [BEFORE, "agents: 3", "- no"]) == found


async def test_the_record_knows_who_was_live(database: Database) -> None:
    """In any version of the folder, long ago too; it is told once, and over when it is mended."""
    plan = StoredPlan(
        client="a",
        version="000000000001",
        document="client: a",
        first_live_at=datetime(2026, 1, 1, tzinfo=UTC),
        source="a.yaml",
        documents={"a.yaml": "client: a", FILE: BEFORE},
    )
    await remember_live(database, [plan], [])
    says = b"agents: { anne: { name: Paul Durand } }"
    ids = AgentIds(database, lambda: says, due=asyncio.Event())
    with capture_logs() as logs:
        await ids.look()
        await ids.look()
    told, details = ids.trouble or "", ids.details or ""
    says = b"agents: { anne: { name: Anne Martin } }"
    await ids.look()

    assert len(logs) == 1
    assert "1 identifier of agents" in told
    assert "Durand" not in told
    assert "agent anne is Paul Durand now, and was Anne Martin" in details
    assert ids.trouble is None
