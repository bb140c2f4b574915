"""Recordings: listed, played and deleted in one place, so that no access is without its row in the audit trail.

A recording's row outlives its file: who left what for whom, and who listened to it, is known after the sound is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from callrouter.permissions import EVERYTHING, OURSELVES, By, Permission, Scope
from callrouter.store.access.audit import Deed
from callrouter.store.access.sound_file import conversations_before, file_of, path_of
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.paging import equal, page, within
from callrouter.store.tables import AuditOutcome, RecordingKind, messages, recordings

EXPIRE: Final = "recording.expire"
"""What the audit trail calls a deletion by ourselves."""
OBJECT: Final = "recording.object"
"""The same, because the caller objected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecording:
    """A recording as it is kept."""

    recording_id: str
    kind: RecordingKind
    call_id: str
    leg: str | None
    client: str
    started_at: datetime
    seconds: float
    loudness: float | None
    """RMS in dBFS; None until the file was looked at."""
    checksum: str | None
    """SHA-256 of the file; None until it was looked at."""
    delete_after: datetime | None
    deleted_at: datetime | None
    paused_seconds: float
    """For how long a conversation's recording was paused; silence stands there."""
    objected_at: datetime | None
    """When the caller objected to it: it is not played, and deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A recording in a list."""

    recording: StoredRecording
    on_disk: bool
    """Whether its file is there. False for one that was deleted, or whose file is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPage:
    """Recordings, the newest first, and where the next page begins (None: there is none)."""

    recordings: list[Listed]
    next_cursor: str | None


class Recordings:
    """The recordings of one folder."""

    def __init__(self, database: Database, folder: Path, trail: AuditTrail) -> None:
        """`folder` is where Asterisk writes, as this process sees it."""
        self._database = database
        self._folder = folder
        self._trail = trail

    async def page(
        self,
        *,
        client: str | None = None,
        call_id: str | None = None,
        scope: Scope = EVERYTHING,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> RecordingPage:
        """Recordings by when they began (`from_at` included, `to_at` not), the newest first.

        Raises:
            CursorError: the cursor is none of ours.
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        rows, next_cursor = await page(
            self._database,
            recordings,
            (recordings.c.started_at, recordings.c.recording_id),
            client=client,
            filters=[*equal(recordings, call_id=call_id), *within(recordings, scope)],
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        found = [stored_recording(dict(row)) for row in rows]
        there = await asyncio.to_thread(self._there, found)
        listed = [Listed(recording=one, on_disk=is_there) for one, is_there in zip(found, there, strict=True)]
        return RecordingPage(recordings=listed, next_cursor=next_cursor)

    async def find(self, recording_id: str) -> StoredRecording | None:
        """One of them, by its id.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        if path_of(self._folder, recording_id) is None:
            return None
        found = await self._select([recordings.c.recording_id == recording_id])
        return found[0] if found else None

    async def open(self, recording: StoredRecording, by: By) -> Path | None:
        """The file to be played, once it stands in the audit trail; None when it is not there.

        Raises:
            StoreError: the trail cannot be written, so nothing is played.
        """
        path = await asyncio.to_thread(file_of, self._folder, recording.recording_id)
        if recording.deleted_at is not None or recording.objected_at is not None or path is None:
            return None
        await self._trail.record(_deed(recording, by, Permission.RECORDING_PLAY, AuditOutcome.DONE))
        return path

    async def delete(self, recording: StoredRecording, by: By, *, action: str = Permission.RECORDING_DELETE) -> bool:
        """Remove the file, and keep the row; False when it was deleted before.

        In this order: trail, file, row. Whatever stops us between two of them, the next try goes on from there, and no
        file is left that a row calls deleted.

        Raises:
            OSError: the file cannot be removed.
            StoreError: PostgreSQL does not answer.
        """
        if recording.deleted_at is not None:
            return False
        await self._unlink(_deed(recording, by, action, AuditOutcome.DONE))
        now = datetime.now(UTC)
        statement = (
            update(recordings)
            .where(recordings.c.recording_id == recording.recording_id, recordings.c.deleted_at.is_(None))
            .values(deleted_at=now)
        )
        # What a machine wrote of it goes with the sound; one that still writes finds that it was done. The row is
        # changed though there is no transcript: a machine that ends in this instant is waited for, or waits for us.
        unwritten = (
            update(messages)
            .where(
                messages.c.call_id == recording.call_id,
                messages.c.position > 0,
                messages.c.recording == recording.recording_id,
            )
            .values(transcript=None, transcript_by=None, transcribed_at=func.coalesce(messages.c.transcribed_at, now))
        )
        async with self._database.connection() as connection:
            deleted = bool((await connection.execute(statement)).rowcount)
            await connection.execute(unwritten)
            return deleted

    async def due(self, at: datetime, limit: int) -> list[StoredRecording]:
        """Some whose time is over, those that are longest over first.

        Raises:
            StoreError: PostgreSQL does not answer.
        """
        conditions = [recordings.c.deleted_at.is_(None), recordings.c.delete_after <= at]
        return await self._select(conditions, order=recordings.c.delete_after, limit=limit)

    async def objected_to(self, limit: int) -> list[StoredRecording]:
        """Some whose callers objected, and which are not deleted.

        Raises:
            StoreError: PostgreSQL does not answer.
        """
        return await self._select(
            [recordings.c.deleted_at.is_(None), recordings.c.objected_at.is_not(None)], limit=limit
        )

    async def expire(self, recording: StoredRecording) -> bool:
        """Delete one whose time is over."""
        return await self.delete(recording, By(principal=OURSELVES), action=EXPIRE)

    async def unrecorded(self, before: datetime) -> list[str]:
        """Conversations whose files nobody has written to since, and which no row knows.

        Asterisk goes on recording without an engine; where the call comes into no record, nobody else deletes it.

        Raises:
            OSError: the folder cannot be read.
            StoreError: PostgreSQL does not answer.
        """
        names = await asyncio.to_thread(conversations_before, self._folder, before)
        query = select(recordings.c.recording_id).where(recordings.c.recording_id == func.any(cast(names, ARRAY(Text))))
        async with self._database.connection() as connection:
            known = set((await connection.execute(query)).scalars())
        return [name for name in names if name not in known]

    async def expire_unrecorded(self, recording_id: str) -> None:
        """Delete one that no row knows.

        Raises:
            OSError: the file cannot be removed.
            StoreError: PostgreSQL does not answer.
        """
        await self._unlink(Deed(principal=OURSELVES, action=EXPIRE, object=recording_id, outcome=AuditOutcome.DONE))

    async def _unlink(self, deed: Deed) -> None:
        """Remove the file of the deed's object, once that stands in the trail."""
        await self._trail.record(deed)
        path = path_of(self._folder, deed.object)
        try:
            if path is not None:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        except OSError:
            self._trail.note(replace(deed, outcome=AuditOutcome.FAILED))
            raise

    async def _select(
        self,
        conditions: Sequence[ColumnElement[bool]],
        *,
        order: ColumnElement[object] | None = None,
        limit: int | None = None,
    ) -> list[StoredRecording]:
        query = select(recordings).where(*conditions).order_by(order).limit(limit)
        async with self._database.connection() as connection:
            return [stored_recording(dict(row)) for row in (await connection.execute(query)).mappings()]

    def _there(self, found: Sequence[StoredRecording]) -> list[bool]:
        return [one.deleted_at is None and file_of(self._folder, one.recording_id) is not None for one in found]


def _deed(recording: StoredRecording, by: By, action: str, outcome: AuditOutcome) -> Deed:
    return Deed(
        principal=by.principal,
        action=action,
        object=recording.recording_id,
        client=recording.client,
        outcome=outcome,
        address=by.address,
    )


def stored_recording(row: dict[str, object]) -> StoredRecording:
    """A row of `recordings` as it is kept."""
    known = {field.name: row[field.name] for field in fields(StoredRecording)}
    known |= {"kind": RecordingKind(str(row["kind"])), "paused_seconds": row["paused_seconds"] or 0.0}
    return StoredRecording(**known)  # type: ignore[arg-type]  # the columns'
