"""A line as the record has it, on some days: who came, how long they waited, what an answer took, and who was there.

A caller counts where they began to wait, with the wait of that stay; a handle time is that of the conversation which
answered it, with hold and wrap-up. Who answers a line is who was rung for it on these days: in each half hour they are
there while they are logged in and not paused. Of who logs in nowhere it is known only that they were rung: they are
there in the half hours in which they were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.call import QueueOutcome
from callrouter.periods import Moment
from callrouter.staffing.line import HALF_HOUR, Line, Stay
from callrouter.store.agents.rows import RowReader
from callrouter.store.agents.spans import instant
from callrouter.store.agents.work import time_in
from callrouter.store.database import Database
from callrouter.store.plans import names_of


async def read_line(
    database: Database,
    days: Sequence[date],
    zone: ZoneInfo,
    *,
    now: datetime,
    queue: str | None = None,
    client: str | None = None,
) -> Line:
    """What was measured of a team's line, of one client's callers, or of one client's in one line.

    Args:
        database: open.
        days: which were over; in `zone`.
        zone: by whose clocks half hours are.
        now: by the clock of calls.
        queue: the team's line; None: every one.
        client: whose callers, under the names it had too; None: everybody's.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    stays, pick_ups, offered, missed = list[Stay](), list[float](), 0, 0
    there: defaultdict[int, float] = defaultdict(float)
    async with database.connection() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        names = None if client is None else list(await names_of(connection, client))
        whose = "true" if names is None else "calls.client = ANY(CAST(:names AS text[]))"
        which = "true" if queue is None else "{table}.queue = :queue"
        asked: dict[str, Any] = {} if names is None else {"names": names}
        asked |= {} if queue is None else {"queue": queue}
        for day in days:
            bounds = [Moment(one).within(zone, now) for one in (day, day + timedelta(days=1))]
            span = {**asked, "from_at": bounds[0], "to_at": bounds[1], "earliest": bounds[0] - _LONGEST}
            query = _STAYS.format(whose=whose, which=which.format(table="queue_visits"))
            for row in (await connection.execute(text(query), span)).mappings():
                stays.append(_stay(row, day, zone))
            query = _OFFERS.format(whose=whose, which=which.format(table="offers"))
            offers = (await connection.execute(text(query), span)).mappings().all()
            pick_ups += [
                row["seconds"] for row in offers if row["outcome"] == "answered" and row["seconds"] is not None
            ]
            offered += len(offers)
            missed += sum(row["outcome"] in ("rang_out", "refused") for row in offers)
            rung = {(row["agent"], _slot(row["began_at"], zone)) for row in offers}
            for slot, present in (await _present(connection, rung, bounds, zone, now)).items():
                there[slot] += present / len(days)
    return Line(days=days, stays=stays, pick_ups=pick_ups, offers=offered, missed=missed, there=dict(there))


_LONGEST: Final = timedelta(hours=6)
"""No caller is in a call so long before they wait in a line."""


def _stay(row: Any, day: date, zone: ZoneInfo) -> Stay:
    handled = None
    if row["talk"] is not None:
        handled = (row["talk"], float(row["wrap_up"] or 0.0))
    return Stay(
        slot=_slot(row["entered_at"], zone),
        day=day,
        seconds=row["waiting_seconds"],
        outcome=QueueOutcome(row["outcome"]) if row["outcome"] else None,
        handled=handled,
    )


def _slot(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.hour * 2 + local.minute // 30


async def _present(
    connection: AsyncConnection, rung: set[tuple[str, int]], bounds: Sequence[datetime], zone: ZoneInfo, now: datetime
) -> dict[int, float]:
    """By half hour of a day: how many of those who were rung on it were there, on average."""
    agents = sorted({agent for agent, _ in rung})
    if not agents:
        return {}
    edges = _half_hours(bounds, zone)
    reader = RowReader(connection, edges, now=now, by=None, present={})
    at = np.array([instant(one) for one in edges], dtype=np.int64)
    there: defaultdict[int, float] = defaultdict(float)
    lengths: defaultdict[int, float] = defaultdict(float)
    for begins, ends in pairwise(edges):
        lengths[_slot(begins, zone)] += ends.timestamp() - begins.timestamp()
    for agent, rows in await reader.rows_of(agents):
        times = time_in(rows, at)
        if not any(one.logged_in_seconds for one in times):
            for slot in {slot for name, slot in rung if name == agent}:
                there[slot] += lengths[slot]
            continue
        for begins, one in zip(edges, times, strict=False):
            there[_slot(begins, zone)] += one.logged_in_seconds - sum(one.paused_seconds.values())
    return {slot: seconds / lengths[slot] for slot, seconds in there.items() if lengths[slot]}


def _half_hours(bounds: Sequence[datetime], zone: ZoneInfo) -> list[datetime]:
    """When the half hours of a day begin, and when its last one ends: a day has 46, 48 or 50."""
    begins, ends = (one.timestamp() for one in bounds)
    edges = [begins]
    while edges[-1] + HALF_HOUR < ends:
        edges.append(edges[-1] + HALF_HOUR)
    return [datetime.fromtimestamp(one, zone) for one in (*edges, ends)]


_STAYS: Final = """
SELECT queue_visits.entered_at, queue_visits.waiting_seconds, queue_visits.outcome, handled.talk, handled.wrap_up
FROM calls JOIN queue_visits ON queue_visits.call_id = calls.call_id AND {which}
LEFT JOIN LATERAL (
    SELECT legs.talk_seconds + legs.hold_seconds AS talk, (
        SELECT sum(extract(epoch FROM agent_sessions.ended_at - agent_sessions.started_at)) FROM agent_sessions
        WHERE agent_sessions.agent = legs.party AND kind = 'wrap_up' AND agent_sessions.call_id = legs.call_id
            AND started_at >= legs.answered_at AND started_at < legs.ended_at + interval '1 minute'
    ) AS wrap_up
    FROM legs
    WHERE legs.leg_id > calls.call_id || '/' AND legs.leg_id < calls.call_id || '0'
        AND legs.purpose = 'agent' AND legs.party = queue_visits.agent AND legs.answered_at = queue_visits.answered_at
    LIMIT 1
) AS handled ON queue_visits.answered_at IS NOT NULL
WHERE calls.ringing_at >= :earliest AND calls.ringing_at < :to_at AND {whose}
    AND queue_visits.entered_at >= :from_at AND queue_visits.entered_at < :to_at
"""

_OFFERS: Final = """
SELECT offers.agent, offers.began_at, offers.outcome,
    CAST(extract(epoch FROM offers.ended_at - offers.began_at) AS float8) AS seconds
FROM calls JOIN offers ON offers.call_id = calls.call_id AND {which}
WHERE calls.ringing_at >= :earliest AND calls.ringing_at < :to_at AND {whose}
    AND offers.began_at >= :from_at AND offers.began_at < :to_at
"""
