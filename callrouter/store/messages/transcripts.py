"""What machines made of recordings: which there are to do, and what came of each, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, or_, select, update

from callrouter.core.dispatch import What
from callrouter.store.database import Database
from callrouter.store.dispatch.events import write_event
from callrouter.store.tables import messages, recordings

AT_MOST_SECONDS: Final = 86_400.0
"""How old a message may be: who turns transcripts on does not want last year's."""
LONGEST: Final = 20_000
"""Characters that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A message by voice of which nothing was written down."""

    message_id: str
    client: str
    recording: str
    seconds: float
    taken_at: datetime


async def find_spoken(database: Database, now: datetime, limit: int) -> list[Spoken]:
    """Urgent ones first, then the oldest; without those whose sound nobody may hear.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns, sound = messages.c, recordings.c
    query = (
        select(columns.message_id, columns.client, columns.recording, columns.seconds, columns.taken_at)
        .outerjoin(recordings, sound.recording_id == columns.recording)
        .where(
            columns.recording != "",
            columns.transcribed_at.is_(None),
            columns.taken_at > now - timedelta(seconds=AT_MOST_SECONDS),
            or_(sound.recording_id.is_(None), sound.deleted_at.is_(None) & sound.objected_at.is_(None)),
        )
        .order_by(columns.urgent.desc(), columns.taken_at)
        .limit(limit)
    )
    async with database.connection() as connection:
        return [Spoken(**row) for row in (await connection.execute(query)).mappings()]


async def keep_transcript(
    database: Database, message_id: str, text: str, *, by: str, at: datetime, note: str = ""
) -> bool:
    """Keep what a machine made of it, or that it made nothing (`note` says why); False: that is known already, or
    nobody may hear the sound any more: it was deleted, or objected to, while the machine wrote.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    kept = text.replace("\x00", "\ufffd")[:LONGEST]
    sound = recordings.c
    gone = exists().where(
        sound.recording_id == messages.c.recording, sound.deleted_at.is_not(None) | sound.objected_at.is_not(None)
    )
    change = (
        update(messages)
        .where(messages.c.message_id == message_id, messages.c.transcribed_at.is_(None), ~gone)
        .values(transcript=kept or None, transcript_by=by if kept else None, transcribed_at=at)
    )
    async with database.connection() as connection:
        if not (await connection.execute(change)).rowcount:
            return False
        detail = f"by a machine ({by})" if kept else note
        await write_event(connection, message_id, What.TRANSCRIBED, at, detail=detail)
    return True
