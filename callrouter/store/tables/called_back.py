"""Callers who are to be called back.

A row of `outgoing_calls` is one attempt to call somebody: who asked to be called back, or whoever is to be told of a
message.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from callrouter.outgoing.order import Outcome, Purpose, Settlement
from callrouter.store.tables.columns import Id, Instant, metadata, one_of, pbx


class FollowUpResult(StrEnum):
    """What came of calling somebody back by hand."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"


callbacks = Table(
    "callbacks",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first wish of the call"),
    Column("client", Id, nullable=False),
    Column("number", Text, nullable=False, comment="E.164"),
    Column("node", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    # Of what becomes of it; empty while it is open, and where somebody has set only `state`.
    Column("settled_at", Instant),
    Column("settled_by", Text),
    PrimaryKeyConstraint("call_id", "position"),
    CheckConstraint("state IN ('open', 'done', 'given_up')", name="state"),
    CheckConstraint(one_of("settled_by", Settlement), name="settled_by"),
    Index(None, "client", "asked_at"),
    Index(None, "asked_at"),
    Index("callbacks_open_idx", "client", "number", postgresql_where=text("state = 'open'")),
)

outgoing_calls = Table(
    "outgoing_calls",
    metadata,
    Column("outgoing_id", Id, nullable=False, comment="of its order at the PBX, and of its channels"),
    Column("purpose", Text, nullable=False),
    Column("call_id", Id, nullable=False, comment="the call in which it was asked for; of a message, its delivery"),
    Column("position", SmallInteger, nullable=False, comment="which wish of that call; 0 of a message"),
    Column("delivery_id", Id, comment="of whoever is told of a message; empty: it calls somebody back"),
    Column("client", Id, nullable=False, comment="whose allow-list admitted the number"),
    Column("number", Text, nullable=False, comment="E.164"),
    Column("shown", Text, nullable=False, comment="the number they see, E.164; empty: none"),
    Column("queue", Text, nullable=False),
    Column("turn_at", Instant, nullable=False, comment="since when it waits its turn"),
    Column("epoch", BigInteger, nullable=False, comment="of the engine that has it: only that one changes it"),
    Column("placed_at", Instant, nullable=False),
    Column("rung_at", Instant, comment="an agent took it, or none was needed"),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("agent", Text),
    Column("outcome", Text, comment="empty while it is under way"),
    Column("hangup_cause", Integer, comment="Q.850"),
    pbx(),
    PrimaryKeyConstraint("outgoing_id"),
    CheckConstraint(one_of("purpose", Purpose), name="purpose"),
    CheckConstraint(one_of("outcome", Outcome), name="outcome"),
    Index(None, "call_id", "position"),
    Index(None, "client", "placed_at"),
    # One at a time for each wish, and for each telling, whatever two engines think.
    Index("outgoing_calls_live_idx", "call_id", "position", unique=True, postgresql_where=text("outcome IS NULL")),
    Index(
        "outgoing_calls_agent_idx",
        "agent",
        "rung_at",
        postgresql_where=text("agent IS NOT NULL AND purpose = 'callback'"),
    ),
    Index("outgoing_calls_callback_idx", "number", "placed_at", postgresql_where=text("purpose = 'callback'")),
    Index("outgoing_calls_message_idx", "number", "placed_at", postgresql_where=text("purpose = 'message'")),
    CheckConstraint("(delivery_id IS NULL) = (purpose = 'callback')", name="message_has_delivery"),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("follow_up_id", Integer, Identity(always=True), nullable=False),
    Column("call_id", Id, nullable=False, comment="the call of whoever was called back"),
    Column("client", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("principal", Text, nullable=False),
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("follow_up_id"),
    CheckConstraint(one_of("result", FollowUpResult), name="result"),
    Index(None, "call_id", "at"),
)
