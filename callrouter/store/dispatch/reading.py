"""One message's telling with everything that was done for it, and what happened, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from callrouter.store.database import Database
from callrouter.store.tables import (
    DeliveryKind,
    DeliveryState,
    DispatchState,
    deliveries,
    dispatch_events,
    dispatches,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDispatch:
    """How far a message has come with those who are to be told."""

    message_id: str
    client: str
    state: DispatchState
    urgent: bool
    """Whether it goes the urgent course."""
    rule: str
    """Name of the client's rule as it was when it was looked up; empty: it was not, or nobody is named."""
    step: int
    """The next one, 0 the first."""
    round: int
    """How often the steps began again."""
    due_at: datetime | None
    """When something is to be done; None: never by itself."""
    ages_at: datetime | None
    """When it becomes urgent; None: it does not."""
    reason: str
    """Why it stands on the agents' list, a sentence; empty: it does not."""
    began_at: datetime
    ended_at: datetime | None
    """When it was told, acknowledged, or put on the list."""
    acknowledged_by: str | None
    """A contact where it was by link, else a principal."""
    acknowledged_how: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """One telling of one person by one means."""

    delivery_id: str
    message_id: str
    """Empty: it is of none."""
    kind: DeliveryKind
    round: int
    step: int
    contact: str
    means: str
    address: str
    """Where it went, for people (`shown_address`)."""
    state: DeliveryState
    attempts: int
    queued_at: datetime
    next_attempt_at: datetime | None
    sending_until: datetime | None
    changed_at: datetime
    """Since when it is in this state."""
    answer: str
    """The other side's, or why it failed."""
    receipt_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchEvent:
    """Something that happened."""

    number: int
    at: datetime
    what: str
    delivery_id: str | None
    contact: str
    means: str
    detail: str
    principal: str
    """Who did it; empty: the rule, or the person who was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """All of it."""

    dispatch: StoredDispatch
    deliveries: list[StoredDelivery]
    """In the order in which they were queued."""
    events: list[DispatchEvent]
    """The oldest first."""


async def find_trail(database: Database, message_id: str) -> Trail | None:
    """Of a message; None: there is no such message, or it was taken before messages were delivered.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if "\x00" in message_id:  # no text of PostgreSQL's
        return None
    told, happened = deliveries.c, dispatch_events.c
    async with database.connection() as connection:
        asked = select(dispatches).where(dispatches.c.message_id == message_id)
        row = (await connection.execute(asked)).mappings().one_or_none()
        if row is None:
            return None
        query = (
            select(deliveries)
            .where(told.message_id == message_id)
            .order_by(told.queued_at, told.round, told.step, told.contact, told.means, told.delivery_id)
        )
        found = (await connection.execute(query)).mappings().all()
        events = select(dispatch_events).where(happened.message_id == message_id).order_by(happened.number)
        all_ = (await connection.execute(events)).mappings().all()
    return Trail(
        dispatch=read_dispatch(row),
        deliveries=[read_delivery(one) for one in found],
        events=[DispatchEvent(**{field.name: one[field.name] for field in fields(DispatchEvent)}) for one in all_],
    )


def read_dispatch(row: Mapping[Any, Any]) -> StoredDispatch:
    """A row of `dispatches`."""
    policy = row["policy"]
    rule = policy.get("name", "") if isinstance(policy, Mapping) else ""
    known = {field.name: row[field.name] for field in fields(StoredDispatch) if field.name != "rule"}
    return StoredDispatch(**{**known, "state": DispatchState(row["state"]), "rule": str(rule)})


def read_delivery(row: Mapping[Any, Any]) -> StoredDelivery:
    """A row of `deliveries`."""
    known = {field.name: row[field.name] for field in fields(StoredDelivery)}
    changed = {
        "message_id": row["message_id"] or "",
        "kind": DeliveryKind(row["kind"]),
        "state": DeliveryState(row["state"]),
        "address": shown_address(row["address"]),
    }
    return StoredDelivery(**{**known, **changed})


def shown_address(address: str) -> str:
    """Where something was sent, as people may see it: a mailbox or a number whole, since that is what is proved; of a
    web service its host alone, since the rest of its URL is often a secret.
    """
    if not address.lower().startswith(("http:", "https:")):
        return address.partition(":")[2] if ":" in address else address
    try:
        url = urlsplit(address)
        port = f":{url.port}" if url.port else ""
    except ValueError:  # what is no URL was not delivered to either
        return "a web service"
    return f"{url.scheme}://{url.hostname or ''}{port}"


async def was_confidential(database: Database, message_id: str) -> bool:
    """Whether a message was, by a rule of before it began anew: then it stays so, whoever it is for now.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(dispatches.c.confidential).where(dispatches.c.message_id == message_id)
    async with database.connection() as connection:
        return bool((await connection.execute(query)).scalar_one_or_none())
