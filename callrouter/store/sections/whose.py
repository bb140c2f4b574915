"""Whose rows a section is made of, and from when to when: one part for all whose period begins and ends together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.plans import present_names
from callrouter.store.promises import operators_zone, zones_in_service


@dataclass(frozen=True, slots=True)
class Part:
    """Clients whose period begins and ends at the same instants."""

    from_at: datetime
    to_at: datetime
    names: Sequence[str]
    """Theirs, and those they had before; of those who are left out, where `others`."""
    others: bool = False
    """All clients but these: calls of nobody too."""

    def whose(self, column: str) -> str:
        """A condition on the column that names the client."""
        if self.others:
            return f"{column} <> ALL(CAST(:clients AS text[]))" if self.names else "true"
        return f"{column} = ANY(CAST(:clients AS text[]))"

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of its queries."""
        span = {"from_at": self.from_at, "to_at": self.to_at}
        return {**span, "clients": list(self.names)} if self.names or not self.others else span


async def read_rows(
    database: Database,
    query: str,
    column: str,
    period: Period,
    *,
    now: datetime,
    clients: Collection[str] | None,
    zone: ZoneInfo | None,
    **values: Any,
) -> list[tuple[str, RowMapping]]:
    """The rows of a section, each with the client's present name: of one instant.

    Args:
        database: open.
        query: SQL with `{whose}`, `:from_at` and `:to_at`, whose rows name a `client`.
        column: by which whose it is.
        period: by each client's own clocks.
        now: by the clock of calls.
        clients: under the names that they had too; of a former name, what stands under that; None: all.
        zone: on whose clocks the period is; None: on each client's own.
        values: of other parameters.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, for everybody.
    """
    asked = frozenset(clients or ())
    async with database.connection() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        present = await present_names(connection)
        found: list[tuple[str, RowMapping]] = []
        for part in await _parts(connection, present, period, now, clients, zone):
            statement = text(query.replace("{whose}", part.whose(column)))
            rows = (await connection.execute(statement, {**part.values, **values})).mappings()
            found += [
                (row["client"] if row["client"] in asked else present.get(row["client"], row["client"]), row)
                for row in rows
            ]
    return found


async def _parts(
    connection: AsyncConnection,
    present: Mapping[str, str],
    period: Period,
    now: datetime,
    clients: Collection[str] | None,
    zone: ZoneInfo | None,
) -> list[Part]:
    one = next(iter(clients)) if clients is not None and len(clients) == 1 else None
    zones = await zones_in_service(connection, one) if zone is None or clients is None else {}
    if one is not None and zone is None and not zones:
        zones = await zones_in_service(connection)
    zones = {name: own for name, own in zones.items() if name not in present or name in (clients or ())}
    operators = zone or operators_zone(zones)
    theirs = {
        name: zone or ZoneInfo(zones.get(name, operators.key)) for name in (zones if clients is None else clients)
    }
    usual = period.within(operators, now)
    by_bounds: dict[tuple[datetime, datetime], list[str]] = {}
    for name, own in theirs.items():
        bounds = period.within(own, now)
        if clients is not None or bounds != usual:
            former = [one for one, now_called in present.items() if now_called == name and one not in theirs]
            by_bounds.setdefault(bounds, []).extend([name, *former])
    parts = [Part(*bounds, names) for bounds, names in by_bounds.items()]
    if clients is None:
        parts.append(Part(*usual, [name for names in by_bounds.values() for name in names], others=True))
    if parts and all(part.from_at >= part.to_at for part in parts):
        raise ValueError("the period ends before it begins")
    return parts
