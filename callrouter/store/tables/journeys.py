"""One journey of a caller, and what it went through: queues, offers, legs and times on hold.

One row of `calls` is one journey. There are no foreign keys between a call and its visits and messages: one writer puts
them down in one transaction, and the check of every row costs more than the row.

`calls` is not partitioned: the primary key of a partitioned table must hold the partition's column, and the same
call told twice with different ringing times (one journal may know it only roughly) would then be two calls.

A row of `superseded_calls` is what another teller said of a call: whoever knew less, or was corrected. Nothing that
was told is lost as long as the call is kept. A row of `holds` is a time in which a leg had the caller on hold.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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

from callrouter.core.call import Disposition, EndedBy, LegDirection, LegPurpose, OfferOutcome, QueueOutcome
from callrouter.store.tables.columns import Id, Instant, metadata, one_of, pbx, revision

PATH_ARROW = " → "
"""Between the nodes of a path."""

calls = Table(
    "calls",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("client", Id, nullable=False),
    Column("plan_version", Id, nullable=False),
    Column("did", Text, nullable=False),
    Column("caller_number", Text),
    Column("caller_name", Text, nullable=False),
    Column("presentation", Text, nullable=False),
    Column("diverted_from", Text),
    Column("disposition", Text, nullable=False),
    Column("hangup_cause", Integer, comment="Q.850"),
    Column("ringing_at", Instant, nullable=False),
    Column("answered_at", Instant, comment="the engine answered"),
    Column("entered_service_at", Instant, comment="first queue or dial; set: the journey counts as offered"),
    Column("offered_at", Instant, comment="first offer to an agent"),
    Column("bridged_at", Instant, comment="first bridge to a human"),
    Column("ended_at", Instant, nullable=False),
    Column("waiting_seconds", Double, nullable=False, comment="in queues and dials, menus excluded"),
    Column("talk_seconds", Double, nullable=False),
    Column("agent", Text),
    Column("node_path", Text, nullable=False),
    Column("variables", JSONB, nullable=False),
    Column("trace", JSONB, nullable=False, comment="store/trace.py"),
    # Empty is the default: an engine of the release before copies staged rows that lack them (writer).
    pbx(nullable=True),
    *revision(nullable=True),
    PrimaryKeyConstraint("call_id"),
    CheckConstraint(one_of("disposition", Disposition), name="disposition"),
    Index(None, "ringing_at"),
    # One for each way in which pages of calls are asked for. Of a client the outcome is looked at in the index alone:
    # the few that failed are found without a look at the many that did not.
    Index(None, "client", "ringing_at", "disposition"),
    Index(None, "disposition", "ringing_at"),
    Index(None, "did", "ringing_at"),
    Index(None, "caller_number", "ringing_at", postgresql_where=text("caller_number IS NOT NULL")),
)

queue_visits = Table(
    "queue_visits",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first visit of the call"),
    Column("queue", Text, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("offered_at", Instant),
    Column("offers", Integer, nullable=False),
    Column("agent", Text),
    Column("answered_at", Instant),
    Column("left_at", Instant),
    Column("outcome", Text),
    Column("waiting_seconds", Double, nullable=False),
    pbx(nullable=True),
    PrimaryKeyConstraint("call_id", "position"),
    CheckConstraint(one_of("outcome", QueueOutcome), name="outcome"),
    # With the call, so that an agent's are found without a look at visits (store.taking_part).
    Index(
        *("queue_visits_agent_entered_at_idx", "agent", "entered_at"),
        postgresql_include=["call_id"],
        postgresql_where=text("answered_at IS NOT NULL"),
    ),
)

superseded_calls = Table(
    "superseded_calls",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("record", JSONB, nullable=False, comment="its row of calls, column by column"),
    Column("noted_at", Instant, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("call_id", "epoch", "revision"),
    ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
)

offers = Table(
    "offers",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("number", Integer, nullable=False, comment="1 for the first offer of the call"),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Text, comment="empty: nobody saw its end"),
    Column("cause", Integer, nullable=False, comment="Q.850; 0: not known"),
    *revision(),
    PrimaryKeyConstraint("call_id", "number"),
    CheckConstraint(one_of("outcome", OfferOutcome), name="outcome"),
    Index(None, "agent", "began_at"),
)

OF_AGENTS = "purpose IN ('agent', 'consultation')"
"""Legs by which an agent's figures are made."""

legs = Table(
    "legs",
    metadata,
    Column("leg_id", Id, nullable=False, comment="of a call: its id, a slash, its number; else the channel's own id"),
    Column("call_id", Id, comment="empty: it belongs to no caller's call"),
    Column("number", Integer, nullable=False, comment="1 for the first leg of the call"),
    pbx(),
    Column("purpose", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("party", Text, nullable=False, comment="agent, or contact as the document calls them; empty: the caller"),
    Column("identity", Text, comment="the number that was shown to them; empty: not known"),
    Column("trunk", Text, comment="by which they were reached; empty: not known, or none"),
    Column("began_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("talk_seconds", Double, nullable=False, comment="answer to end, without hold; 0 for the caller's leg"),
    Column("hold_seconds", Double, nullable=False),
    Column("ended_by", Text, comment="who hung up; empty: not known, or the caller was given away"),
    Column("cause", Integer, nullable=False, comment="Q.850; 0: not known"),
    Column("tech_cause", Text, comment="what the network answered: a SIP status (486)"),
    *revision(),
    PrimaryKeyConstraint("leg_id"),
    CheckConstraint(one_of("purpose", LegPurpose), name="purpose"),
    CheckConstraint(one_of("direction", LegDirection), name="direction"),
    CheckConstraint(one_of("ended_by", EndedBy), name="ended_by"),
    # Those of a call are a range of leg_id (store.calls): one index less for each row that is written.
    Index("legs_agents_idx", "party", "began_at", postgresql_where=text(OF_AGENTS)),
    # Few do: by this one, what began long before a period and reaches into it is found (store.agents.rows).
    Index(
        "legs_long_idx",
        "party",
        "began_at",
        postgresql_where=text(f"{OF_AGENTS} AND ended_at - began_at > interval '1 hour'"),
    ),
)

holds = Table(
    "holds",
    metadata,
    Column("leg_id", Id, nullable=False, comment="whose it is (legs)"),
    Column("number", Integer, nullable=False, comment="1 for the first of the leg"),
    Column("call_id", Id, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant, comment="empty: nobody saw its end"),
    *revision(),
    PrimaryKeyConstraint("leg_id", "number"),
)
