"""Messages, and what the worker would have made of them, put into the record by hand."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update

from callrouter.store.database import Database
from callrouter.store.dispatch.enclosed import Link, keep_within
from callrouter.store.dispatch.events import What, write_event
from callrouter.store.dispatch.links import TOKEN_BYTES, hash_of
from callrouter.store.dispatch.reading import Trail, find_trail
from callrouter.store.messages import TakenMessage, keep_taken
from callrouter.store.tables import deliveries, dispatches

MOREAU, LENOIR = "cabinet-moreau", "etude-lenoir"
AT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


async def take(database: Database, client: str = MOREAU, **changes: Any) -> str:
    """A message that somebody took; PostgreSQL owes it to somebody. Its id."""
    fields: dict[str, Any] = {
        "message_id": str(uuid4()),
        "client": client,
        "call_id": None,
        "form": None,
        "fields": {},
        "labels": (),
        "text": "Veut voir le médecin demain.",
        "urgent": False,
        "caller_number": "+33612345678",
        "caller_name": "Jean Martin",
        "deliver": "doctor",
        "taken_by": "token:desk",
        "started_at": AT,
        "taken_at": AT,
    }
    message = TakenMessage(**(fields | changes))
    await keep_taken(database, [message])
    return message.message_id


async def stand(database: Database, message_id: str, state: str, **values: Any) -> None:
    """Where the worker has brought it; nothing is due unless it is said."""
    values = {"due_at": None, **values}
    async with database.connection() as connection:
        await connection.execute(
            update(dispatches).where(dispatches.c.message_id == message_id).values(state=state, **values)
        )


async def tell(database: Database, message_id: str, state: str = "accepted", **values: Any) -> str:
    """One person is, or was, told by e-mail. The delivery's id."""
    row = {
        "delivery_id": str(uuid4()),
        "message_id": message_id,
        "client": MOREAU,
        "kind": "message",
        "round": 0,
        "step": 0,
        "contact": "doctor",
        "means": "email",
        "address": "mailto:moreau@example.org",
        "state": state,
        "queued_at": AT,
        "next_attempt_at": AT if state == "queued" else None,
        "sending_until": AT if state == "sending" else None,
        "changed_at": AT,
    } | values
    await _put(database, row)
    return str(row["delivery_id"])


async def ask(database: Database, delivery_id: str, state: str = "queued", **values: Any) -> None:
    """A system is, or was, told of a call."""
    row = {
        "delivery_id": delivery_id,
        "call_id": "1",
        "client": MOREAU,
        "kind": "notification",
        "contact": "crm",
        "means": "webhook",
        "address": "https://crm.example/calls",
        "body": "{}",
        "state": state,
        "queued_at": AT,
        "next_attempt_at": AT if state == "queued" else None,
        "sending_until": AT if state == "sending" else None,
        "changed_at": AT,
    } | values
    await _put(database, row)


async def _put(database: Database, row: Mapping[str, Any]) -> None:
    async with database.connection() as connection:
        await connection.execute(insert(deliveries).values(**row))


async def happened(database: Database, message_id: str, what: What, at: datetime, **fields: Any) -> None:
    """An event."""
    async with database.connection() as connection:
        await write_event(connection, message_id, what, at, **fields)


async def linked(database: Database, delivery_id: str, expires_at: datetime) -> str:
    """The token of a link to a telling; its message's rule has been looked up, as of every one that is told."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    of_it = select(deliveries.c.message_id).where(deliveries.c.delivery_id == delivery_id).scalar_subquery()
    looked_up = update(dispatches).where(dispatches.c.message_id == of_it, dispatches.c.policy.is_(None))
    async with database.connection() as connection:
        await connection.execute(looked_up.values(policy={}))
        await keep_within(connection, [Link(token_hash=hash_of(token), delivery_id=delivery_id, expires_at=expires_at)])
    return token


async def trail(database: Database, message_id: str) -> Trail:
    found = await find_trail(database, message_id)
    assert found is not None
    return found


async def told(database: Database, message_id: str) -> list[str]:
    """What happened, and of whom it is."""
    events = (await trail(database, message_id)).events
    return [f"{one.what} {one.contact or one.principal}".strip() for one in events]


async def states(database: Database, message_id: str) -> list[str]:
    """Of a message's tellings."""
    return [one.state.value for one in (await trail(database, message_id)).deliveries]
