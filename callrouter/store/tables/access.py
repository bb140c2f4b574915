"""Who may do what, and what they did: a row of `audit` is the same deed of the same principal in one minute."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY

from callrouter.permissions import ScopeKind
from callrouter.store.tables.columns import Id, Instant, metadata, one_of


class AuditOutcome(StrEnum):
    """What became of what somebody set out to do."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


tokens = Table(
    "tokens",
    metadata,
    Column("token_id", Id, nullable=False, comment="public: the token begins with it"),
    Column("name", Id, nullable=False, comment="never given twice, so that the audit trail is unambiguous"),
    Column("secret_hash", Id, nullable=False, comment="SHA-256 of a secret of 256 bits"),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("scope", Text, nullable=False),
    Column("scope_names", ARRAY(Text), nullable=False, comment="clients or teams"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant, comment="empty: never"),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant, comment="to the hour"),
    PrimaryKeyConstraint("token_id"),
    UniqueConstraint("name", name="tokens_name_key"),
    CheckConstraint(one_of("scope", ScopeKind), name="scope"),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", Id, nullable=False, comment="made by whoever writes: written twice is one row"),
    Column("at", Instant, nullable=False, comment="the first time, when there are several in the minute"),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("client", Id, comment="empty: no one client's"),
    Column("outcome", Text, nullable=False),
    Column("address", Text, nullable=False, comment="empty: from this machine's command line"),
    Column("times", Integer, nullable=False, comment="in that minute"),
    PrimaryKeyConstraint("audit_id"),
    CheckConstraint(one_of("outcome", AuditOutcome), name="outcome"),
    Index(None, "at"),
    Index(None, "client", "at"),
)
