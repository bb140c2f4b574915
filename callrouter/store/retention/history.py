"""Runs that were, as they were put down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from callrouter.core.retention.rule import Kind
from callrouter.store.database import Database
from callrouter.store.tables import retention_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One of them."""

    run_id: int
    began_at: datetime
    ended_at: datetime | None
    """None: it runs, or was killed."""
    asked_by: str
    deleted: Mapping[Kind, int]
    held_back: int
    seconds: float
    """Of work, without rests."""
    error: str
    rows: Mapping[str, int]
    """By table."""
    clients: Mapping[str, Any]
    """By client and kind: how many, and up to when."""


async def read_runs(database: Database, limit: int = 30) -> list[PastRun]:
    """The last ones, the newest first.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(retention_runs).order_by(retention_runs.c.run_id.desc()).limit(limit)
    async with database.connection() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [
        PastRun(
            run_id=row["run_id"],
            began_at=row["began_at"],
            ended_at=row["ended_at"],
            asked_by=row["asked_by"],
            deleted={kind: row[kind.value] for kind in Kind},
            held_back=row["held_back"],
            seconds=row["seconds"],
            error=row["error"],
            rows=row["detail"].get("rows", {}),
            clients=row["detail"].get("clients", {}),
        )
        for row in rows
    ]
