"""Messages that somebody took, by form or in plain words, with an id that they gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from callrouter.store.database import Database
from callrouter.store.messages.reading import Labels
from callrouter.store.tables import MessageState, messages


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenMessage:
    """A message, whole."""

    message_id: str
    """A UUID of whoever took it: sent again, it is the same message."""
    client: str
    call_id: str | None
    """None: it has no call."""
    form: str | None
    """None: in plain words."""
    fields: Mapping[str, str]
    labels: Labels
    text: str
    urgent: bool
    caller_number: str | None
    caller_name: str
    deliver: str
    """Contact it is meant for; empty: nobody is named."""
    taken_by: str
    """Principal."""
    started_at: datetime
    taken_at: datetime
    plan_version: str = ""
    """Of the plan whose form, and whose rule, it was taken by; empty: of the one that is live when it is looked up."""


async def keep_taken(database: Database, taken: Sequence[TakenMessage]) -> frozenset[str]:
    """Keep them all, or none; one that is there stays as it is. Returns the ids of those that were not there.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        DBAPIError: PostgreSQL refuses one of them for what it holds (SQLAlchemy's).
    """
    if not taken:
        return frozenset()
    keep = insert(messages).on_conflict_do_nothing().returning(messages.c.message_id)
    async with database.connection() as connection:
        kept = await connection.execute(keep.values([_row(one) for one in taken]))
        return frozenset(kept.scalars())


def _row(one: TakenMessage) -> dict[str, Any]:
    return {
        "message_id": one.message_id,
        "call_id": one.call_id or "",
        "position": 0,
        "client": one.client,
        "recording": "",
        "seconds": 0.0,
        "deliver": one.deliver,
        "started_at": one.started_at,
        "node": "",
        "state": MessageState.OPEN.value,
        "taken_at": one.taken_at,
        "taken_by": one.taken_by,
        "form": one.form,
        "fields": dict(one.fields) if one.form is not None else None,
        "labels": [list(label) for label in one.labels] if one.form is not None else None,
        "text": one.text,
        "urgent": one.urgent,
        "caller_number": one.caller_number,
        "caller_name": one.caller_name,
        "plan_version": one.plan_version,
    }
