"""What callers have said, and conversations that were recorded: a row of `recordings` outlives its file."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from callrouter.store.tables.columns import Id, Instant, metadata, one_of, revision


class RecordingKind(StrEnum):
    """What was recorded."""

    MESSAGE = "message"
    CONVERSATION = "conversation"


messages = Table(
    "messages",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first message of the call"),
    Column("client", Id, nullable=False),
    Column("recording", Text, nullable=False, comment="opaque name, without folder or suffix"),
    Column("seconds", Double, nullable=False),
    Column("deliver", Text, nullable=False, comment="contact it is meant for"),
    Column("started_at", Instant, nullable=False),
    Column("node", Text, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("call_id", "position"),
    CheckConstraint("state IN ('recorded')", name="state"),
    Index(None, "client", "started_at"),
    Index(None, "started_at"),
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
