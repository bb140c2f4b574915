"""Agents at work.

A row of `agent_sessions` is a time in which one was logged in, paused or in wrap-up. PINs are hashes only.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from callrouter.core.agents.sessions import SessionKind
from callrouter.store.tables.columns import Id, Instant, metadata, one_of

agent_sessions = Table(
    "agent_sessions",
    metadata,
    Column("session_id", Id, nullable=False, comment="begins with the second it began in"),
    Column("agent", Id, nullable=False),
    Column("pbx", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("reason", Text, nullable=False, comment="of a pause"),
    Column("call_id", Id, comment="of the conversation before a wrap-up"),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, comment="empty while it lasts"),
    Column("ended_by", Text, nullable=False, comment="who or what ended it"),
    PrimaryKeyConstraint("session_id"),
    CheckConstraint(one_of("kind", SessionKind), name="kind"),
    Index(None, "agent", "started_at"),
    Index(None, "started_at"),
    # Few do: by this one, what began long before a period and reaches into it is found (store.agents.rows).
    Index(
        "agent_sessions_long_idx",
        "agent",
        text("coalesce(ended_at, 'infinity')"),
        "started_at",
        postgresql_where=text("ended_at IS NULL OR ended_at - started_at > interval '1 hour'"),
    ),
    Index("agent_sessions_lasting_idx", "pbx", postgresql_where=text("ended_at IS NULL")),
)

agent_pins = Table(
    "agent_pins",
    metadata,
    Column("agent", Id, nullable=False),
    Column("secret_hash", Text, nullable=False, comment="scrypt, with its salt"),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("failures", Integer, nullable=False, comment="wrong ones in a row"),
    Column("locked_until", Instant, comment="until then the right one is none either"),
    PrimaryKeyConstraint("agent"),
)
