"""All that is known of a person, as a file: what the record has of them, and what was recorded."""

from __future__ import annotations

import asyncio
import json
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from callrouter.permissions import By
from callrouter.store.access.recordings import Recordings
from callrouter.store.database import Database
from callrouter.store.person.finding import Say, mentioned, needed, own_of
from callrouter.store.person.naming import Sought
from callrouter.store.person.places import OWN, WITH_THEM

_HIDDEN: Final = frozenset({"reply_hash", "secret"})
"""Columns that are nobody's data, and open something."""


async def export(
    database: Database, recordings: Recordings, sought: Sought, by: By, path: Path, say: Say | None = None
) -> dict[str, int]:
    """Write a zip: `person.json`, and a WAV for each recording that is there; how many rows of each table.

    Raises:
        OSError: the file cannot be written; one that is there is not overwritten.
        StoreError: PostgreSQL does not answer.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    async with database.connection() as connection:
        own = await own_of(connection, list(sought.written))
        for table, which in {**OWN, **WITH_THEM}.items():
            query = text(f"SELECT to_jsonb({table}) FROM {table} WHERE {which}")  # noqa: S608 - our own words
            found = (await connection.execute(query, needed(which, own))).scalars()
            rows[table] = [{name: value for name, value in row.items() if name not in _HIDDEN} for row in found]
    own_keys = {*own.calls, *own.messages}
    rows["mentions"] = []
    async for place, some in mentioned(database, sought, say):
        # Of rows that are somebody else's, where the number stands, and nothing of theirs.
        rows["mentions"] += [{"table": place.table, "key": row["key"]} for row in some if row["key"] not in own_keys]
    sounds = {}
    for row in rows["recordings"]:
        recording = await recordings.find(row["recording_id"])
        file = None if recording is None else await recordings.open(recording, by)
        if file is not None:
            sounds[f"recordings/{row['recording_id']}{file.suffix}"] = file
    await asyncio.to_thread(_write, path, sought.number, rows, sounds)
    return {table: len(found) for table, found in rows.items()}


def _write(path: Path, number: str, rows: dict[str, list[dict[str, Any]]], sounds: dict[str, Path]) -> None:
    with path.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(
            "person.json", json.dumps({"number": number, **rows}, ensure_ascii=False, indent=2, default=_said)
        )
        for name, sound in sounds.items():
            made.write(sound, name)


def _said(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
