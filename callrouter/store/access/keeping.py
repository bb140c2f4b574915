"""Looks after the recordings while nobody asks: what each file holds is written down, and what is over is deleted.

The worker has it done as a part of its one run (`store.retention.keeper`). One process at a time does it: whoever
holds the advisory lock; it falls with the connection, so nobody has to free it for one that died.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Update, case, delete, func, insert, literal, null, select, text, true, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.books.recordings import MOST_KEEP_DAYS
from callrouter.core.retention.rule import Kind
from callrouter.logs import Outage
from callrouter.permissions import OURSELVES, By
from callrouter.store.access.recordings import OBJECT, Recordings
from callrouter.store.access.sound_file import Measured, file_of, measure
from callrouter.store.database import Database
from callrouter.store.plans import present_names
from callrouter.store.tables import RecordingKind, messages, recordings, retention_rules

log = structlog.get_logger(__name__)

_LOCK: Final = 0x7265636F7264696E
"""Advisory lock of whoever looks after them ("recordin")."""
_BATCH: Final = 100
_MEASURE_FOR: Final = timedelta(days=7)
"""A file that was not there for so long is not looked for any more."""


class Keeper:
    """Looks after the recordings of one folder."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        recordings_: Recordings,
        *,
        keep_days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`keep_days`: for how long a recording is kept where no rule says it; 0: until somebody deletes it."""
        self._database = database
        self._folder = folder
        self._recordings = recordings_
        self._keep_days = keep_days
        self._now = now
        self._resist = Outage(log, "recordings cannot be deleted", "recordings are deleted again")
        self._unswept = Outage(log, "recordings in no record cannot be deleted", "those in no record are deleted again")

    async def adopt(self) -> None:
        """Give a row to messages by voice that a release of before wrote beside this one."""
        known = select(recordings.c.recording_id).where(recordings.c.recording_id == messages.c.recording).exists()
        columns = ["recording_id", "kind", "call_id", "client", "started_at", "seconds"]
        of = messages.c
        found = (
            select(of.recording, literal(RecordingKind.MESSAGE.value), of.call_id, of.client, of.started_at, of.seconds)
            .ext(distinct_on(of.recording))
            .where(~known, of.recording != "")
        )
        async with self._database.connection() as connection:
            # The release before knows of no message without a recording, and gives them one.
            await connection.execute(delete(recordings).where(recordings.c.recording_id == ""))
            await connection.execute(insert(recordings).from_select(columns, found))

    async def measure(self) -> int:
        """Write down what files hold that nobody has looked at yet, and until when each is kept; says how many."""
        await self._apply_retention(recordings.c.delete_after.is_(None))
        query = (
            select(recordings.c.recording_id)
            .where(
                recordings.c.checksum.is_(None),
                recordings.c.deleted_at.is_(None),
                recordings.c.started_at > self._now() - _MEASURE_FOR,
            )
            .order_by(recordings.c.started_at)
            .limit(_BATCH)
        )
        async with self._database.connection() as connection:
            names = list((await connection.execute(query)).scalars())
        measured = 0
        for name in names:
            found = await asyncio.to_thread(_measured, self._folder, name)
            if found is not None:
                await self._keep(name, found)
                measured += 1
        return measured

    async def delete_objected(self) -> int:
        """Delete what callers objected to; says how many. The engine has removed the files where it was there."""
        deleted = 0
        for recording in await self._recordings.objected_to(_BATCH):
            try:
                deleted += await self._recordings.delete(recording, By(principal=OURSELVES), action=OBJECT)
            except OSError as error:
                self._resist.failed(error.strerror or str(error), recording=recording.recording_id)
        return deleted

    async def expire(self) -> int:
        """Delete those whose time is over; says how many. A shorter time in the setting acts on the old ones too."""
        await self._apply_retention(true())
        deleted = 0
        failed: set[str] = set()
        while some := [
            one
            for one in await self._recordings.due(self._now(), _BATCH + len(failed))
            if one.recording_id not in failed
        ]:
            for recording in some:
                try:
                    deleted += await self._recordings.expire(recording)
                except OSError as error:
                    failed.add(recording.recording_id)
                    self._resist.failed(error.strerror or str(error), recording=recording.recording_id)
        if not failed:
            self._resist.ended()
        if deleted:
            log.info("recordings whose time is over were deleted", recordings=deleted)
        return deleted

    async def sweep(self) -> int:
        """Delete conversations that are in no record once no client's file could keep them longer; says how many.

        Not sooner: the record of their calls may still wait for PostgreSQL.
        """
        swept = 0
        failed = False
        try:
            for name in await self._recordings.unrecorded(self._now() - timedelta(days=MOST_KEEP_DAYS)):
                try:
                    await self._recordings.expire_unrecorded(name)
                    swept += 1
                except OSError as error:
                    failed = True
                    self._unswept.failed(error.strerror or str(error), recording=name)
        except OSError as error:
            failed = True
            self._unswept.failed(error.strerror or str(error))
        if not failed:
            self._unswept.ended()
        if swept:
            log.warning("recordings of conversations that are in no record were deleted", recordings=swept)
        return swept

    async def _apply_retention(self, which: ColumnElement[bool]) -> None:
        """Say of messages when each goes, and of conversations that they go no later than a rule says."""
        kept = recordings.c
        async with self._database.connection() as connection:
            rules = await self._rules(connection)
            if not (rules or self._keep_days) and which is not true():
                return
            for clients, days in _by_days(rules):
                until = null() if days is None else kept.started_at + timedelta(days=days)
                whose = kept.client.in_(clients)
                await connection.execute(_until(which, whose, until))
                if days is not None:
                    await connection.execute(_no_later(whose, until))
            until = kept.started_at + timedelta(days=self._keep_days) if self._keep_days else null()
            await connection.execute(_until(which, kept.client.not_in(list(rules)), until))

    async def _rules(self, connection: AsyncConnection) -> dict[str, int | None]:
        """By each name of a client: for how long its recordings are kept (`store.retention.rules`)."""
        query = select(retention_rules.c.client, retention_rules.c.days).where(
            retention_rules.c.kind == Kind.RECORDINGS.value
        )
        rules: dict[str, int | None] = {row.client: row.days for row in await connection.execute(query)}
        if rules:
            present = await present_names(connection)
            rules |= {name: rules[owner] for name, owner in present.items() if owner in rules}
        return rules

    async def _keep(self, name: str, found: Measured) -> None:
        statement = (
            update(recordings)
            .where(recordings.c.recording_id == name)
            .values(
                loudness=found.loudness,
                checksum=found.checksum,
                # By the clock until then, which knows when Asterisk said so; of a message it is the file's already.
                seconds=case(
                    (recordings.c.kind == RecordingKind.CONVERSATION, found.seconds), else_=recordings.c.seconds
                ),
            )
        )
        async with self._database.connection() as connection:
            await connection.execute(statement)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Whether we hold the lock, for as long as the block lasts."""
        async with self._database.connection() as connection:
            taken = (await connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK)))).scalar_one()
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield bool(taken)


def _by_days(rules: Mapping[str, int | None]) -> Iterator[tuple[list[str], int | None]]:
    """Clients by what counts for them: most have the same."""
    for days in sorted(set(rules.values()), key=lambda days: days or 0):
        yield [client for client, its in rules.items() if its == days], days


def _until(which: ColumnElement[bool], whose: ColumnElement[bool], until: ColumnElement[Any]) -> Update:
    return (
        update(recordings)
        .where(
            which,
            whose,
            recordings.c.kind == RecordingKind.MESSAGE,  # of a conversation the client's file says how long
            recordings.c.deleted_at.is_(None),
            recordings.c.delete_after.is_distinct_from(until),
        )
        .values(delete_after=until)
    )


def _no_later(whose: ColumnElement[bool], until: ColumnElement[Any]) -> Update:
    return (
        update(recordings)
        .where(
            whose,
            recordings.c.kind == RecordingKind.CONVERSATION,
            recordings.c.deleted_at.is_(None),
            recordings.c.delete_after > until,
        )
        .values(delete_after=until)
    )


def _measured(folder: Path, name: str) -> Measured | None:
    path = file_of(folder, name)
    try:
        return None if path is None else measure(path)
    except OSError:
        return None
