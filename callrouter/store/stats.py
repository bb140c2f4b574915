"""The service figures of a period, one row a client, computed from journeys and nothing else.

A journey belongs to the period in which it rang. Its waiting time is what it spent in queues and dials, from entry
into service; answered within T means T or less, a short abandon is one below the client's limit. `answered` counts
journeys bridged to a human (answered and redirected). Handle time is talk time here: hold and wrap-up are not
recorded yet. A rate without anything to divide by is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from callrouter.core.call import Disposition
from callrouter.core.service_level import (
    Formula,
    ServiceCounts,
    ServiceLevelTarget,
    abandon_rate,
    mean_seconds,
    pickup_rate,
    service_level,
)
from callrouter.store.database import Database
from callrouter.store.gaps import Gap, gaps_between

DEFAULT_TARGET = ServiceLevelTarget()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStats:
    """One client's figures. Shares are 0 to 1, or None without any call to share."""

    client: str
    target: ServiceLevelTarget
    """T, limit and formula that the figures were made with."""
    received: int
    by_disposition: Mapping[Disposition, int]
    """Every disposition, in the order of the enumeration; their sum is `received`."""
    offered: int
    """Journeys that reached a human-service node."""
    counts: ServiceCounts
    service_levels: Mapping[Formula, float | None]
    """By every formula; `service_level` is the client's own."""
    pickup_rate: float | None
    """Answered over offered, short abandons left out."""
    abandon_rate: float | None
    """Abandoned over offered, short abandons left out of both."""
    asa_seconds: float | None
    """Mean waiting time of answered journeys."""
    waiting_p50_seconds: float | None
    """Waiting time of answered journeys: median, p90, p95 and longest."""
    waiting_p90_seconds: float | None
    waiting_p95_seconds: float | None
    waiting_max_seconds: float | None
    aht_seconds: float | None
    """Mean talk time of answered journeys."""

    @property
    def service_level(self) -> float | None:
        """By the client's own formula."""
        return self.service_levels[self.target.formula]

    @property
    def basis(self) -> str:
        """What the service level was made with, to be shown beside it."""
        return (
            f"{self.target.formula}: T = {self.target.within_seconds:g} s, "
            f"short abandon below {self.target.short_abandon_seconds:g} s, waiting from entry into service"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The figures of a period: `from_at` included, `to_at` not."""

    from_at: datetime
    to_at: datetime
    clients: list[ClientStats]
    gaps: list[Gap]
    """Times in the period in which calls may be missing."""


async def read_stats(
    database: Database,
    *,
    from_at: datetime,
    to_at: datetime,
    client: str | None = None,
    targets: Mapping[str, ServiceLevelTarget] | None = None,
) -> Stats:
    """The figures of every client that had calls in the period, by name; or of one client, calls or not.

    `targets` are those of the clients' plans; who is not in it is measured by `DEFAULT_TARGET`.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    targets = targets or {}
    parameters = {
        "from_at": from_at,
        "to_at": to_at,
        "client": client,
        "clients": list(targets),
        "within": [target.within_seconds for target in targets.values()],
        "short": [target.short_abandon_seconds for target in targets.values()],
        "default_within": DEFAULT_TARGET.within_seconds,
        "default_short": DEFAULT_TARGET.short_abandon_seconds,
    }
    async with database.connection() as connection:
        rows = (await connection.execute(text(_QUERY), parameters)).mappings().all()
    found = [_client_stats(row, targets.get(row["client"], DEFAULT_TARGET)) for row in rows]
    if client is not None and not found:
        found = [_client_stats(_nothing(client), targets.get(client, DEFAULT_TARGET))]
    return Stats(from_at=from_at, to_at=to_at, clients=found, gaps=await gaps_between(database, from_at, to_at))


def _client_stats(row: Mapping[Any, Any], target: ServiceLevelTarget) -> ClientStats:
    answered, abandoned = row["reached"], row["abandoned"]
    counts = ServiceCounts(
        answered=answered,
        abandoned=abandoned,
        answered_within=row["reached_within"],
        abandoned_within=row["abandoned_within"],
        short_abandoned=row["short_abandoned"],
        otherwise=row["offered"] - answered - abandoned,
    )
    p50, p90, p95 = row["waiting"] or (None, None, None)
    return ClientStats(
        client=row["client"],
        target=target,
        received=row["received"],
        by_disposition={disposition: row[disposition.value] for disposition in Disposition},
        offered=row["offered"],
        counts=counts,
        service_levels={formula: service_level(counts, formula) for formula in Formula},
        pickup_rate=pickup_rate(counts),
        abandon_rate=abandon_rate(counts),
        asa_seconds=mean_seconds(row["waiting_total"] or 0.0, answered),
        waiting_p50_seconds=p50,
        waiting_p90_seconds=p90,
        waiting_p95_seconds=p95,
        waiting_max_seconds=row["waiting_max"],
        aht_seconds=mean_seconds(row["talk_total"] or 0.0, answered),
    )


def _nothing(client: str) -> dict[str, Any]:
    counts = ("received", "offered", "reached", "reached_within", "abandoned_within", "short_abandoned")
    return (
        dict.fromkeys([*counts, *(disposition.value for disposition in Disposition)], 0)
        | dict.fromkeys(["waiting", "waiting_total", "waiting_max", "talk_total"])
        | {"client": client}
    )


_BY_DISPOSITION = ", ".join(f"count(*) FILTER (WHERE disposition = '{d.value}') AS {d.value}" for d in Disposition)

_QUERY = f"""
WITH targets AS (
    SELECT * FROM unnest(CAST(:clients AS text[]), CAST(:within AS float8[]), CAST(:short AS float8[]))
        AS targets (client, within, short)
), journeys AS (
    SELECT calls.client, disposition, waiting_seconds, talk_seconds,
        entered_service_at IS NOT NULL AS entered,
        disposition IN ('answered', 'redirected') AS reached,
        disposition = 'abandoned' AS abandoned,
        waiting_seconds <= coalesce(within, CAST(:default_within AS float8)) AS in_time,
        waiting_seconds < coalesce(short, CAST(:default_short AS float8)) AS was_short
    FROM calls LEFT JOIN targets ON targets.client = calls.client
    WHERE ringing_at >= :from_at AND ringing_at < :to_at
        AND (CAST(:client AS text) IS NULL OR calls.client = :client)
)
SELECT client, count(*) AS received, {_BY_DISPOSITION},
    count(*) FILTER (WHERE entered) AS offered,
    count(*) FILTER (WHERE reached) AS reached,
    count(*) FILTER (WHERE reached AND in_time) AS reached_within,
    count(*) FILTER (WHERE abandoned AND in_time) AS abandoned_within,
    count(*) FILTER (WHERE abandoned AND was_short) AS short_abandoned,
    sum(waiting_seconds) FILTER (WHERE reached) AS waiting_total,
    max(waiting_seconds) FILTER (WHERE reached) AS waiting_max,
    percentile_cont(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY waiting_seconds) FILTER (WHERE reached) AS waiting,
    sum(talk_seconds) FILTER (WHERE reached) AS talk_total
FROM journeys GROUP BY client ORDER BY client
"""  # noqa: S608 - made of our own enumeration
