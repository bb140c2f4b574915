"""Links to a message, as they stand in what leaves the house: 32 random bytes, of which the record has the hash alone.

Whoever has the link is whom it was sent to: it is the only thing that says so, but for what is confidential, which
asks for a PIN or a code besides (`opening`). A link cannot be guessed (256 bits), and so guesses are not counted; one
that is not there is looked for like one that is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import exists, select, update

from callrouter.core.dispatch import Means
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What, write_event
from callrouter.store.dispatch.outbox import is_confidential
from callrouter.store.tables import DeliveryState, deliveries, delivery_links, dispatch_events, dispatches

TOKEN_BYTES: Final = 32
_MAY_BE_VIEWED: Final = frozenset(
    {
        DeliveryState.ACCEPTED.value,
        DeliveryState.DELIVERED.value,
        DeliveryState.FAILED.value,  # for all that we knew: nobody opens what has not reached them
    }
)
"""States of which a view says more. One that is being sent, or waits to be sent again, goes on: what comes of it is the
worker's to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link leads to."""

    token_hash: str
    delivery_id: str
    message_id: str
    client: str
    contact: str
    """Whom it was sent to."""
    means: Means
    """By which."""
    expires_at: datetime
    confidential: bool
    """Whether a PIN or a code is asked for before it shows anything."""
    closed: bool
    """Whether too many wrong ones were given: it shows nothing more."""
    pass_hash: str | None
    pass_until: datetime | None
    """Of the page whose reader gave the right one, and how long it is believed."""
    viewed: bool
    """Whether the message was shown by it before."""
    acknowledged_by: str | None
    """Who took the message on; None: nobody has."""
    acknowledged_how: str | None
    acknowledged_at: datetime | None


def hash_of(token: str) -> str:
    """What the record has of it."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


async def find_link(database: Database, token: str) -> Link | None:
    """What a token leads to, also when its time is over; None: nothing.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    views = exists().where(
        dispatch_events.c.message_id == deliveries.c.message_id,
        dispatch_events.c.delivery_id == deliveries.c.delivery_id,
        dispatch_events.c.what == What.VIEWED.value,
    )
    told, whole, own = deliveries.c, dispatches.c, delivery_links.c
    query = (
        select(
            *(told.delivery_id, told.message_id, told.client, told.contact, told.means),
            *(own.token_hash, own.expires_at, own.closed_at, own.pass_hash, own.pass_until),
            whole.policy,
            views.label("viewed"),
            *(whole.acknowledged_by, whole.acknowledged_how, whole.ended_at),
        )
        .select_from(delivery_links)
        .join(deliveries, told.delivery_id == delivery_links.c.delivery_id)
        .join(dispatches, whole.message_id == told.message_id)
        .where(delivery_links.c.token_hash == hash_of(token))
    )
    async with database.connection() as connection:
        row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    known = dict(row)
    ended_at = known.pop("ended_at")
    changed = {
        "means": Means(known["means"]),
        "closed": known.pop("closed_at") is not None,
        "confidential": is_confidential(known.pop("policy")),
    }
    acknowledged_at = None if known["acknowledged_by"] is None else ended_at
    return Link(**{**known, **changed, "acknowledged_at": acknowledged_at})


async def note_viewed(database: Database, link: Link, at: datetime) -> bool:
    """Somebody opened the message by a link; False: that was known.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if link.viewed:
        return False
    lock = select(dispatches.c.message_id).where(dispatches.c.message_id == link.message_id).with_for_update()
    views = select(dispatch_events.c.number).where(
        dispatch_events.c.message_id == link.message_id,
        dispatch_events.c.delivery_id == link.delivery_id,
        dispatch_events.c.what == What.VIEWED.value,
    )
    seen = (
        update(deliveries)
        .where(deliveries.c.delivery_id == link.delivery_id, deliveries.c.state.in_(_MAY_BE_VIEWED))
        .values(state=DeliveryState.VIEWED.value, changed_at=at)
    )
    means = select(deliveries.c.means).where(deliveries.c.delivery_id == link.delivery_id)
    async with database.connection() as connection:
        await connection.execute(lock)
        if (await connection.execute(views.limit(1))).first() is not None:
            return False
        await connection.execute(seen)
        by = (await connection.execute(means)).scalar_one_or_none()
        if by is None:  # it was deleted meanwhile, with its message
            return False
        await write_event(
            connection,
            link.message_id,
            What.VIEWED,
            at,
            delivery_id=link.delivery_id,
            contact=link.contact,
            means=by,
        )
    return True
