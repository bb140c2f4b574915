"""Where a person may be that is not ours to change in silence: clients' files, and what waits on disks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from sqlalchemy import text

from callrouter.store.database import Database
from callrouter.store.person.naming import Sought

MOST_NAMED: Final = 50
"""Places that a receipt names of a store."""
_DOCUMENTS: Final = text(
    """
    SELECT DISTINCT ON (file.path, plans.client) file.path, plans.client, plans.version,
        plans.version = (SELECT version FROM plan_history WHERE plan_history.client = plans.client
            ORDER BY history_id DESC LIMIT 1) AS live
    FROM plan_documents JOIN plans ON true
        CROSS JOIN LATERAL jsonb_each_text(plans.documents) AS file(path, hash)
    WHERE file.hash = plan_documents.hash AND plan_documents.content ~ :pattern
    ORDER BY file.path, plans.client, live DESC NULLS LAST, plans.first_live_at DESC
    """
)


async def in_documents(database: Database, sought: Sought) -> list[str]:
    """Clients' files, and those all share, in which the number stands: each with a version, and whether it is live.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    hashes = text("SELECT hash FROM plan_documents WHERE content ~ :pattern")
    values = {"pattern": sought.pattern}
    async with database.connection() as connection:
        if not (await connection.execute(hashes, values)).first():
            return []
        rows = (await connection.execute(_DOCUMENTS, values)).all()
    return [
        f"{path} ({client}, version {version}): {'live, change the file' if live else 'of before'}"
        for path, client, version, live in rows
    ]


async def in_files(sought: Sought, *folders: Path) -> list[str]:
    """Files of the spool and of journals in which it stands; a folder that is not here is none of this machine's."""
    return await asyncio.to_thread(_in_files, sought, folders)


def _in_files(sought: Sought, folders: tuple[Path, ...]) -> list[str]:
    found = []
    for folder in folders:
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            try:
                many = sum(bool(sought.compiled.search(line)) for line in _lines(path)) if path.is_file() else 0
            except OSError as error:
                found.append(f"{path}: {error.strerror or error}")
                continue
            if many:
                found.append(f"{path}: {many} lines")
    return found


def _lines(path: Path) -> list[str]:
    return path.read_bytes().decode("utf-8", errors="replace").splitlines()
