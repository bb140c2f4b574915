"""Lists in pages, by keyset: a page begins after the last row of the one before, however many rows came meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, Select, Table, exists, literal, select, tuple_, union_all

from callrouter.errors import CallrouterError
from callrouter.permissions import Scope, ScopeKind
from callrouter.store.database import Database
from callrouter.store.plans import names_of, one_of
from callrouter.store.tables import queue_visits


class CursorError(CallrouterError):
    """What was sent as a cursor is none of ours."""


async def page(
    database: Database,
    table: Table,
    order: Sequence[Column[Any]],
    *,
    client: str | None,
    filters: Sequence[ColumnElement[bool]] = (),
    from_at: datetime | None,
    to_at: datetime | None,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[RowMapping], str | None]:
    """The rows of a page, the newest first, and the cursor of the next one; None: there is none.

    Args:
        database: open.
        table: whose rows are listed.
        order: the column of the instant, then what distinguishes rows of one instant; there is an index on the first.
        client: whose rows, under the names it had too; None: everybody's.
        filters: conditions that every row passes.
        from_at: the earliest instant, included.
        to_at: the end of the period, not included.
        limit: rows a page.
        cursor: of the page before; None for the first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = newest(table, order, limit + 1).where(*filters, *bounds(order, from_at, to_at, cursor))
    async with database.connection() as connection:
        if client is not None:
            query = _of_each(query, table, order, await names_of(connection, client), limit + 1)
        rows = (await connection.execute(query)).mappings().all()
    return cut(rows, order, limit)


def newest(table: Table, order: Sequence[Column[Any]], limit: int) -> Select[Any]:
    """So many rows at most, the newest first."""
    return select(table).order_by(*(column.desc() for column in order)).limit(limit)


def bounds(
    order: Sequence[Column[Any]], from_at: datetime | None, to_at: datetime | None, cursor: str | None
) -> list[ColumnElement[bool]]:
    """Conditions for the rows of a period, after those of the page before.

    Raises:
        CursorError: the cursor is none of ours.
    """
    at, *key = order
    found: list[ColumnElement[bool]] = []
    if from_at is not None:
        found.append(at >= from_at)
    if to_at is not None:
        found.append(at < to_at)
    if cursor is not None:
        last_at, last_key = decode_cursor(cursor, *(column.type.python_type for column in key))
        # The first condition is the one the index serves; the second cuts within one instant.
        found += [at <= last_at, tuple_(*order) < (last_at, *last_key)]
    return found


def cut(
    rows: Sequence[RowMapping], order: Sequence[Column[Any]], limit: int
) -> tuple[Sequence[RowMapping], str | None]:
    """The rows of a page out of one more than that, and the cursor of the next one; None: there is none."""
    if len(rows) <= limit:
        return rows, None
    at, *key = order
    last = rows[limit - 1]
    return rows[:limit], encode_cursor(last[at.name], *(last[column.name] for column in key))


def _of_each(
    query: Select[Any], table: Table, order: Sequence[Column[Any]], names: Collection[str], limit: int
) -> Select[Any]:
    """The rows of a client under each of its names: an index has them in order for one name, and for no two at once."""
    if len(names) == 1:
        return query.where(one_of(table.c.client, names))
    found = union_all(*(query.where(table.c.client == name).subquery().select() for name in names)).subquery()
    return select(found).order_by(*(found.c[column.name].desc() for column in order)).limit(limit)


def equal(table: Table, **values: str | None) -> list[ColumnElement[bool]]:
    """Conditions by the name of a column: the value that it must have; None: any."""
    return [table.c[name] == value for name, value in values.items() if value is not None]


def constant(column: Column[str], value: str) -> ColumnElement[bool]:
    """That a column holds one of a few words of ours, in the query's text: PostgreSQL plans for that word, where a plan
    for any would read a whole table for those that are rare."""
    return column == literal(value, literal_execute=True)


def within(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions for the rows of a table that a scope holds: by their client, or by a queue their call was in."""
    match scope.kind:
        case ScopeKind.ALL:
            return []
        case ScopeKind.CLIENTS:
            return [one_of(table.c.client, sorted(scope.clients))]
        case ScopeKind.TEAMS:
            of_call = queue_visits.c.call_id == table.c.call_id
            return [exists().where(of_call, queue_visits.c.queue.in_(sorted(scope.names)))]


def encode_cursor(at: datetime, *key: str | int) -> str:
    """An opaque name for the place after a row: its instant, then what distinguishes it from others of that instant."""
    text = json.dumps([at.astimezone(UTC).isoformat(), *key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type[str] | type[int]) -> tuple[datetime, tuple[str | int, ...]]:
    """The instant and the key of a cursor.

    Raises:
        CursorError: it is not one that we gave.
    """
    try:
        instant, *key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at = datetime.fromisoformat(instant)
    except (binascii.Error, ValueError, TypeError) as error:
        raise CursorError("the cursor is none of ours: ask without one for the first page") from error
    if at.tzinfo is None or [type(part) for part in key] != list(kinds) or not "".join(map(str, key)).isprintable():
        raise CursorError("the cursor is of another list: ask without one for the first page")
    if at.utcoffset():  # ours are UTC; near the ends of the calendar another one has no UTC
        raise CursorError("the cursor is none of ours: ask without one for the first page")
    if any(isinstance(part, int) and not 0 <= part < 2**15 for part in key):
        raise CursorError("the cursor is none of ours: ask without one for the first page")
    return at, tuple(key)
