"""Erases a person: rows stay, and nobody can be told from them any more.

In the place of the number stands one word for all rows of the person (`numbers.ERASED`), so that who rang again, and
who was called back, stays known: no figure changes. Each step is a transaction, finds what it has to do by what is
left, and puts it down in the receipt: one that was killed goes on when it is asked for again. Rows of before that come
later are known by the number's hash, for a month (`late`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.numbers import ERASED
from callrouter.permissions import By
from callrouter.store.access.audit import Deed, write_deed
from callrouter.store.access.recordings import Recordings, stored_recording
from callrouter.store.database import Database
from callrouter.store.person.finding import Own, Say, mentioned, needed, own_of
from callrouter.store.person.naming import Sought, hash_of
from callrouter.store.person.outside import MOST_NAMED, in_documents, in_files
from callrouter.store.person.places import OWN, Texts
from callrouter.store.person.receipts import Receipt, note, put, read_receipt
from callrouter.store.retention.deleting import QUIET
from callrouter.store.tables import AuditOutcome, erasures, recordings

ERASE: Final = "person.erase"
"""What the audit trail calls it."""
WATCH: Final = timedelta(days=31)
"""For so long late rows of the number are known."""
BATCH: Final = 200
WORD: Final = "erased"
OTHER: Final = "-other"
"""What ends the word for another number of the person's."""
GIVEN_UP: Final = """
            settled_at = CASE state WHEN 'open' THEN now() ELSE settled_at END,
            state = CASE state WHEN 'open' THEN 'given_up' ELSE state END
"""
"""Nobody is called back any more whose number is not known."""
"""What stands in the place of words."""

_NUMBERS: Final[Mapping[str, str]] = {
    "calls": "UPDATE calls SET caller_number = :instead WHERE caller_number = ANY(:numbers)",
    "callbacks": f"""
        UPDATE callbacks SET
            number = CASE WHEN number = ANY(:numbers) THEN :instead ELSE :instead || '{OTHER}' END,
            {GIVEN_UP}
        WHERE number = ANY(:numbers) OR (number NOT LIKE :instead || '%'
            AND call_id IN (SELECT call_id FROM calls WHERE caller_number = :instead))
    """,  # noqa: S608 - our own words
    "outgoing_calls": f"""
        UPDATE outgoing_calls SET
            number = CASE WHEN number = ANY(:numbers) THEN :instead ELSE :instead || '{OTHER}' END
        WHERE number = ANY(:numbers) OR (purpose = 'callback' AND number NOT LIKE :instead || '%'
            AND call_id IN (SELECT call_id FROM calls WHERE caller_number = :instead)
            AND NOT EXISTS (SELECT FROM calls WHERE calls.caller_number = outgoing_calls.number))
    """,  # noqa: S608
    "messages": "UPDATE messages SET caller_number = :instead WHERE caller_number = ANY(:numbers)",
}
"""Where the number is what others are found by: all at once, so that a day that is made again meanwhile is the same.

Who wished to be called at another number of theirs had it called: it is blanked, too, unless it is some caller's.
Whether that one was reached rests on it, and its person asks for it by that number.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An erasure that somebody asked for."""

    sought: Sought
    reason: str
    by: By
    now: datetime


class Eraser:
    """Of one machine: it has the recordings' folder, and maybe the spool's."""

    def __init__(
        self,
        database: Database,
        recordings_: Recordings,
        folders: Sequence[Path] = (),
        *,
        say: Say | None = None,
        before_step: Callable[[str], None] = lambda _step: None,
    ) -> None:
        """`folders` are looked through for what waits on disk; `before_step` is told of each step before it begins."""
        self._database = database
        self._recordings = recordings_
        self._folders = tuple(folders)
        self._say = say or (lambda _text: None)
        self._before_step = before_step

    async def erase(self, asked: Asked) -> Receipt:
        """Blank a person everywhere.

        Raises:
            StoreError: PostgreSQL does not answer; asked for again, it goes on.
        """
        self._before_step("begin")
        erasure_id = await self._begun(asked)
        instead = ERASED + erasure_id
        self._before_step("numbers")
        await self._blank_numbers(erasure_id, asked, instead)
        own = await self._own(instead)
        await self.blank_own(erasure_id, own, asked.by)
        self._before_step("mentions")
        await self._blank_mentions(erasure_id, asked.sought, instead)
        self._before_step("outside")
        await self._look_outside(erasure_id, asked.sought)
        async with self._database.connection() as connection:
            ended = update(erasures).where(erasures.c.erasure_id == erasure_id).values(ended_at=asked.now)
            await connection.execute(ended)
        receipt = await read_receipt(self._database, erasure_id)
        assert receipt is not None
        return receipt

    async def blank_own(self, erasure_id: str, own: Own, by: By, *, store: str = "") -> None:
        """Blank what is a person's own, whose number was blanked; counted under `store`, or each by its table."""
        for step, work in (
            ("calls", self._blank_calls),
            ("recordings", self._delete_recordings),
            ("messages", self._blank_messages),
            ("deliveries", self._blank_deliveries),
        ):
            self._before_step(step)
            self._say(f"{step} are blanked")
            await work(erasure_id, own, by, store)

    async def _begun(self, asked: Asked) -> str:
        """A new one; or the one of before of this number, as long as that is known."""
        deed = Deed(
            principal=asked.by.principal,
            action=ERASE,
            object=f"…{asked.sought.number[-2:]}: {asked.reason}",
            outcome=AuditOutcome.DONE,
            address=asked.by.address,
        )
        async with self._database.connection() as connection:
            await write_deed(connection, deed, asked.now)  # before anything is done
            await connection.execute(text("LOCK TABLE erasures IN SHARE ROW EXCLUSIVE MODE"))
            query = select(erasures.c.erasure_id, erasures.c.salt, erasures.c.number_hash)
            for erasure_id, salt, known in await connection.execute(query.where(erasures.c.number_hash.is_not(None))):
                if hash_of(salt, asked.sought.number) == known:
                    again = {"at": asked.now, "watch_until": asked.now + WATCH, "ended_at": None}
                    await connection.execute(update(erasures).where(erasures.c.erasure_id == erasure_id).values(again))
                    return str(erasure_id)
            erasure_id, salt = secrets.token_hex(6), secrets.token_hex(16)
            row = {
                "erasure_id": erasure_id,
                "at": asked.now,
                "principal": asked.by.principal,
                "reason": asked.reason,
                "hint": asked.sought.number[-2:],
                "salt": salt,
                "number_hash": hash_of(salt, asked.sought.number),
                "watch_until": asked.now + WATCH,
            }
            await connection.execute(insert(erasures).values(row))
        return erasure_id

    async def _blank_numbers(self, erasure_id: str, asked: Asked, instead: str) -> None:
        values = {"instead": instead, "numbers": list(asked.sought.written)}
        async with self._database.connection() as connection:
            await connection.execute(text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
            await connection.execute(QUIET)
            for table, statement in _NUMBERS.items():
                done = (await connection.execute(text(statement), values)).rowcount
                await note(connection, erasure_id, table, done, done)

    async def _own(self, instead: str) -> Own:
        async with self._database.connection() as connection:
            return await own_of(connection, [instead])

    async def _blank_calls(self, erasure_id: str, own: Own, _by: By, store: str) -> None:
        for start in range(0, len(own.calls), BATCH):
            ids = own.calls[start : start + BATCH]
            async with self._database.connection() as connection:
                await connection.execute(text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
                await connection.execute(QUIET)
                rows = await connection.execute(
                    text("SELECT call_id, trace FROM calls WHERE call_id = ANY(:ids) FOR UPDATE"), {"ids": ids}
                )
                traces = [{"one": call_id, "trace": without_person(trace)} for call_id, trace in rows]
                blanked = """
                    UPDATE calls SET caller_name = '', diverted_from = NULL, variables = '{}', trace = :trace
                    WHERE call_id = :one
                """
                if traces:
                    await connection.execute(text(blanked).bindparams(bindparam("trace", type_=JSONB)), traces)
                told = """
                    UPDATE superseded_calls SET record = record - 'trace' || jsonb_build_object(
                        'caller_number', CAST(:instead AS text), 'caller_name', '', 'variables', '{}'::jsonb,
                        'diverted_from', NULL)
                    WHERE call_id = ANY(:ids) AND record->>'caller_number' IS DISTINCT FROM :instead
                """
                values = {"ids": ids, "instead": own.numbers[0]}
                done = (await connection.execute(text(told), values)).rowcount
                await note(connection, erasure_id, store or "superseded_calls", done, done)

    async def _delete_recordings(self, erasure_id: str, own: Own, by: By, store: str) -> None:
        query = text(f"SELECT * FROM recordings WHERE ({OWN['recordings']}) AND deleted_at IS NULL")  # noqa: S608
        async with self._database.connection() as connection:
            result = await connection.execute(query.columns(*recordings.columns), needed(OWN["recordings"], own))
            found = [stored_recording(dict(row)) for row in result.mappings()]
        for one in found:
            erased = 0
            try:
                erased = int(await self._recordings.delete(one, by, action=ERASE))
            except OSError:
                self._say(f"the disk keeps the recording {one.recording_id}")
            async with self._database.connection() as connection:
                await note(connection, erasure_id, store or "recordings", 1, erased)

    async def _blank_messages(self, erasure_id: str, own: Own, _by: By, store: str) -> None:
        statement = text(
            """
            UPDATE messages SET caller_name = '', caller_number = :instead, transcript = NULL, state = 'done',
                text = CASE WHEN text = '' AND (recording <> '' OR fields IS NOT NULL) THEN '' ELSE :word END,
                fields = CASE WHEN fields IS NULL THEN NULL ELSE '{}'::jsonb END
            WHERE message_id = ANY(:ids) AND (caller_name <> '' OR caller_number IS DISTINCT FROM :instead
                OR transcript IS NOT NULL OR state <> 'done' OR text NOT IN ('', :word)
                OR coalesce(fields <> '{}'::jsonb, false))
            """
        )
        values = {"ids": own.messages, "instead": own.numbers[0], "word": WORD}
        others = (
            """
            UPDATE delivery_links SET expires_at = least(expires_at, now())
            WHERE delivery_id IN (SELECT delivery_id FROM deliveries WHERE message_id = ANY(:ids))
            """,
            "UPDATE message_changes SET note = '', before = '{}' WHERE message_id = ANY(:ids)",
            "UPDATE dispatch_events SET detail = '' WHERE message_id = ANY(:ids) AND what = 'replied'",
            """
            UPDATE dispatches SET state = 'told', due_at = NULL, held_until = NULL, ages_at = NULL, reason = '',
                ended_at = coalesce(ended_at, now())
            WHERE message_id = ANY(:ids) AND state IN ('new', 'running', 'attention')
            """,
        )
        async with self._database.connection() as connection:
            await connection.execute(QUIET)
            # The dispatch first, as whoever changes how a message is told does.
            lock = text("SELECT FROM dispatches WHERE message_id = ANY(:ids) ORDER BY message_id FOR UPDATE")
            await connection.execute(lock, {"ids": own.messages})
            done = (await connection.execute(statement, values)).rowcount
            for other in others:
                await connection.execute(text(other), {"ids": own.messages})
            await note(connection, erasure_id, store or "messages", done, done)

    async def _blank_deliveries(self, erasure_id: str, own: Own, _by: By, store: str) -> None:
        which = OWN["deliveries"]
        statement = text(
            f"""
            UPDATE deliveries SET body = CASE WHEN body IS NULL THEN NULL ELSE '{{}}' END, answer = '',
                next_attempt_at = NULL,
                state = CASE state WHEN 'queued' THEN 'withdrawn' ELSE state END
            WHERE ({which}) AND (state = 'queued' OR answer <> '' OR body <> '{{}}')
            """  # noqa: S608 - our own words
        )
        async with self._database.connection() as connection:
            await connection.execute(QUIET)
            done = (await connection.execute(statement, needed(which, own))).rowcount
            await note(connection, erasure_id, store or "deliveries", done, done)

    async def _blank_mentions(self, erasure_id: str, sought: Sought, instead: str) -> None:
        async for place, rows in mentioned(self._database, sought, self._say):
            async with self._database.connection() as connection:
                await connection.execute(text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
                await connection.execute(QUIET)
                done = 0
                for row in rows:
                    done += await _blank_row(connection, place, row, sought, instead)
                await note(connection, erasure_id, "mentions", done, done)

    async def _look_outside(self, erasure_id: str, sought: Sought) -> None:
        documents = await in_documents(self._database, sought)
        files = await in_files(sought, *self._folders)
        async with self._database.connection() as connection:
            for store, named in (("plan_documents", documents), ("spool", files)):
                places = json.dumps(named[:MOST_NAMED])
                await put(connection, erasure_id, store, found=len(named), places=places)


async def _blank_row(
    connection: AsyncConnection, place: Texts, row: Mapping[str, Any], sought: Sought, instead: str
) -> int:
    """One row in which the number stands; 0 when somebody changed it meanwhile: then its new text is looked at again
    by whoever asks again.
    """
    changed = {column: sought.blanked(row[column], instead) for column in place.columns}
    changed = {column: value for column, value in changed.items() if value != row[column]}
    if not changed:
        return 0
    values = ", ".join(f"{column} = :{column}" for column in changed)
    statement = text(
        f"UPDATE {place.table} SET {values} WHERE {place.key} = :key AND ctid::text = :at"  # noqa: S608
    ).bindparams(*(bindparam(column, type_=JSONB) for column in changed if column in place.json))
    return (await connection.execute(statement, {**changed, "key": row["key"], "at": row["at"]})).rowcount


def without_person(trace: Any) -> Any:
    """A trace without what its caller keyed, said and wrote: who waited where, how long, stays, so that figures do."""
    if not isinstance(trace, dict) or "visits" not in trace:
        return trace
    kept = {name: part for name, part in trace.items() if name in ("queues", "dials", "step", "node")}
    kept["visits"] = [[node, exit_, "", *rest] for node, exit_, _, *rest in trace["visits"]]
    rest = {name: part for name, part in trace.get("rest", {}).items() if name not in ("memory", "digits")}
    return kept | ({"rest": rest} if rest else {})
