"""What agents' conversations with callers took: talk, hold and wrap-up, of the calls that rang in a period.

A call belongs to the period in which it rang, and all that agents did for it with it: so the figures stand beside
those of calls. (An agent's own figures are of when they did it: `store.agents.figures`.) What agents did in callbacks
is told apart; a callback belongs to the period in which it was placed. A client's own people are no agents: their talk
is in the client's AHT of all calls, and not here.

A conversation is a leg; of calls that no engine had it is the visit that was answered. A wrap-up is found by its agent
and by when their conversation ended: it begins within a minute, or is none of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from callrouter.periods import Period
from callrouter.store.agents.work import Work
from callrouter.store.database import Database
from callrouter.store.sections.whose import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingFigures:
    """What agents did for one client's callers."""

    client: str
    calls: Work
    """Conversations of callers who rang."""
    callbacks: Work
    """Of those who were called back."""

    @property
    def all(self) -> Work:
        """Both: its AHT (DMT) is the client's."""
        return self.calls + self.callbacks


async def read_handling(
    database: Database,
    period: Period,
    *,
    now: datetime,
    clients: Collection[str] | None = None,
    zone: ZoneInfo | None = None,
) -> list[HandlingFigures]:
    """By client. The arguments, and what it raises, are those of `whose.read_rows`."""
    calls = await _work(database, _CALLS, "calls.client", period, now, clients, zone)
    callbacks = await _work(database, _CALLBACKS, "outgoing_calls.client", period, now, clients, zone)
    return [
        HandlingFigures(client=name, calls=calls.get(name, Work()), callbacks=callbacks.get(name, Work()))
        for name in sorted({*calls, *callbacks})
    ]


async def _work(
    database: Database,
    query: str,
    column: str,
    period: Period,
    now: datetime,
    clients: Collection[str] | None,
    zone: ZoneInfo | None,
) -> dict[str, Work]:
    found: dict[str, Work] = {}
    for client, row in await read_rows(
        database, query, column, period, now=now, clients=clients, zone=zone, asked_at=now
    ):
        work = Work(
            conversations=row["conversations"],
            talk_seconds=row["talk"],
            hold_seconds=row["hold"],
            wrap_up_seconds=row["wrap_up"],
        )
        found[client] = found.get(client, Work()) + work
    return found


_NOW: Final = "CAST(:asked_at AS timestamptz)"

_SUMS: Final = f"""
SELECT client, CAST(sum(conversations) AS int) AS conversations, sum(talk) AS talk, sum(hold) AS hold,
    sum(CAST(coalesce(wrap_up, 0) AS float8)) AS wrap_up
FROM conversed CROSS JOIN LATERAL (
    SELECT sum(greatest(extract(epoch FROM coalesce(ended_at, {_NOW}) - started_at), 0)) AS wrap_up
    FROM agent_sessions
    WHERE agent_sessions.agent = conversed.agent AND kind = 'wrap_up' AND agent_sessions.call_id = conversed.call_id
        AND started_at >= conversed.from_at AND started_at < conversed.until_at + interval '1 minute'
) AS after
GROUP BY client
"""  # noqa: S608 - made of our own words

_LEGS_OF_CALL: Final = (
    "legs.leg_id > calls.call_id || '/' AND legs.leg_id < calls.call_id || '0'"
    " AND legs.purpose = 'agent' AND legs.answered_at IS NOT NULL"
)

# Each call's legs by themselves: PostgreSQL knows nothing of how few a range of ids holds, and would read all legs.
_CALLS: Final = f"""
WITH conversed AS (
    SELECT calls.client, calls.call_id, theirs.*
    FROM calls CROSS JOIN LATERAL (
        SELECT legs.party AS agent, count(*) AS conversations, sum(legs.talk_seconds) AS talk,
            sum(legs.hold_seconds) AS hold, min(legs.answered_at) AS from_at,
            max(coalesce(legs.ended_at, legs.answered_at)) AS until_at
        FROM legs WHERE {_LEGS_OF_CALL}
        GROUP BY legs.party
        UNION ALL
        SELECT agent, 1, CAST(extract(epoch FROM coalesce(left_at, answered_at) - answered_at) AS float8), 0,
            answered_at, coalesce(left_at, answered_at)
        FROM queue_visits
        WHERE queue_visits.call_id = calls.call_id AND answered_at IS NOT NULL AND agent IS NOT NULL
            AND NOT EXISTS (SELECT FROM legs WHERE {_LEGS_OF_CALL} AND legs.party = queue_visits.agent)
    ) AS theirs
    WHERE calls.ringing_at >= :from_at AND calls.ringing_at < :to_at AND {{whose}} AND calls.bridged_at IS NOT NULL
)
{_SUMS}"""  # noqa: S608 - made of our own words

_CALLBACKS: Final = f"""
WITH conversed AS (
    SELECT client, outgoing_id AS call_id, agent, 1 AS conversations,
        CAST(extract(epoch FROM coalesce(ended_at, {_NOW}) - answered_at) AS float8) AS talk,
        CAST(0 AS float8) AS hold, answered_at AS from_at, coalesce(ended_at, {_NOW}) AS until_at
    FROM outgoing_calls
    WHERE placed_at >= :from_at AND placed_at < :to_at AND {{whose}}
        AND purpose = 'callback' AND answered_at IS NOT NULL AND agent IS NOT NULL
)
{_SUMS}"""  # noqa: S608 - made of our own words
