"""`callrouter deliveries`, run as a command on a real PostgreSQL: what was given up, shown and sent again."""

from __future__ import annotations

import asyncio
import json
import subprocess

from callrouter.store.access.audit import list_audit
from callrouter.store.database import Database
from tests.store.dispatch.rows import LENOIR, MOREAU, after, ask
from tests.store.test_revisions import rows

from .test_main import ROOT, run


async def test_what_was_given_up_is_shown_and_sent_again(database: Database, database_url: str) -> None:
    """One by its id, and all of a client; whoever did it stands in the audit trail."""
    failed = {"attempts": 8, "answer": "crm.example answered 500\nat once"}
    for number in range(3):
        await ask(database, f"c-n{number}", "failed", changed_at=after(number), **failed)
    await ask(database, "theirs", "failed", client=LENOIR)

    async def command(*words: str) -> subprocess.CompletedProcess[str]:
        env = {"CALLROUTER_DATABASE_URL": database_url}
        return await asyncio.to_thread(run, "deliveries", *words, cwd=ROOT, env=env)

    listed = await command("list", "--client", MOREAU)
    as_json = await command("list", "--json", "--limit", "1")
    one = await command("again", "c-n1")
    rest = await command("again", "--client", MOREAU)
    waiting = await command("list", "--waiting")
    wrong = [await command(*words) for words in (("again",), ("again", "c-n9"), ("again", "c-n1"))]
    left = await rows(database, "SELECT delivery_id FROM deliveries WHERE state = 'failed'")
    trail = await list_audit(database)

    assert listed.stdout.splitlines()[0] == (
        "2026-11-30 10:00:02Z  c-n2  cabinet-moreau crm https://crm.example: failed, 8 attempts"
        "  crm.example answered 500 at once"
    )
    assert len(listed.stdout.splitlines()) == 3
    assert [len(json.loads(as_json.stdout)["deliveries"]), "theirs" in listed.stdout] == [1, False]
    assert (one.stdout, rest.stdout) == ("1 sent again.\n", "2 sent again.\n")
    assert {line.split()[2] for line in waiting.stdout.splitlines()} == {"c-n0", "c-n1", "c-n2"}
    assert [done.returncode for done in wrong] == [2, 2, 2]
    assert [("name deliveries" in wrong[0].stderr), ("no delivery c-n9" in wrong[1].stderr)] == [True, True]
    assert "none of it was given up" in wrong[2].stderr
    assert left == [("theirs",)]
    assert {row.deed.object for row in trail.rows} == {"c-n1", "all"}
