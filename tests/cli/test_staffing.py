"""`callrouter staffing`, run as a command, on the record."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from callrouter.store.database import Database
from tests.store.agents.test_figures import at, call, leg, put, visit

from .test_main import run

NINE = 9 * 60


async def test_a_line_of_one_day(database: Database, database_url: str, tmp_path: Path) -> None:
    """A table for a person, all of it for machines, and what is wrong with a question."""
    numbers = range(20)
    rows = {
        "calls": [{**call(f"c{one:02}", "cabinet-moreau"), "ringing_at": at(NINE + one)} for one in numbers],
        "queue_visits": [visit(f"c{one:02}", "medical", "anne", NINE + one) for one in numbers],
        "legs": [leg(f"c{one:02}", "anne", NINE + one, NINE + one + 2, talk_seconds=120.0) for one in numbers],
    }
    await put(database, rows)
    env = {"CALLROUTER_DATABASE_URL": database_url}
    day = ("--queue", "medical", "--day", "2026-10-24", "--timezone", "Europe/Paris", "--times", "4")

    shown, as_json, nobody, wrong, backwards = await asyncio.gather(
        *(
            asyncio.to_thread(run, "staffing", *arguments, cwd=tmp_path, env=env)
            for arguments in (
                day,
                (*day, "--within", "60", "--target", "95", "--json"),
                ("--queue", "legal", "--day", "2026-10-24"),
                (),
                ("--queue", "legal", "--from", "2026-10-24", "--to", "2026-10-24"),
            )
        )
    )

    line = next(one for one in shown.stdout.splitlines() if one.startswith("09:00"))
    assert line.split()[1] == "19.0"  # the first began to wait a minute before
    assert "120 s" in line
    found = json.loads(as_json.stdout)
    assert (found["target"]["within_seconds"], found["target"]["share"], found["days"]) == (60, 0.95, ["2026-10-24"])
    assert found["plan"]["rows"][1]["needs"]["by_erlang_c"] >= 3
    assert "Nobody was answered" in nobody.stdout
    assert (wrong.returncode, "--queue" in wrong.stderr) == (2, True)
    assert (backwards.returncode, "no whole day" in backwards.stderr) == (2, True)
