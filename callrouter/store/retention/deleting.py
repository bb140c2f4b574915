"""Deletes what is older than it is to be, of one client, some at a time: each in a transaction of its own, and a rest
after it, so that whoever reads pages or writes calls waits for none of it.

With a call goes all that hangs on it; its days stay. With a message go its recording, and who was told of it. Files go
before their rows, as everywhere. What somebody still waits for is held back.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.retention.rule import Kind
from callrouter.store.access.recordings import Recordings, stored_recording
from callrouter.store.database import Database
from callrouter.store.tables import recordings
from callrouter.store.trace import BLANK_TRACE

BATCH: Final = 500
"""Calls, or messages, that go together."""
REST_SECONDS: Final = 0.02
"""After each at least; as long as it took, if that is longer."""
LATE: Final = timedelta(days=40)
"""How much older than what was looked at something may be that comes into the record late."""
QUIET: Final = text("SET LOCAL callrouter.quiet = 'on'")
"""No day is marked, and nobody is told (migration 0031)."""

_CALLS: Final = text(
    """
    SELECT call_id, ringing_at,
        EXISTS (SELECT FROM callbacks WHERE callbacks.call_id = calls.call_id AND callbacks.state = 'open')
        OR EXISTS (SELECT FROM deliveries WHERE deliveries.call_id = calls.call_id
            AND deliveries.state IN ('queued', 'sending')) AS waits
    FROM calls
    WHERE client = :client AND ringing_at < :before_at AND (ringing_at, call_id) > (:after_at, :after_id)
    ORDER BY ringing_at, call_id LIMIT :many
    """
)
_WITH_CALLS: Final[Mapping[str, str]] = {
    "queue_visits": "call_id = ANY(:ids)",
    "offers": "call_id = ANY(:ids)",
    "holds": "leg_id",
    "legs": "leg_id",
    "callbacks": "call_id = ANY(:ids)",
    "outgoing_calls": "call_id = ANY(:ids) AND purpose = 'callback'",
    "follow_ups": "call_id = ANY(:ids)",
    "deliveries": "call_id = ANY(:ids) AND message_id IS NULL",
    "happenings": "call_id = ANY(:ids)",
    "recordings": "call_id = ANY(:ids) AND kind = 'conversation'",
    "superseded_calls": "call_id = ANY(:ids)",
    "calls": "call_id = ANY(:ids)",
}
"""What goes with calls, in this order. Legs and their holds are a range of `leg_id`: they have no other index."""

_MESSAGES: Final = text(
    """
    SELECT message_id, started_at,
        coalesce(dispatches.state IN ('new', 'running', 'attention'), false)
        OR EXISTS (SELECT FROM deliveries WHERE deliveries.message_id = messages.message_id
            AND deliveries.state IN ('queued', 'sending')) AS waits
    FROM messages LEFT JOIN dispatches USING (message_id)
    WHERE messages.client = :client AND started_at < :before_at
        AND (started_at, message_id) > (:after_at, :after_id)
    ORDER BY started_at, message_id LIMIT :many
    """
)
_OF_MESSAGES: Final = "SELECT recording FROM messages WHERE message_id = ANY(:ids) AND recording <> ''"
_WITH_MESSAGES: Final[Mapping[str, str]] = {
    "outgoing_calls": """
        purpose = 'message' AND call_id IN (SELECT delivery_id FROM deliveries WHERE message_id = ANY(:ids))""",
    "recordings": f"recording_id IN ({_OF_MESSAGES})",
    "happenings": "kind LIKE 'message.%' AND subject = ANY(:ids)",
    "deliveries": "message_id = ANY(:ids)",
    "messages": "message_id = ANY(:ids)",
}
"""What goes with messages, in this order; changes, dispatches and their events go with them by themselves."""

_TRANSCRIPTS: Final = text(
    """
    UPDATE messages SET transcript = NULL, transcript_by = NULL WHERE message_id = ANY(ARRAY(
        SELECT message_id FROM messages
        WHERE client = :client AND started_at >= :from_at AND started_at < :before_at AND transcript IS NOT NULL
        ORDER BY started_at LIMIT :many))
    RETURNING message_id, started_at
    """
)
_TRACES: Final = text(
    """
    UPDATE calls SET trace = :blank WHERE call_id = ANY(ARRAY(
        SELECT call_id FROM calls
        WHERE client = :client AND ringing_at >= :from_at AND ringing_at < :before_at AND trace <> :blank
        ORDER BY ringing_at LIMIT :many))
    RETURNING call_id, ringing_at
    """
).bindparams(bindparam("blank", BLANK_TRACE, type_=JSONB))
_OF_SUPERSEDED: Final = text("UPDATE superseded_calls SET record = record - 'trace' WHERE call_id = ANY(:ids)")
_FIRST: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(kw_only=True)
class Deleted:
    """What of one client and kind went."""

    many: int = 0
    held_back: int = 0
    """Of which somebody still waits for something, or whose recording the disk keeps."""
    rows: Counter[str] = field(default_factory=Counter)
    """By table."""
    seconds: float = 0.0
    """Of work, without rests."""


class Deleter:
    """Of one run."""

    def __init__(
        self,
        database: Database,
        recordings_: Recordings,
        *,
        batch: int = BATCH,
        rest_seconds: float = REST_SECONDS,
        between: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`between`: what else is to be done in time, after each batch."""
        self._database = database
        self._recordings = recordings_
        self._batch = batch
        self._rest_seconds = rest_seconds
        self._between = between

    async def delete(self, kind: Kind, name: str, before_at: datetime, done_to: datetime | None) -> Deleted:
        """All of a kind that began before an instant, of a client by one of its names; what it did.

        Of traces and transcripts not what is long before `done_to`: that was looked at.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        done = Deleted()
        match kind:
            case Kind.CALLS:
                await self._by_pages(done, _CALLS, name, before_at, self._delete_calls)
            case Kind.MESSAGES:
                await self._by_pages(done, _MESSAGES, name, before_at, self._delete_messages)
            case Kind.TRACES | Kind.TRANSCRIPTS:
                await self._blank(done, kind, name, before_at, _FIRST if done_to is None else done_to - LATE)
            case Kind.RECORDINGS:  # by their own instants (store.access.keeping)
                pass
        return done

    async def _by_pages(
        self,
        done: Deleted,
        query: Any,
        client: str,
        before_at: datetime,
        delete: Callable[[Deleted, Sequence[str]], Awaitable[None]],
    ) -> None:
        after: tuple[datetime, str] = (_FIRST, "")
        while True:
            began = time.monotonic()
            values = {"client": client, "before_at": before_at, "many": self._batch}
            async with self._database.connection() as connection:
                rows = (await connection.execute(query, {**values, "after_at": after[0], "after_id": after[1]})).all()
            if not rows:
                return
            done.held_back += sum(waits for _, _, waits in rows)
            if over := [one for one, _, waits in rows if not waits]:
                await delete(done, over)
            after = (rows[-1][1], rows[-1][0])
            await self._rest(done, began)
            if len(rows) < self._batch:
                return

    async def _delete_calls(self, done: Deleted, ids: Sequence[str]) -> None:
        of_calls = recordings.c.call_id.in_(ids) & (recordings.c.kind == "conversation")
        refused = await self._unlink(select(recordings).where(of_calls, recordings.c.deleted_at.is_(None)), "call_id")
        await self._delete_with(done, _WITH_CALLS, [one for one in ids if one not in refused], "calls")
        done.held_back += len(refused)

    async def _delete_messages(self, done: Deleted, ids: Sequence[str]) -> None:
        spoken = text(_OF_MESSAGES)
        async with self._database.connection() as connection:
            names = list((await connection.execute(spoken, {"ids": list(ids)})).scalars())
        query = select(recordings).where(recordings.c.recording_id.in_(names), recordings.c.deleted_at.is_(None))
        refused = await self._unlink(query, "recording_id")
        if refused:
            kept = "SELECT message_id FROM messages WHERE message_id = ANY(:ids) AND recording = ANY(:names)"
            async with self._database.connection() as connection:
                rows = await connection.execute(text(kept), {"ids": list(ids), "names": list(refused)})
                refused = set(rows.scalars())
        await self._delete_with(done, _WITH_MESSAGES, [one for one in ids if one not in refused], "messages")
        done.held_back += len(refused)

    async def _unlink(self, query: Any, named: str) -> set[str]:
        """Remove files; of those that the disk keeps, the value of a column."""
        async with self._database.connection() as connection:
            found = [dict(row) for row in (await connection.execute(query)).mappings()]
        refused = set()
        for row in found:
            try:
                await self._recordings.expire(stored_recording(row))
            except OSError:
                refused.add(str(row[named]))
        return refused

    async def _delete_with(self, done: Deleted, tables: Mapping[str, str], ids: Sequence[str], main: str) -> None:
        if not ids:
            return
        async with self._database.connection() as connection:
            # First: whoever writes calls asks for this table first, too, so that neither waits for the other for ever.
            await connection.execute(text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
            await connection.execute(QUIET)
            gone = await _delete_rows(connection, tables, ids)
        done.rows.update(gone)
        done.many += gone[main]

    async def _blank(self, done: Deleted, kind: Kind, client: str, before_at: datetime, from_at: datetime) -> None:
        values = {"client": client, "before_at": before_at, "from_at": from_at, "many": self._batch}
        while True:
            began = time.monotonic()
            async with self._database.connection() as connection:
                await connection.execute(QUIET)
                if kind is Kind.TRACES:
                    await connection.execute(text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
                rows = (await connection.execute(_TRACES if kind is Kind.TRACES else _TRANSCRIPTS, values)).all()
                if kind is Kind.TRACES:
                    await connection.execute(_OF_SUPERSEDED, {"ids": [row[0] for row in rows]})
            done.many += len(rows)
            done.rows["calls" if kind is Kind.TRACES else "messages"] += len(rows)
            await self._rest(done, began)
            if len(rows) < self._batch:
                return
            values["from_at"] = max(row[1] for row in rows)  # those before are not looked at again

    async def _rest(self, done: Deleted, began: float) -> None:
        worked = time.monotonic() - began
        done.seconds += worked
        await asyncio.sleep(max(self._rest_seconds, worked) if self._rest_seconds else 0)
        if self._between is not None:
            await self._between()


async def _delete_rows(connection: AsyncConnection, tables: Mapping[str, str], ids: Sequence[str]) -> Counter[str]:
    gone: Counter[str] = Counter()
    for table, which in tables.items():
        statement = f"DELETE FROM {table} WHERE {which}"  # noqa: S608 - made of our own words
        if which == "leg_id":
            statement = f"""
                DELETE FROM {table} USING unnest(CAST(:ids AS text[])) AS gone(call_id)
                WHERE leg_id >= (gone.call_id || '/') COLLATE "C" AND leg_id < (gone.call_id || '0') COLLATE "C"
            """  # noqa: S608
        gone[table] += (await connection.execute(text(statement), {"ids": list(ids)})).rowcount
    return gone
