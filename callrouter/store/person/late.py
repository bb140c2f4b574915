"""Rows of before an erasure that come into the record after it: a spool after an outage, a journal after a kill.

PostgreSQL notes each such row (the triggers `calls_are_late`, `messages_are_late`) while erasures are watched; the
worker asks whether it is of an erased number, by its hash, and erases it. A month later nothing tells the number any
more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text, update

from callrouter.core.numbers import ERASED
from callrouter.permissions import OURSELVES, By
from callrouter.store.database import Database
from callrouter.store.person.erasing import GIVEN_UP, Eraser
from callrouter.store.person.finding import own_of
from callrouter.store.person.naming import hash_of
from callrouter.store.person.receipts import note
from callrouter.store.retention.deleting import QUIET
from callrouter.store.tables import erasures

_TAKEN: Final = text(
    """
    SELECT suspect.kind, suspect.subject, coalesce(calls.caller_number, messages.caller_number) AS number
    FROM erasure_suspects AS suspect
        LEFT JOIN calls ON suspect.kind = 'call' AND calls.call_id = suspect.subject
        LEFT JOIN messages ON suspect.kind = 'message' AND messages.message_id = suspect.subject
    ORDER BY suspect.subject LIMIT 1000
    """
)
_DONE: Final = text("DELETE FROM erasure_suspects WHERE kind = :kind AND subject = :subject")


async def erase_late(database: Database, eraser: Eraser, now: datetime) -> int:
    """Erase those that have come since; how many rows were looked at.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        over = update(erasures).where(erasures.c.watch_until <= now, erasures.c.number_hash.is_not(None))
        await connection.execute(over.values(number_hash=None))
        rows = (await connection.execute(_TAKEN)).all()
        watched = (
            (
                await connection.execute(
                    select(erasures.c.erasure_id, erasures.c.salt, erasures.c.number_hash).where(
                        erasures.c.number_hash.is_not(None)
                    )
                )
            ).all()
            if rows
            else []
        )
    for kind, subject, number in rows:
        of = _erasure_of(number or "", watched)
        if of is not None:
            instead = ERASED + of
            column = "call_id" if kind == "call" else "message_id"
            table = "calls" if kind == "call" else "messages"
            async with database.connection() as connection:
                await connection.execute(text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
                await connection.execute(QUIET)
                blank = f"UPDATE {table} SET caller_number = :instead WHERE {column} = :subject"  # noqa: S608
                await connection.execute(text(blank), {"instead": instead, "subject": subject})
                if kind == "call":
                    wishes = f"UPDATE callbacks SET number = :instead, {GIVEN_UP} WHERE call_id = :subject"  # noqa: S608
                    await connection.execute(text(wishes), {"instead": instead, "subject": subject})
                await note(connection, of, "late", 1, 1)
                own = await own_of(connection, [instead])
            await eraser.blank_own(of, own, By(principal=OURSELVES), store="late")
        async with database.connection() as connection:
            await connection.execute(_DONE, {"kind": kind, "subject": subject})
    return len(rows)


def _erasure_of(number: str, watched: Sequence[Any]) -> str | None:
    """Of whose erasure a number is, or what stands in its place already: an earlier telling came afterwards."""
    if number.startswith(ERASED):
        return number.removeprefix(ERASED)
    return next((one for one, salt, known in watched if number and hash_of(salt, number) == known), None)
