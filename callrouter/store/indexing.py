"""Indexes of large tables, made before the migration that names them, while others go on writing.

A migration runs in one transaction, and an index made in it keeps everybody from writing to its table until it is
done: some ten seconds each over ten million calls. So those of tables that are large are made beforehand, one after the
other, with CREATE INDEX CONCURRENTLY, which no transaction can hold; the migration finds them and goes on. One that was
interrupted leaves an index that is none: it is removed first.
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from sqlalchemy import Index, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex

from callrouter.store import tables

LARGE: Final = 100_000
"""Rows; below, an index takes no time."""
BEFOREHAND: Final = {
    "calls_client_ringing_at_disposition_idx": "0025",
    "calls_disposition_ringing_at_idx": "0025",
    "calls_did_ringing_at_idx": "0025",
    "calls_caller_number_ringing_at_idx": "0025",
    "queue_visits_agent_entered_at_idx": "0025",
    "legs_agents_idx": "0027",
    "legs_long_idx": "0027",
    "agent_sessions_long_idx": "0027",
    "deliveries_call_id_idx": "0031",
}
"""The indexes, and the revision whose migration needs each."""
_LOCK: Final = 0x63616C6C726F7575
"""Advisory lock of whoever makes them: two at once would wait for each other."""

log = structlog.get_logger(__name__)


async def make_beforehand(connection: AsyncConnection, current: str | None) -> None:
    """Make those that the migrations after `current` need, of tables that are large.

    Args:
        connection: in no transaction (AUTOCOMMIT), and with no limit of time.
        current: the revision the schema is at; None: there are no tables yet.
    """
    wanted = [name for name, revision in BEFOREHAND.items() if current is not None and current < revision]
    if not wanted:
        return
    if not (await connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK})).scalar_one():
        return  # somebody else makes them; the migration waits for their locks, and makes what is missing
    try:
        for name in wanted:
            await _make(connection, _declared()[name])
    finally:
        await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


async def _make(connection: AsyncConnection, index: Index) -> None:
    assert index.table is not None
    names: dict[str, Any] = {"table": index.table.name, "index": index.name}
    rows = "SELECT coalesce((SELECT reltuples FROM pg_class WHERE oid = to_regclass(:table)), 0)"
    known = (await connection.execute(text(rows), names)).scalar_one()
    if 0 <= known < LARGE:  # less than none: nobody has looked how many there are
        return
    there = "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = ANY(:columns)"
    columns = {column.name for column in index.columns}
    if (await connection.execute(text(there), {**names, "columns": list(columns)})).scalar_one() < len(columns):
        return  # the table is of before: a migration between gives it the column, and makes the index as well
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:index)"
    is_valid = (await connection.execute(text(valid), names)).scalar()
    if is_valid:
        return
    if is_valid is False:
        await connection.execute(text(f"DROP INDEX CONCURRENTLY {index.name}"))
    log.info("an index is made; calls go on being written meanwhile", index=index.name)
    made = str(CreateIndex(index).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    await connection.execute(text(made.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)))


def _declared() -> dict[str, Index]:
    return {str(index.name): index for table in tables.metadata.tables.values() for index in table.indexes}
