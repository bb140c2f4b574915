"""`callrouter db`: a sentence for every outcome, and never a traceback or a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from tests.patience import COMMAND_SECONDS

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
NEWEST = max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def _db(verb: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return _run(url, folder, "db", verb)


def _run(url: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callrouter", *arguments],
        env=os.environ | {"CALLROUTER_DATABASE_URL": url},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


async def test_from_nothing_to_newer(server: Any, tmp_path: Path) -> None:
    """Empty, upgraded, up to date, and then of a newer release."""
    url = await server.new_database()

    empty = _db("current", url, tmp_path)
    assert (empty.returncode, empty.stdout) == (1, "empty\n")
    assert "callrouter db upgrade" in empty.stderr

    assert _db("upgrade", url, tmp_path).stdout == f"the schema went from nothing to {NEWEST}\n"
    assert _db("upgrade", url, tmp_path).stdout == f"the schema is at {NEWEST} already\n"
    assert (_db("current", url, tmp_path).returncode, _db("current", url, tmp_path).stdout) == (0, f"{NEWEST}\n")

    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    newer = _db("upgrade", url, tmp_path)
    assert newer.returncode == 1
    assert "newer callrouter" in newer.stderr
    assert "Traceback" not in newer.stderr


async def test_the_url_is_masked(tmp_path: Path, free_port: Any) -> None:
    """Also in the sentence about a server that does not answer."""
    gone = _db("url", f"postgresql://anne:secret@127.0.0.1:{free_port()}/calls", tmp_path)

    assert gone.returncode == 1
    assert "postgresql://anne:***@127.0.0.1" in gone.stderr
    assert "secret" not in gone.stderr
    assert "Traceback" not in gone.stderr


async def _as_stranger(url: str) -> str:
    """The URL of the same database for a role without any rights in it."""
    connection = await asyncpg.connect(url)
    await connection.execute("DROP ROLE IF EXISTS stranger")
    await connection.execute("CREATE ROLE stranger LOGIN")
    await connection.close()
    return make_url(url).set(username="stranger").render_as_string(hide_password=False)


async def test_a_role_that_may_not_is_told_what_to_grant(server: Any, tmp_path: Path) -> None:
    """To make tables, to read them, to change them: each a sentence, and what it says does it."""
    url = await server.new_database()
    stranger = await _as_stranger(url)
    owner = await asyncpg.connect(url)

    refused = _db("upgrade", stranger, tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("callrouter: PostgreSQL at ")
    assert 'GRANT USAGE, CREATE ON SCHEMA public TO "stranger";' in refused.stderr
    assert "Traceback" not in refused.stderr

    assert _db("upgrade", url, tmp_path).returncode == 0
    for command in (["db", "current"], ["stats"], ["explain", "1-2-3"]):
        refused = _run(stranger, tmp_path, *command)
        assert (refused.returncode, refused.stdout) == (1, ""), refused.stderr
        assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "stranger";' in refused.stderr
        assert "Traceback" not in refused.stderr

    grants = refused.stderr.partition("run: ")[2]
    await owner.execute(grants)
    assert _db("current", stranger, tmp_path).returncode == 0
    assert _run(stranger, tmp_path, "stats").returncode == 0

    await owner.execute("UPDATE alembic_version SET version_num = '0002'; ALTER TABLE plans DROP COLUMN source")
    refused = _db("upgrade", stranger, tmp_path)
    assert refused.returncode == 1
    assert "as the role that does" in refused.stderr or "GRANT" in refused.stderr
    assert "Traceback" not in refused.stderr
    await owner.execute("DROP OWNED BY stranger; DROP ROLE stranger")
    await owner.close()


def test_who_only_asks_makes_no_database(tmp_path: Path) -> None:
    """Without a server of one's own, and without an embedded one: a sentence, and nothing on the disk."""
    for verb in ("current", "url"):
        asked = _db(verb, "", tmp_path)
        assert (asked.returncode, asked.stdout) == (2, "")
        assert "start `callrouter up` here first" in asked.stderr
    assert list(tmp_path.iterdir()) == []
