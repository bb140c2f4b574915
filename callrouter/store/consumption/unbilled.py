"""Since when what a client pays for is not billed yet: until then nothing of it may go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.figures.days import begins_at

_AGREED: Final = text(
    """
    SELECT min(since) FILTER (WHERE version IS NOT NULL) AS first_day,
        max(since) FILTER (WHERE version IS NULL) AS ended_day,
        max(since) FILTER (WHERE version IS NOT NULL) AS last_day
    FROM client_tariffs WHERE client = ANY(:names)
    """
)
_ISSUED: Final = text("SELECT max(to_at) FROM consumption_invoices WHERE client = ANY(:names)")


async def unbilled_since(connection: AsyncConnection, names: Collection[str], zone: ZoneInfo) -> datetime | None:
    """When the first month begins, or goes on, that a client with a tariff has no invoice of; None: all are billed, or
    nothing was ever agreed on.

    Args:
        connection: open.
        names: all that the client has, and had.
        zone: the client's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    first_day, ended_day, last_day = (await connection.execute(_AGREED, {"names": list(names)})).one()
    if first_day is None:
        return None
    issued_to: datetime | None = (await connection.execute(_ISSUED, {"names": list(names)})).scalar_one()
    since = issued_to or begins_at(first_day, zone)
    over = ended_day is not None and ended_day > last_day and begins_at(ended_day, zone) <= since
    return None if over else since
