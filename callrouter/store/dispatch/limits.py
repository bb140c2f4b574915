"""How many SMS one number may be sent: carriers block who sends too many, and then nothing arrives at all.

What is held back stays queued, its trail says until when, and it stands on the board: never a silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import distinct, func, insert, select, tuple_, update

from callrouter.core.dispatch import Means, What
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.dispatch.outbox import Queued, lock_whole
from callrouter.store.tables import DeliveryState, deliveries, dispatch_events

MOST_SMS: Final = 5
WITHIN_SECONDS: Final = 900.0
"""So many in so long, as GoAlert has it (its default limits for SMS)."""

_SENT: Final = (
    DeliveryState.SENDING.value,
    DeliveryState.ACCEPTED.value,
    DeliveryState.DELIVERED.value,
    DeliveryState.VIEWED.value,
    DeliveryState.ACKNOWLEDGED.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one number may still be sent."""

    left: int
    until: datetime
    """When there is more room."""


async def room_of(database: Database, addresses: Collection[str], now: datetime) -> Mapping[str, Room]:
    """Of each address to which SMS were sent lately: when they are opened or answered does not count, and a digest is
    one, however many tellings went in it.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if not addresses:
        return {}
    told, within = deliveries.c, timedelta(seconds=WITHIN_SECONDS)
    one_sms = func.coalesce(func.nullif(told.batch, ""), told.delivery_id)
    asked = (
        select(told.address, func.count(distinct(tuple_(one_sms, told.sent_at))), func.min(told.sent_at))
        .where(
            told.means == Means.SMS.value,
            told.address.in_(addresses),
            told.sent_at > now - within,
            told.state.in_(_SENT),
        )
        .group_by(told.address)
    )
    async with database.connection() as connection:
        rows = (await connection.execute(asked)).all()
    return {address: Room(left=max(0, MOST_SMS - count), until=first + within) for address, count, first in rows}


async def hold_back(database: Database, lease: Lease, held: Sequence[tuple[Queued, datetime]], now: datetime) -> None:
    """Leave tellings for later, each until an instant, and say so in their messages' trails.

    Raises:
        LeaseLost: another worker sends.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if not held:
        return
    reason = f"no more than {MOST_SMS} SMS in {WITHIN_SECONDS / 60:g} minutes go to one number"
    async with database.connection() as connection:
        await lease.check(connection)
        await lock_whole(connection, [one.delivery_id for one, _ in held])
        for one, until in held:
            change = (
                update(deliveries)
                .where(deliveries.c.delivery_id == one.delivery_id, deliveries.c.state == DeliveryState.QUEUED.value)
                .values(next_attempt_at=until, answer=reason)
            )
            if (await connection.execute(change)).rowcount and one.message_id:
                row = {
                    "message_id": one.message_id,
                    "at": now,
                    "what": What.HELD.value,
                    "delivery_id": one.delivery_id,
                    "contact": one.contact,
                    "means": one.means.value,
                    "detail": f"{reason}: until {until.isoformat(timespec='seconds')}",
                }
                await connection.execute(insert(dispatch_events).values(**row))
