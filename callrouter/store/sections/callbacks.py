"""Callbacks that callers asked for in a period, what settled them, and after how long they were reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from callrouter.outgoing.order import ATTEMPTS, Settlement
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.sections.spread import Spread, spread_of
from callrouter.store.sections.whose import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFigures:
    """Of one client's callbacks."""

    client: str
    asked: int
    open: int
    settled: Mapping[Settlement | None, int]
    """By what settled them, those that there were; None: it is not known. With `open` their sum is `asked`."""
    attempts: int
    """How often somebody was rung for them."""
    reached: Spread
    """From the wish until the caller talked with somebody: called back, rung again, or by hand, as a person says."""


async def read_callbacks(
    database: Database,
    period: Period,
    *,
    now: datetime,
    clients: Collection[str] | None = None,
    zone: ZoneInfo | None = None,
) -> list[CallbackFigures]:
    """By client. The arguments, and what it raises, are those of `whose.read_rows`."""
    rows = await read_rows(
        database,
        _CALLBACKS,
        "callbacks.client",
        period,
        now=now,
        clients=clients,
        zone=zone,
        attempts=sorted(map(str, ATTEMPTS)),
    )
    found: dict[str, list[Mapping[Any, Any]]] = {}
    for client, row in rows:
        found.setdefault(client, []).append(row)
    return [_figures(client, found[client]) for client in sorted(found)]


def _figures(client: str, rows: Collection[Mapping[Any, Any]]) -> CallbackFigures:
    settled = Counter[Settlement | None]()
    for row in rows:
        if row["state"] != "open":
            settled[Settlement(row["settled_by"]) if row["settled_by"] else None] += row["asked"]
    order: list[Settlement | None] = [*Settlement, None]
    return CallbackFigures(
        client=client,
        asked=sum(row["asked"] for row in rows),
        open=sum(row["asked"] for row in rows if row["state"] == "open"),
        settled={how: settled[how] for how in order if settled[how]},
        attempts=sum(row["attempts"] for row in rows),
        reached=spread_of(seconds for row in rows if _is_reached(row) for seconds in row["seconds"] or ()),
    )


def _is_reached(row: Mapping[Any, Any]) -> bool:
    how = row["settled_by"]
    return how is not None and (Settlement(how).is_reached or (how == Settlement.BY_HAND and row["state"] == "done"))


_CALLBACKS: Final = """
SELECT client, state, settled_by, count(*) AS asked, CAST(sum(rung) AS int) AS attempts,
    array_agg(CAST(extract(epoch FROM settled_at - asked_at) AS float8))
        FILTER (WHERE settled_at IS NOT NULL) AS seconds
FROM (
    SELECT callbacks.*, (
        SELECT count(*) FROM outgoing_calls
        WHERE outgoing_calls.call_id = callbacks.call_id AND outgoing_calls.position = callbacks.position
            AND purpose = 'callback' AND outcome = ANY(CAST(:attempts AS text[]))
    ) AS rung
    FROM callbacks WHERE asked_at >= :from_at AND asked_at < :to_at AND {whose}
) AS wishes
GROUP BY client, state, settled_by
"""
