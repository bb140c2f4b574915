"""Finds a person in the record, by their number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.person.naming import Sought
from callrouter.store.person.outside import in_documents, in_files
from callrouter.store.person.places import AT_ONCE, OWN, TEXTS, Texts

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A person's own rows, by what they are found by."""

    numbers: list[str]
    calls: list[str]
    messages: list[str]
    recordings: list[str]

    @property
    def values(self) -> dict[str, list[str]]:
        """Parameters of `places.OWN`."""
        return {
            "numbers": self.numbers,
            "calls": self.calls,
            "messages": self.messages,
            "recordings": self.recordings,
        }


async def own_of(connection: AsyncConnection, numbers: list[str]) -> Own:
    """Those of a person by the numbers, or what stands in their place.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    of_calls = f"SELECT call_id FROM calls WHERE {OWN['calls']}"  # noqa: S608 - our own words
    calls = list((await connection.execute(text(of_calls), {"numbers": numbers})).scalars())
    of_messages = f"SELECT message_id, recording FROM messages WHERE {OWN['messages']}"  # noqa: S608
    rows = (await connection.execute(text(of_messages), {"numbers": numbers, "calls": calls})).all()
    return Own(
        numbers=numbers,
        calls=calls,
        messages=[message for message, _ in rows],
        recordings=[recording for _, recording in rows if recording],
    )


async def count_own(connection: AsyncConnection, own: Own) -> dict[str, int]:
    """By table, how many rows are theirs.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    found = {}
    for table, which in OWN.items():
        query = f"SELECT count(*) FROM {table} WHERE {which}"  # noqa: S608
        found[table] = (await connection.execute(text(query), needed(which, own))).scalar_one()
    return found


def needed(which: str, own: Own) -> dict[str, list[str]]:
    """The parameters that a condition names."""
    return {name: value for name, value in own.values.items() if f":{name})" in which}


async def mentioned(
    database: Database, sought: Sought, say: Say | None = None
) -> AsyncIterator[tuple[Texts, list[Mapping[str, Any]]]]:
    """Rows in whose texts the number stands, some at a time, with `ctid`; theirs too, as long as it stands there.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    for place in TEXTS:
        after, looked = "", 0
        while True:
            async with database.connection() as connection:
                last, many = (await connection.execute(text(_last(place)), {"after": after})).one()
                if last is None:
                    break
                values = {"after": after, "last": last, "pattern": sought.pattern}
                rows = (await connection.execute(text(_matching(place)), values)).mappings().all()
            looked += many
            if say is not None:
                say(f"{place.table}: {looked} rows are looked through")
            if rows:
                yield place, [dict(row) for row in rows]
            after = last


def _last(place: Texts) -> str:
    return f"""
        SELECT max(key), count(*) FROM (
            SELECT {place.key} AS key FROM {place.table} WHERE {place.key} > :after ORDER BY 1 LIMIT {AT_ONCE}
        ) AS next
    """  # noqa: S608


def _matching(place: Texts) -> str:
    """Digits are looked for first: nearly no text has that many."""
    whole = f"concat_ws(' ', {', '.join(f'{column}::text' for column in place.columns)})"
    return f"""
        SELECT {place.key} AS key, ctid::text AS at, {", ".join(place.columns)} FROM {place.table}
        WHERE {place.key} > :after AND {place.key} <= :last AND {whole} ~ :pattern
    """  # noqa: S608


async def count_all(
    database: Database, sought: Sought, say: Say | None = None, folders: tuple[Path, ...] = ()
) -> dict[str, int]:
    """How many rows, files and documents hold a number, by store; a function of a module, for the workshop.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        own = await own_of(connection, list(sought.written))
        found = await count_own(connection, own)
    theirs = {*own.calls, *own.messages}
    found["mentions"] = 0
    async for _, rows in mentioned(database, sought, say):
        found["mentions"] += sum(row["key"] not in theirs for row in rows)
    found["plan_documents"] = len(await in_documents(database, sought))
    found["spool"] = len(await in_files(sought, *folders))
    return found
