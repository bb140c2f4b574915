"""Callers who gave up in a period, and who of them was reached later: by whom, and after how long.

A journey belongs to the period in which it rang, and stays an abandoned one. Whoever is reached later than `AGAIN`
after they rang is reached for something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.outgoing.names import Names
from callrouter.store.outgoing.worklist import AGAIN
from callrouter.store.sections.spread import Spread, spread_of
from callrouter.store.sections.whose import read_rows


class Reached(StrEnum):
    """How a caller who gave up was reached."""

    RANG_AGAIN = "rang_again"
    CALLED_BACK = "called_back"
    """By a callback of ours."""
    BY_HAND = "by_hand"
    """As a person says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedFigures:
    """Of one client's callers who gave up."""

    client: str
    abandoned: int
    without_number: int
    """Nobody can call them back."""
    reached: Mapping[Reached, int]
    """By what came first, those that there were."""
    after: Spread
    """From when they gave up."""

    @property
    def share_reached(self) -> float | None:
        """Of those who gave up; None when nobody did."""
        return self.after.count / self.abandoned if self.abandoned else None


async def read_abandoned(
    database: Database,
    period: Period,
    *,
    now: datetime,
    clients: Collection[str] | None = None,
    zone: ZoneInfo | None = None,
) -> list[AbandonedFigures]:
    """By client. The arguments, and what it raises, are those of `whose.read_rows`."""
    async with database.connection() as connection:
        names = await Names.read(connection)
    theirs, name = names.joined("gave_up.client")
    query = _ABANDONED.replace("{theirs}", theirs).replace("{name}", name)
    rows = await read_rows(
        database,
        query,
        "calls.client",
        period,
        now=now,
        clients=clients,
        zone=zone,
        again=AGAIN,
        **names.values,
    )
    found: dict[str, list[Mapping[Any, Any]]] = {}
    for client, row in rows:
        found.setdefault(client, []).append(row)
    return [_figures(client, found[client]) for client in sorted(found)]


def _figures(client: str, rows: Collection[Mapping[Any, Any]]) -> AbandonedFigures:
    reached = Counter[str]()
    for row in rows:
        reached.update(how for how in row["how"] if how is not None)
    return AbandonedFigures(
        client=client,
        abandoned=sum(row["abandoned"] for row in rows),
        without_number=sum(row["without_number"] for row in rows),
        reached={how: reached[how] for how in Reached if reached[how]},
        after=spread_of(one for row in rows for one in row["seconds"] if one is not None),
    )


_ABANDONED: Final = """
WITH gave_up AS MATERIALIZED (
    SELECT client, call_id, caller_number, ringing_at, ended_at
    FROM calls WHERE ringing_at >= :from_at AND ringing_at < :to_at AND disposition = 'abandoned' AND {whose}
), reached AS (
    SELECT gave_up.call_id, 'rang_again' AS how, later.bridged_at AS at
    FROM gave_up {theirs} JOIN calls AS later ON later.client = {name}
        AND later.caller_number = gave_up.caller_number AND later.bridged_at IS NOT NULL
        AND later.ringing_at > gave_up.ringing_at AND later.ringing_at < gave_up.ringing_at + :again
        AND later.ringing_at >= :from_at AND later.ringing_at < CAST(:to_at AS timestamptz) + :again
    UNION ALL
    SELECT gave_up.call_id, 'called_back', placed.answered_at
    FROM gave_up {theirs} JOIN outgoing_calls AS placed ON placed.purpose = 'callback' AND placed.client = {name}
        AND placed.number = gave_up.caller_number AND placed.answered_at IS NOT NULL
        AND placed.placed_at > gave_up.ringing_at AND placed.placed_at < gave_up.ringing_at + :again
    UNION ALL
    SELECT gave_up.call_id, 'by_hand', said.at
    FROM gave_up JOIN follow_ups AS said ON said.call_id = gave_up.call_id AND said.result = 'reached'
), first AS (
    SELECT DISTINCT ON (call_id) call_id, how, at FROM reached ORDER BY call_id, at, how
)
SELECT client, count(*) AS abandoned, count(*) FILTER (WHERE caller_number IS NULL) AS without_number,
    array_agg(how) AS how, array_agg(CAST(extract(epoch FROM at - ended_at) AS float8)) AS seconds
FROM gave_up LEFT JOIN first USING (call_id) GROUP BY client
"""
