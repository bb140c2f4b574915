"""The figure "called back": callers who were reached later, and how much later (`kpi`, of journeys).

A journey counts that asked for a callback or was abandoned, and whose caller was reached afterwards: by a callback, by
somebody who called, or because they rang again and were answered. Who went on waiting and was answered in that very
call is no such caller: their journey is an answered one. It is a figure of its own: the journey stays what it was. The
delay is from the wish, or from when they gave up, until they were reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.outgoing.names import Names
from callrouter.store.outgoing.worklist import AGAIN

_DELAYS: Final = """
    WITH gave_up AS (
        SELECT client, call_id, caller_number, ringing_at, ended_at
        FROM calls WHERE ringing_at >= :from_at AND ringing_at < :to_at AND disposition = 'abandoned' AND {whose}
    ), reached AS (
        SELECT calls.client, calls.call_id, wish.settled_at - wish.asked_at AS delay
        FROM callbacks AS wish JOIN calls USING (call_id)
        WHERE wish.asked_at >= :from_at AND calls.ringing_at >= :from_at AND calls.ringing_at < :to_at AND {whose}
            AND calls.disposition NOT IN ('answered', 'redirected')
            AND (wish.settled_by IN ('called_back', 'rang_again')
                OR (wish.settled_by = 'by_hand' AND wish.state = 'done'))
        UNION ALL
        SELECT gave_up.client, gave_up.call_id, later.bridged_at - gave_up.ended_at
        FROM gave_up {theirs} JOIN calls AS later ON later.client = {name}
            AND later.caller_number = gave_up.caller_number AND later.bridged_at IS NOT NULL
            AND later.ringing_at > gave_up.ringing_at AND later.ringing_at < gave_up.ringing_at + :again
            AND later.ringing_at >= :from_at AND later.ringing_at < CAST(:to_at AS timestamptz) + :again
        UNION ALL
        SELECT gave_up.client, gave_up.call_id, placed.answered_at - gave_up.ended_at
        FROM gave_up {theirs} JOIN outgoing_calls AS placed ON placed.purpose = 'callback' AND placed.client = {name}
            AND placed.number = gave_up.caller_number AND placed.answered_at IS NOT NULL
            AND placed.placed_at > gave_up.ringing_at AND placed.placed_at < gave_up.ringing_at + :again
        UNION ALL
        SELECT gave_up.client, gave_up.call_id, said.at - gave_up.ended_at
        FROM gave_up JOIN follow_ups AS said ON said.call_id = gave_up.call_id AND said.result = 'reached'
    )
    SELECT client, greatest(extract(epoch FROM min(delay)), 0)::float8 AS seconds
    FROM reached GROUP BY client, call_id
"""


async def delays(
    connection: AsyncConnection, whose: str, values: Mapping[str, Any], present: Mapping[str, str]
) -> dict[str, list[float]]:
    """By client, the delay of each journey of a period whose caller was reached later, in seconds.

    Args:
        connection: open.
        whose: a condition on `calls`.
        values: of its parameters, and the period's `from_at` and `to_at`.
        present: a client's present name by each that it had before.

    Raises:
        StoreError: PostgreSQL does not do it.
    """
    wanted = {name: value for name, value in values.items() if name not in ("former", "present")}
    names = Names(present)
    theirs, name = names.joined("gave_up.client")
    query = text(_DELAYS.format(whose=whose, theirs=theirs, name=name))
    found: dict[str, list[float]] = {}
    for row in (await connection.execute(query, {**wanted, **names.values, "again": AGAIN})).mappings():
        found.setdefault(present.get(row["client"], row["client"]), []).append(row["seconds"])
    return found


def percentile(values: list[float], share: float) -> float:
    """By linear interpolation, as PostgreSQL's percentile_cont; `values` are sorted, and there is one at least."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)
