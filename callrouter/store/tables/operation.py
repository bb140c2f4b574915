"""What an engine puts down about its own work: when it watched."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Identity, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from callrouter.store.tables.columns import Id, Instant, metadata, pbx

notifications = Table(
    "notifications",
    metadata,
    Column("notification_id", Id, nullable=False, comment="sent along: tells a repetition"),
    Column("call_id", Id, nullable=False),
    Column("client", Id, nullable=False),
    Column("contact", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False, comment="JSON, as it is sent"),
    Column("asked_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, comment="empty once it is settled"),
    Column("delivered_at", Instant),
    Column("last_error", Text),
    PrimaryKeyConstraint("notification_id"),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    Index(None, "client", "asked_at"),
    Index(None, "asked_at"),
    Index("notifications_due_idx", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
)
"""Empty. What an engine of the release before writes here, a trigger puts into `deliveries`: the table goes when
`schema.OLDEST` is a release that does not.
"""

beats = Table(
    "beats",
    metadata,
    Column("watcher", Id, nullable=False),
    Column("beat_at", Instant, nullable=False, comment="by the engine's clock"),
    Column("written_at", Instant, nullable=False, server_default=text("now()"), comment="by PostgreSQL's"),
    pbx(),
    PrimaryKeyConstraint("watcher"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap_id", Integer, Identity(always=True), nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, comment="empty while nothing is seen yet"),
    Column("reason", Text, nullable=False),
    pbx(),
    PrimaryKeyConstraint("gap_id"),
    Index(None, "from_at"),
)
