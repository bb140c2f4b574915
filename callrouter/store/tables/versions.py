"""Every version of a plan that was live, with its documents.

A row of `promises` is a distinct promise to clients, referred to by every version of a plan that makes it: figures are
keyed by it.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from callrouter.core.service_level import Formula, WaitingClock
from callrouter.store.tables.columns import Id, Instant, metadata, one_of

promises = Table(
    "promises",
    metadata,
    Column("promise_id", Integer, Identity(always=True), nullable=False),
    Column("within_seconds", Double, nullable=False, comment="T: answered within it is answered in time"),
    Column("target", Double, nullable=False, comment="share promised, 0 to 1"),
    Column("short_abandon_seconds", Double, nullable=False, comment="giving up sooner is a short abandon"),
    Column("formula", Text, nullable=False),
    Column("clock", Text, nullable=False, comment="from when waiting is measured"),
    Column("timezone", Text, nullable=False, comment="IANA name"),
    PrimaryKeyConstraint("promise_id"),
    CheckConstraint(one_of("formula", Formula), name="formula"),
    CheckConstraint(one_of("clock", WaitingClock), name="clock"),
    UniqueConstraint(
        *("within_seconds", "target", "short_abandon_seconds", "formula", "clock", "timezone"),
        name="promises_values_key",
    ),
)

plans = Table(
    "plans",
    metadata,
    Column("client", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("document", Text, nullable=False, comment="the client's file as it was"),
    Column("first_live_at", Instant, nullable=False),
    Column("source", Text, nullable=False, server_default="", comment="the file's path in the folder"),
    Column(
        "documents", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="path to hash, all it stands on"
    ),
    Column("promise_id", ForeignKey(promises.c.promise_id), comment="empty: not known; reports say so"),
    Column("formerly", ARRAY(Text), nullable=False, server_default="{}", comment="earlier identifiers of the client"),
    Column(
        "subscriptions",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="[{name, kinds, timezone}, ...]",
    ),
    Column(
        "reports",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="[{to, minute, timezone}, ...]",
    ),
    Column(
        "retention",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="days by kind, where the client's file says them",
    ),
    PrimaryKeyConstraint("client", "version"),
    Index("plans_renamed_idx", "client", "version", postgresql_where=text("formerly <> '{}'")),
)

plan_documents = Table(
    "plan_documents",
    metadata,
    Column("hash", Id, nullable=False, comment="SHA-256 of the content"),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("hash"),
)

plan_history = Table(
    "plan_history",
    metadata,
    Column("history_id", Integer, Identity(always=True), nullable=False),
    Column("client", Id, nullable=False),
    Column("version", Id, comment="empty: the client was withdrawn"),
    Column("live_at", Instant, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False, comment="who, as far as it is known"),
    PrimaryKeyConstraint("history_id"),
    Index(None, "client", "history_id"),
)
