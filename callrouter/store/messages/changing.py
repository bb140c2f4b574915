"""What people make of a message: corrected, done, taken up again, given to somebody else. Nothing of it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import BY_DONE, acknowledge_within
from callrouter.store.dispatch.again import reopen_within, restart_within
from callrouter.store.messages.reading import state_of
from callrouter.store.tables import MessageChangeKind, MessageState, message_changes, messages

CORRECTABLE: Final = frozenset({"text", "fields", "urgent", "caller_number", "caller_name"})
"""Columns that a correction may set; a recording stays what it is."""


class ChangeResult(StrEnum):
    """What came of a change."""

    KEPT = "kept"
    UNKNOWN = "unknown"
    """There is no such message."""
    ALREADY = "already"
    """It is so already: nothing was written."""
    OUTRUN = "outrun"
    """Somebody else changed it since the revision that the change was meant for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody does with a message."""

    kind: MessageChangeKind
    principal: str
    at: datetime
    note: str = ""
    """What they say of it: "called back"."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Of a correction: new values by column (`CORRECTABLE`)."""
    deliver: str = ""
    """Of a reassignment: the contact; empty: nobody is named any more."""
    revision: int | None = None
    """The revision that whoever changes it has seen; None: whichever it is."""


async def change_message(database: Database, message_id: str, change: Change) -> ChangeResult:
    """Change it, and write down what the change replaced, in one transaction.

    Who is told of it follows: of what is done nobody any more, of what is reassigned whoever it is for now, and what
    turns out to be urgent begins anew, as urgent messages do.

    Raises:
        ValueError: a correction of what cannot be corrected.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    new = _values(change)
    # Not against whoever only refers to it: they write events of its telling while they hold its dispatch.
    asked = select(messages).where(messages.c.message_id == message_id).with_for_update(key_share=True)
    async with database.connection() as connection:
        row = (await connection.execute(asked)).mappings().first()
        if row is None:
            return ChangeResult.UNKNOWN
        if change.revision is not None and change.revision != row["revision"]:
            return ChangeResult.OUTRUN
        stands = {**row, "state": state_of(row)}
        before = {name: stands[name] for name, value in new.items() if stands[name] != value}
        if not before:
            return ChangeResult.ALREADY
        await connection.execute(
            insert(message_changes).values(
                message_id=message_id,
                number=row["revision"],
                at=change.at,
                principal=change.principal,
                change=change.kind.value,
                note=change.note,
                before=before,
            )
        )
        await connection.execute(
            update(messages)
            .where(messages.c.message_id == message_id)
            .values(**{name: new[name] for name in before}, revision=row["revision"] + 1)
        )
        await _tell_otherwise(connection, row, change)
    return ChangeResult.KEPT


async def _tell_otherwise(connection: AsyncConnection, message: RowMapping, change: Change) -> None:
    """What a change means for those who are being told. `message` is the row as it was."""
    message_id, by, at = message["message_id"], change.principal, change.at
    match change.kind:
        case MessageChangeKind.DONE:
            await acknowledge_within(connection, message_id, by=by, how=BY_DONE, at=at)
        case MessageChangeKind.REOPENED:
            await reopen_within(connection, message_id, by=by, at=at)
        case MessageChangeKind.REASSIGNED if state_of(message) is not MessageState.DONE:
            await restart_within(connection, message_id, by=by, at=at, urgent=message["urgent"])
        case MessageChangeKind.CORRECTED if change.values.get("urgent") and not message["urgent"]:
            await restart_within(connection, message_id, by=by, at=at, urgent=True)
        case MessageChangeKind.REASSIGNED | MessageChangeKind.CORRECTED:
            pass


def _values(change: Change) -> dict[str, Any]:
    match change.kind:
        case MessageChangeKind.DONE:
            return {"state": MessageState.DONE.value}
        case MessageChangeKind.REOPENED:
            return {"state": MessageState.OPEN.value}
        case MessageChangeKind.REASSIGNED:
            return {"deliver": change.deliver}
        case MessageChangeKind.CORRECTED:
            if wrong := sorted(set(change.values) - CORRECTABLE):
                raise ValueError(f"{', '.join(wrong)} of a message cannot be corrected")
            return dict(change.values)
