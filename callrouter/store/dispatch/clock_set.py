"""What waits is a span of time, and is written down as an instant: a clock that was set would end it early or late.

Times of day stay what they are: a digest at 12:00 goes at the new clock's noon.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease

SLEW: Final = timedelta(seconds=5)
"""What two machines' clocks may differ, and drift may be corrected by."""

_LOCK: Final = text(
    """SELECT FROM dispatches WHERE state = 'running' AND (:all OR begun_at > CAST(:now AS timestamptz) + :slew)
       ORDER BY message_id FOR UPDATE"""
)
_BY: Final = "CASE WHEN :all THEN CAST(:by AS interval) ELSE CAST(:now AS timestamptz) - {since} END"
_TELLINGS: Final = text(
    f"""UPDATE deliveries v SET queued_at = v.queued_at + m.by
        FROM (SELECT message_id, begun_at, {_BY.format(since="begun_at")} AS by FROM dispatches
              WHERE state = 'running' AND (:all OR begun_at > CAST(:now AS timestamptz) + :slew)) m
        WHERE v.message_id = m.message_id AND v.queued_at >= m.begun_at"""  # noqa: S608 - all of it is ours
)
_MESSAGES: Final = text(
    f"""UPDATE dispatches d
        SET begun_at = d.begun_at + m.by, ages_at = d.ages_at + m.by,
            due_at = CASE WHEN d.held_until IS NULL THEN d.due_at + m.by ELSE least(d.held_until, d.ages_at + m.by) END
        FROM (SELECT message_id, {_BY.format(since="begun_at")} AS by FROM dispatches
              WHERE state = 'running' AND (:all OR begun_at > CAST(:now AS timestamptz) + :slew)) m
        WHERE d.message_id = m.message_id"""  # noqa: S608 - all of it is ours
)
_OUTBOX: Final = text(
    f"""UPDATE deliveries v
        SET next_attempt_at = v.next_attempt_at + m.by, sending_until = v.sending_until + m.by,
            changed_at = v.changed_at + m.by,
            queued_at = CASE WHEN v.message_id IS NULL THEN v.queued_at + m.by ELSE v.queued_at END
        FROM (SELECT delivery_id, {_BY.format(since="changed_at")} AS by FROM deliveries
              WHERE state IN ('queued', 'sending')
                  AND (:all OR changed_at > CAST(:now AS timestamptz) + :slew)) m
        WHERE v.delivery_id = m.delivery_id"""  # noqa: S608 - all of it is ours
)


async def move_waits(database: Database, lease: Lease, now: datetime, by: timedelta | None) -> int:
    """Have all that waits go on for as long as it was to, after the worker's clock was set `by` so much.

    None: nobody saw it being set; whatever began in what is the future now begins to wait anew. Returns how many
    messages it was about.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    values = {"all": by is not None, "by": by or timedelta(), "now": now, "slew": SLEW}
    async with database.connection() as connection:
        await lease.check(connection)
        for change in (_LOCK, _TELLINGS):
            await connection.execute(change, values)
        moved = (await connection.execute(_MESSAGES, values)).rowcount
        await connection.execute(_OUTBOX, values)
    return int(moved)
