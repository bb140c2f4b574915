"""What callers want somebody to know, and conversations that were recorded: a row of `recordings` outlives its file.

A message is a row from the moment it is complete; the row of its call may come later, and one that somebody took at a
desk may have no call. What a message does not have is empty text, or 0, not NULL: the release before reads it so.
Nothing of it is lost by a change: what was replaced stands in `message_changes`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from callrouter.store.tables.columns import Id, Instant, metadata, one_of, revision


class RecordingKind(StrEnum):
    """What was recorded."""

    MESSAGE = "message"
    CONVERSATION = "conversation"


class MessageState(StrEnum):
    """Where a message stands with people; what became of telling them is another thing."""

    OPEN = "open"
    DONE = "done"


class MessageChangeKind(StrEnum):
    """What somebody did with a message."""

    CORRECTED = "corrected"
    DONE = "done"
    REOPENED = "reopened"
    REASSIGNED = "reassigned"


_MESSAGE_ID: Final = "CALL.m1, or the UUID that whoever took it gave it"

messages = Table(
    "messages",
    metadata,
    # The default is for engines of the release before, who name no message.
    Column("message_id", Id, nullable=False, server_default=text("(gen_random_uuid())::text"), comment=_MESSAGE_ID),
    Column("call_id", Id, nullable=False, comment="empty: taken without a call"),
    Column("position", SmallInteger, nullable=False, comment="1 for the first message of the call; 0: not its tree's"),
    Column("client", Id, nullable=False),
    Column("recording", Text, nullable=False, comment="opaque name, without folder or suffix; empty: none"),
    Column("seconds", Double, nullable=False, comment="of the recording"),
    Column("deliver", Text, nullable=False, comment="contact it is meant for; empty: nobody is named"),
    Column("started_at", Instant, nullable=False, comment="when taking it began"),
    Column("node", Text, nullable=False, comment="of the client's tree that took it; empty: somebody did"),
    Column("state", Text, nullable=False),
    Column("taken_at", Instant, comment="when it was complete; empty: when its recording was"),
    Column("taken_by", Text, nullable=False, server_default="", comment="principal; empty: the client's tree"),
    Column("form", Text, comment="name of the form; empty: by voice, or in plain words"),
    Column("fields", JSONB, comment="values by field"),
    Column("labels", JSONB, comment="[[field, label], ...], in order, as they were when it was taken"),
    Column("text", Text, nullable=False, server_default="", comment="in words; empty: by voice"),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("caller_number", Text, comment="E.164, or as it was shown"),
    Column("caller_name", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="1", comment="of it; each change makes one more"),
    Column("transcript", Text, comment="of the recording, made by a machine"),
    Column("transcript_by", Text, comment="which machine: program or model"),
    Column("transcribed_at", Instant, comment="when it was tried; empty: it was not"),
    Column("plan_version", Id, nullable=False, server_default="", comment="of the plan by which it was taken"),
    PrimaryKeyConstraint("message_id"),
    CheckConstraint("state IN ('recorded', 'open', 'done')", name="state"),  # recorded: open, by the release before
    CheckConstraint("recording <> '' OR text <> '' OR fields IS NOT NULL", name="says_something"),
    Index(None, "client", "started_at"),
    Index(None, "started_at"),
    Index("messages_call_id_idx", "call_id", "position", unique=True, postgresql_where=text("position > 0")),
    Index("messages_open_idx", "started_at", postgresql_where=text("state <> 'done'")),
    Index(
        "messages_untranscribed_idx",
        "taken_at",
        postgresql_where=text("recording <> '' AND transcribed_at IS NULL"),
    ),
)

message_changes = Table(
    "message_changes",
    metadata,
    Column("message_id", Id, nullable=False),
    Column("number", Integer, nullable=False, comment="1 for the first change of the message"),
    Column("at", Instant, nullable=False),
    Column("principal", Text, nullable=False, comment="who changed it"),
    Column("change", Text, nullable=False),
    Column("note", Text, nullable=False, comment="what they said of it"),
    Column("before", JSONB, nullable=False, comment="the values that it replaced, by column"),
    PrimaryKeyConstraint("message_id", "number"),
    ForeignKeyConstraint(["message_id"], ["messages.message_id"], ondelete="CASCADE"),
    CheckConstraint(one_of("change", MessageChangeKind), name="change"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("recording_id", Id, nullable=False, comment="opaque; the file's name, without folder or suffix"),
    Column("kind", Text, nullable=False),
    Column("call_id", Id, nullable=False),
    Column("leg", Text, comment="which side is heard; empty: the caller's"),
    Column("client", Id, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("loudness", Double, comment="RMS, dBFS; empty until the file was looked at"),
    Column("checksum", Text, comment="SHA-256 of the file; empty until it was looked at"),
    Column("delete_after", Instant, comment="when its time is over; empty: kept"),
    Column("deleted_at", Instant, comment="the file is gone, the row stays"),
    # Of a conversation; a message is neither paused nor objected to.
    Column("number", Integer, comment="1 for the first conversation of the call that was recorded"),
    Column("paused_seconds", Double, comment="silence, because it was paused"),
    Column("objected_at", Instant, comment="when the caller objected: it is not played, and deleted"),
    *revision(nullable=True),
    PrimaryKeyConstraint("recording_id"),
    CheckConstraint(one_of("kind", RecordingKind), name="kind"),
    Index(None, "client", "started_at"),
    Index(None, "started_at"),
    Index(None, "call_id"),
    Index("recordings_due_idx", "delete_after", postgresql_where=text("deleted_at IS NULL")),
    Index("recordings_unheard_idx", "started_at", postgresql_where=text("checksum IS NULL AND deleted_at IS NULL")),
)
