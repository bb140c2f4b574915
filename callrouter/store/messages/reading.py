"""Messages read back, and their trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select

from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.database import Database
from callrouter.store.paging import page, within
from callrouter.store.tables import MessageChangeKind, MessageState, message_changes, messages

Labels = tuple[tuple[str, str], ...]
"""Field and label, in the form's order, as they were when the message was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message, whose it is, and where it stands."""

    message_id: str
    call_id: str | None
    """None: it was taken without a call."""
    position: int | None
    """1 for the first that the call's tree took; None: somebody took it."""
    client: str
    recording: str | None
    """Opaque name, without folder or suffix; None: there is none."""
    seconds: float | None
    """Of the recording."""
    deliver: str
    """Contact it is meant for; empty: nobody is named."""
    started_at: datetime
    taken_at: datetime
    """When it was complete."""
    taken_by: str
    """Principal; empty: the client's tree."""
    node: str | None
    state: MessageState
    form: str | None
    """None: by voice, or in plain words."""
    fields: Mapping[str, str]
    labels: Labels
    text: str
    """In words; empty: by voice, or by form alone."""
    urgent: bool
    caller_number: str | None
    caller_name: str
    revision: int
    """1 when it was taken; each change makes one more."""
    transcript: str = ""
    """What a machine understood of the recording; empty: nothing, or it was not tried."""
    transcript_by: str = ""
    """Which machine: program or model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """What somebody did with a message, and what it replaced."""

    number: int
    """1 for the first change of the message."""
    at: datetime
    principal: str
    change: MessageChangeKind
    note: str
    before: Mapping[str, Any]
    """The values that it replaced, by column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """Messages, the newest first, and where the next page begins (None: there is none)."""

    messages: list[StoredMessage]
    next_cursor: str | None


async def list_messages(
    database: Database,
    *,
    client: str | None = None,
    scope: Scope = EVERYTHING,
    state: MessageState | None = None,
    urgent: bool | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> MessagePage:
    """Messages by when taking them began (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    columns = messages.c
    rows, next_cursor = await page(
        database,
        messages,
        (columns.started_at, columns.message_id),
        client=client,
        filters=[*within(messages, scope), *_standing(state, urgent)],
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    return MessagePage(messages=[read_message(row) for row in rows], next_cursor=next_cursor)


async def find_message(database: Database, message_id: str) -> tuple[StoredMessage, list[MessageChange]] | None:
    """A message with its trail, the oldest change first; None: there is none of this id.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if "\x00" in message_id:  # no text of PostgreSQL's
        return None
    trail = select(message_changes).where(message_changes.c.message_id == message_id).order_by(message_changes.c.number)
    async with database.connection() as connection:
        row = (await connection.execute(select(messages).where(messages.c.message_id == message_id))).mappings().first()
        if row is None:
            return None
        changes = (await connection.execute(trail)).mappings().all()
    return read_message(row), [_change(change) for change in changes]


async def messages_of(database: Database, message_ids: Collection[str]) -> dict[str, StoredMessage]:
    """Those of these ids that there are, by id.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if not message_ids:
        return {}
    asked = select(messages).where(messages.c.message_id.in_(message_ids))
    async with database.connection() as connection:
        return {row["message_id"]: read_message(row) for row in (await connection.execute(asked)).mappings()}


def read_message(row: RowMapping) -> StoredMessage:
    """A row of `messages`."""
    seconds = row["seconds"] if row["recording"] else None
    return StoredMessage(
        message_id=row["message_id"],
        call_id=row["call_id"] or None,
        position=row["position"] or None,
        client=row["client"],
        recording=row["recording"] or None,
        seconds=seconds,
        deliver=row["deliver"],
        started_at=row["started_at"],
        taken_at=row["taken_at"] or row["started_at"] + timedelta(seconds=seconds or 0.0),
        taken_by=row["taken_by"],
        node=row["node"] or None,
        state=state_of(row),
        form=row["form"],
        fields=row["fields"] or {},
        labels=tuple((field, label) for field, label in row["labels"] or ()),
        text=row["text"],
        urgent=row["urgent"],
        caller_number=row["caller_number"],
        caller_name=row["caller_name"],
        revision=row["revision"],
        transcript=row["transcript"] or "",
        transcript_by=row["transcript_by"] or "",
    )


def state_of(row: RowMapping) -> MessageState:
    """Where a row of `messages` stands: engines of the release before call an open one by another name."""
    return MessageState.DONE if row["state"] == MessageState.DONE else MessageState.OPEN


def _change(row: RowMapping) -> MessageChange:
    return MessageChange(
        number=row["number"],
        at=row["at"],
        principal=row["principal"],
        change=MessageChangeKind(row["change"]),
        note=row["note"],
        before=row["before"],
    )


def _standing(state: MessageState | None, urgent: bool | None) -> list[ColumnElement[bool]]:
    """Conditions; the first one is the index's."""
    found: list[ColumnElement[bool]] = []
    match state:
        case MessageState.OPEN:
            found.append(messages.c.state != MessageState.DONE.value)
        case MessageState.DONE:
            found.append(messages.c.state == MessageState.DONE.value)
        case None:
            pass
    if urgent is not None:
        found.append(messages.c.urgent.is_(urgent))
    return found
