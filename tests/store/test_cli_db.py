"""`callrouter db`: a sentence for every outcome, and never a traceback or a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg


def _db(verb: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callrouter", "db", verb],
        env=os.environ | {"CALLROUTER_DATABASE_URL": url},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_from_nothing_to_newer(server: Any, tmp_path: Path) -> None:
    """Empty, upgraded, up to date, and then of a newer release."""
    url = await server.new_database()

    empty = _db("current", url, tmp_path)
    assert (empty.returncode, empty.stdout) == (1, "empty\n")
    assert "callrouter db upgrade" in empty.stderr

    assert _db("upgrade", url, tmp_path).stdout == "the schema went from nothing to 0004\n"
    assert _db("upgrade", url, tmp_path).stdout == "the schema is at 0004 already\n"
    assert (_db("current", url, tmp_path).returncode, _db("current", url, tmp_path).stdout) == (0, "0004\n")

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
