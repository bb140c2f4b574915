"""Every plan that was ever live, as its document: what explains a past call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from callrouter.store.database import Database
from callrouter.store.tables import plans


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A client's file as it was when this version went live for the first time."""

    client: str
    version: str
    document: str
    first_live_at: datetime


async def remember_plan(database: Database, plan: StoredPlan) -> None:
    """Keep a version that goes live; one that is known keeps its first time.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    values = {
        "client": plan.client,
        "version": plan.version,
        "document": plan.document.replace("\x00", "\ufffd"),
        "first_live_at": plan.first_live_at,
    }
    async with database.connection() as connection:
        await connection.execute(insert(plans).values(values).on_conflict_do_nothing())


async def find_plan(database: Database, client: str, version: str) -> StoredPlan | None:
    """A version of a client's plan, or None when it was never live here.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(plans).where(plans.c.client == client, plans.c.version == version)
    async with database.connection() as connection:
        row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else StoredPlan(**row)
