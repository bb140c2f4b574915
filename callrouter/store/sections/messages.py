"""Messages of a period, and how long it took until people had them: from when a message was complete until it was first
accepted by whoever passes it on, until it was delivered, and, if it is urgent, until somebody took it on.

A message belongs to the period in which taking it began. Urgent is what went the urgent course, whether it was taken so
or has aged.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.sections.spread import Spread, spread_of
from callrouter.store.sections.whose import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFigures:
    """Of one client's messages."""

    client: str
    messages: int
    by_agents: int
    """Of them, those that somebody took; the client's tree took the others."""
    urgent: int
    done: int
    accepted: Spread
    """The other side, a mail server or a provider, took the first telling."""
    delivered: Spread
    """The first that is known to have reached a mailbox or a telephone: not every provider says."""
    acknowledged: Spread
    """Of urgent ones: until somebody took it on, or it was done."""

    @property
    def unacknowledged(self) -> int:
        """Urgent ones that nobody has taken on."""
        return self.urgent - self.acknowledged.count


async def read_messages(
    database: Database,
    period: Period,
    *,
    now: datetime,
    clients: Collection[str] | None = None,
    zone: ZoneInfo | None = None,
) -> list[MessageFigures]:
    """By client. The arguments, and what it raises, are those of `whose.read_rows`."""
    found: dict[str, list[tuple[bool, bool, bool, float | None, float | None, float | None]]] = {}
    rows = await read_rows(database, _MESSAGES, "messages.client", period, now=now, clients=clients, zone=zone)
    for client, row in rows:
        told = zip(
            *(row[name] for name in ("by_agent", "urgent", "done", "accepted", "delivered", "acknowledged")),
            strict=True,
        )
        found.setdefault(client, []).extend(told)
    return [_figures(client, found[client]) for client in sorted(found)]


def _figures(
    client: str, told: Collection[tuple[bool, bool, bool, float | None, float | None, float | None]]
) -> MessageFigures:
    by_agent, urgent, done, accepted, delivered, acknowledged = zip(*told, strict=True)
    return MessageFigures(
        client=client,
        messages=len(told),
        by_agents=sum(by_agent),
        urgent=sum(urgent),
        done=sum(done),
        accepted=spread_of(one for one in accepted if one is not None),
        delivered=spread_of(one for one in delivered if one is not None),
        acknowledged=spread_of(one for one in acknowledged if one is not None),
    )


def _since(instant: str) -> str:
    return f"CAST(extract(epoch FROM {instant} - taken.complete_at) AS float8)"


_MESSAGES: Final = f"""
SELECT client, array_agg(by_agent) AS by_agent, array_agg(urgent) AS urgent, array_agg(done) AS done,
    array_agg({_since("told.accepted_at")}) AS accepted, array_agg({_since("told.delivered_at")}) AS delivered,
    array_agg({_since("taken_on_at")}) AS acknowledged
FROM (
    SELECT messages.client, messages.message_id, messages.taken_by <> '' AS by_agent, messages.state = 'done' AS done,
        coalesce(dispatches.urgent, messages.urgent) AS urgent,
        coalesce(messages.taken_at, messages.started_at + make_interval(secs => messages.seconds)) AS complete_at,
        CASE WHEN dispatches.urgent AND dispatches.state = 'acknowledged' THEN dispatches.ended_at END AS taken_on_at
    FROM messages LEFT JOIN dispatches USING (message_id)
    WHERE messages.started_at >= :from_at AND messages.started_at < :to_at AND {{whose}}
) AS taken
CROSS JOIN LATERAL (
    SELECT min(at) FILTER (WHERE what IN ('sent', 'delivered')) AS accepted_at,
        min(at) FILTER (WHERE what = 'delivered') AS delivered_at
    FROM dispatch_events WHERE dispatch_events.message_id = taken.message_id
) AS told
GROUP BY client
"""  # noqa: S608 - made of our own words
