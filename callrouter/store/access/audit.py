"""The audit trail as rows: one for each deed of a principal in a minute, written once however often it is tried."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.paging import equal, page, within
from callrouter.store.tables import AuditOutcome, audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did, or was not let do."""

    principal: str
    action: str
    """A permission's name, or what a command does (`dialplan.publish`)."""
    object: str = ""
    """What it was done to; empty where the action says it."""
    client: str | None = None
    """Whose it is; None: no one client's."""
    outcome: AuditOutcome
    address: str = ""
    """From where; empty from the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A deed as it is kept."""

    audit_id: str
    at: datetime
    deed: Deed
    times: int
    """How often in that minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Rows, the newest first, and where the next page begins (None: there is none)."""

    rows: list[AuditRow]
    next_cursor: str | None


def new_id(at: datetime) -> str:
    """An id of a row, never given twice."""
    return f"{int(at.timestamp()):010d}-{secrets.token_hex(8)}"


async def write_deed(connection: AsyncConnection, deed: Deed, at: datetime) -> None:
    """Put a deed down in the transaction that does it."""
    await _put(connection, [AuditRow(audit_id=new_id(at), at=at, deed=deed, times=1)])


async def write_rows(database: Database, rows: Sequence[AuditRow]) -> None:
    """Put rows down; of one that is there already, the higher count stays.

    Raises:
        StoreError: nothing is known to be written.
    """
    async with database.connection() as connection:
        await _put(connection, rows)


async def _put(connection: AsyncConnection, rows: Sequence[AuditRow]) -> None:
    values = [
        {
            "audit_id": row.audit_id,
            "at": row.at,
            "principal": row.deed.principal,
            "action": row.deed.action,
            "object": row.deed.object,
            "client": row.deed.client,
            "outcome": row.deed.outcome.value,
            "address": row.deed.address,
            "times": row.times,
        }
        for row in rows
    ]
    statement = insert(audit)
    higher = func.greatest(audit.c.times, statement.excluded.times)
    again = statement.on_conflict_do_update(index_elements=[audit.c.audit_id], set_={"times": higher})
    await connection.execute(again, values)


async def list_audit(
    database: Database,
    *,
    client: str | None = None,
    principal: str | None = None,
    action: str | None = None,
    outcome: AuditOutcome | None = None,
    scope: Scope = EVERYTHING,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> AuditPage:
    """Deeds by when they were done (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    rows, next_cursor = await page(
        database,
        audit,
        (audit.c.at, audit.c.audit_id),
        client=client,
        filters=[
            *equal(audit, principal=principal, action=action, outcome=outcome),
            *within(audit, scope),
        ],
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    found = []
    for row in rows:
        values = dict(row)
        own = {name: values.pop(name) for name in ("audit_id", "at", "times")}
        deed = Deed(**{**values, "outcome": AuditOutcome(values["outcome"])})
        found.append(AuditRow(**own, deed=deed))
    return AuditPage(rows=found, next_cursor=next_cursor)
