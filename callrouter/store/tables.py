"""The tables, with named constraints and indexes; `migrations/` builds exactly these (a test compares).

One row of `calls` is one journey. Identifiers compare by byte (collation C): it is what the indexes need, and the
order of no list shown to a person rests on it. There are no foreign keys between a call and its visits and messages:
one writer puts them down in one transaction, and the check of every row costs more than the row.

`calls` is not partitioned: the primary key of a partitioned table must hold the partition's column, and the same
call told twice with different ringing times (one journal may know it only roughly) would then be two calls.

A row of `superseded_calls` is what another teller said of a call: whoever knew less, or was corrected. Nothing that
was told is lost as long as the call is kept.

A row of `outgoing_calls` is one attempt to call somebody, for a callback or whatever else its purpose is.
A row of `agent_sessions` is a time in which an agent was logged in, paused or in wrap-up. PINs are hashes only.

A row of `holds` is a time in which a leg had the caller on hold. A row of `recordings` outlives its file. A row of
`audit` is the same deed of the same principal in one minute.

A row of `promises` is a distinct promise to clients, referred to by every version of a plan that makes it: figures are
keyed by it.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from callrouter.core.agents.sessions import SessionKind
from callrouter.core.call import (
    DEFAULT_PBX,
    Disposition,
    EndedBy,
    LegDirection,
    LegPurpose,
    OfferOutcome,
    QueueOutcome,
)
from callrouter.core.service_level import Formula, WaitingClock
from callrouter.outgoing.order import Outcome, Purpose, Settlement
from callrouter.permissions import ScopeKind


class AuditOutcome(StrEnum):
    """What became of what somebody set out to do."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class FollowUpResult(StrEnum):
    """What came of calling somebody back by hand."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"


class RecordingKind(StrEnum):
    """What was recorded."""

    MESSAGE = "message"
    CONVERSATION = "conversation"


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)

_Id = Text(collation="C")
_Instant = DateTime(timezone=True)


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


def _pbx(*, nullable: bool = False) -> Column[str]:
    """Rows from before PBXs had names are the default one's."""
    return Column("pbx", Text, nullable=nullable, server_default=DEFAULT_PBX, comment="CALLROUTER_PBX")


def _revision(*, nullable: bool = False) -> tuple[Column[int], Column[int]]:
    """Of two tellers of one call, or of one numbered part of it, the higher pair stands (core.call, Revision)."""
    return (
        Column("epoch", BigInteger, nullable=nullable, server_default="0", comment="of the engine that told it"),
        Column("revision", Integer, nullable=nullable, server_default="1", comment="0: a guess, the end was not seen"),
    )


PATH_ARROW = " → "
"""Between the nodes of a path."""

calls = Table(
    "calls",
    metadata,
    Column("call_id", _Id, nullable=False),
    Column("client", _Id, nullable=False),
    Column("plan_version", _Id, nullable=False),
    Column("did", Text, nullable=False),
    Column("caller_number", Text),
    Column("caller_name", Text, nullable=False),
    Column("presentation", Text, nullable=False),
    Column("diverted_from", Text),
    Column("disposition", Text, nullable=False),
    Column("hangup_cause", Integer, comment="Q.850"),
    Column("ringing_at", _Instant, nullable=False),
    Column("answered_at", _Instant, comment="the engine answered"),
    Column("entered_service_at", _Instant, comment="first queue or dial; set: the journey counts as offered"),
    Column("offered_at", _Instant, comment="first offer to an agent"),
    Column("bridged_at", _Instant, comment="first bridge to a human"),
    Column("ended_at", _Instant, nullable=False),
    Column("waiting_seconds", Double, nullable=False, comment="in queues and dials, menus excluded"),
    Column("talk_seconds", Double, nullable=False),
    Column("agent", Text),
    Column("node_path", Text, nullable=False),
    Column("variables", JSONB, nullable=False),
    Column("trace", JSONB, nullable=False, comment="store/trace.py"),
    # Empty is the default: an engine of the release before copies staged rows that lack them (writer).
    _pbx(nullable=True),
    *_revision(nullable=True),
    PrimaryKeyConstraint("call_id"),
    CheckConstraint(_one_of("disposition", Disposition), name="disposition"),
    Index(None, "client", "ringing_at"),
    Index(None, "ringing_at"),
    Index("calls_abandoned_idx", "ringing_at", "call_id", postgresql_where=text("disposition = 'abandoned'")),
)

queue_visits = Table(
    "queue_visits",
    metadata,
    Column("call_id", _Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first visit of the call"),
    Column("queue", Text, nullable=False),
    Column("entered_at", _Instant, nullable=False),
    Column("offered_at", _Instant),
    Column("offers", Integer, nullable=False),
    Column("agent", Text),
    Column("answered_at", _Instant),
    Column("left_at", _Instant),
    Column("outcome", Text),
    Column("waiting_seconds", Double, nullable=False),
    _pbx(nullable=True),
    PrimaryKeyConstraint("call_id", "position"),
    CheckConstraint(_one_of("outcome", QueueOutcome), name="outcome"),
)

superseded_calls = Table(
    "superseded_calls",
    metadata,
    Column("call_id", _Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("record", JSONB, nullable=False, comment="its row of calls, column by column"),
    Column("noted_at", _Instant, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("call_id", "epoch", "revision"),
    ForeignKeyConstraint(["call_id"], ["calls.call_id"], ondelete="CASCADE"),
)

offers = Table(
    "offers",
    metadata,
    Column("call_id", _Id, nullable=False),
    Column("number", Integer, nullable=False, comment="1 for the first offer of the call"),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("began_at", _Instant, nullable=False),
    Column("ended_at", _Instant),
    Column("outcome", Text, comment="empty: nobody saw its end"),
    Column("cause", Integer, nullable=False, comment="Q.850; 0: not known"),
    *_revision(),
    PrimaryKeyConstraint("call_id", "number"),
    CheckConstraint(_one_of("outcome", OfferOutcome), name="outcome"),
    Index(None, "agent", "began_at"),
)

legs = Table(
    "legs",
    metadata,
    Column("leg_id", _Id, nullable=False, comment="of a call: its id, a slash, its number; else the channel's own id"),
    Column("call_id", _Id, comment="empty: it belongs to no caller's call"),
    Column("number", Integer, nullable=False, comment="1 for the first leg of the call"),
    _pbx(),
    Column("purpose", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("party", Text, nullable=False, comment="agent, or contact as the document calls them; empty: the caller"),
    Column("identity", Text, comment="the number that was shown to them; empty: not known"),
    Column("trunk", Text, comment="by which they were reached; empty: not known, or none"),
    Column("began_at", _Instant, nullable=False),
    Column("answered_at", _Instant),
    Column("ended_at", _Instant),
    Column("talk_seconds", Double, nullable=False, comment="answer to end, without hold; 0 for the caller's leg"),
    Column("hold_seconds", Double, nullable=False),
    Column("ended_by", Text, comment="who hung up; empty: not known, or the caller was given away"),
    Column("cause", Integer, nullable=False, comment="Q.850; 0: not known"),
    Column("tech_cause", Text, comment="what the network answered: a SIP status (486)"),
    *_revision(),
    PrimaryKeyConstraint("leg_id"),
    CheckConstraint(_one_of("purpose", LegPurpose), name="purpose"),
    CheckConstraint(_one_of("direction", LegDirection), name="direction"),
    CheckConstraint(_one_of("ended_by", EndedBy), name="ended_by"),
    # Those of a call are a range of leg_id (store.calls): one index less for each row that is written.
    Index("legs_party_began_at_idx", "party", "began_at", postgresql_where=text("purpose <> 'caller'")),
)

holds = Table(
    "holds",
    metadata,
    Column("leg_id", _Id, nullable=False, comment="whose it is (legs)"),
    Column("number", Integer, nullable=False, comment="1 for the first of the leg"),
    Column("call_id", _Id, nullable=False),
    Column("began_at", _Instant, nullable=False),
    Column("ended_at", _Instant, comment="empty: nobody saw its end"),
    *_revision(),
    PrimaryKeyConstraint("leg_id", "number"),
)

messages = Table(
    "messages",
    metadata,
    Column("call_id", _Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first message of the call"),
    Column("client", _Id, nullable=False),
    Column("recording", Text, nullable=False, comment="opaque name, without folder or suffix"),
    Column("seconds", Double, nullable=False),
    Column("deliver", Text, nullable=False, comment="contact it is meant for"),
    Column("started_at", _Instant, nullable=False),
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
    Column("recording_id", _Id, nullable=False, comment="opaque; the file's name, without folder or suffix"),
    Column("kind", Text, nullable=False),
    Column("call_id", _Id, nullable=False),
    Column("leg", Text, comment="which side is heard; empty: the caller's"),
    Column("client", _Id, nullable=False),
    Column("started_at", _Instant, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("loudness", Double, comment="RMS, dBFS; empty until the file was looked at"),
    Column("checksum", Text, comment="SHA-256 of the file; empty until it was looked at"),
    Column("delete_after", _Instant, comment="when its time is over; empty: kept"),
    Column("deleted_at", _Instant, comment="the file is gone, the row stays"),
    # Of a conversation; a message is neither paused nor objected to.
    Column("number", Integer, comment="1 for the first conversation of the call that was recorded"),
    Column("paused_seconds", Double, comment="silence, because it was paused"),
    Column("objected_at", _Instant, comment="when the caller objected: it is not played, and deleted"),
    *_revision(nullable=True),
    PrimaryKeyConstraint("recording_id"),
    CheckConstraint(_one_of("kind", RecordingKind), name="kind"),
    Index(None, "client", "started_at"),
    Index(None, "started_at"),
    Index(None, "call_id"),
    Index("recordings_due_idx", "delete_after", postgresql_where=text("deleted_at IS NULL")),
    Index("recordings_unheard_idx", "started_at", postgresql_where=text("checksum IS NULL AND deleted_at IS NULL")),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("call_id", _Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first wish of the call"),
    Column("client", _Id, nullable=False),
    Column("number", Text, nullable=False, comment="E.164"),
    Column("node", Text, nullable=False),
    Column("asked_at", _Instant, nullable=False),
    Column("state", Text, nullable=False),
    # Of what becomes of it; empty while it is open, and where somebody has set only `state`.
    Column("settled_at", _Instant),
    Column("settled_by", Text),
    PrimaryKeyConstraint("call_id", "position"),
    CheckConstraint("state IN ('open', 'done', 'given_up')", name="state"),
    CheckConstraint(_one_of("settled_by", Settlement), name="settled_by"),
    Index(None, "client", "asked_at"),
    Index(None, "asked_at"),
    Index("callbacks_open_idx", "client", "number", postgresql_where=text("state = 'open'")),
)

outgoing_calls = Table(
    "outgoing_calls",
    metadata,
    Column("outgoing_id", _Id, nullable=False, comment="of its order at the PBX, and of its channels"),
    Column("purpose", Text, nullable=False),
    Column("call_id", _Id, nullable=False, comment="the call in which it was asked for"),
    Column("position", SmallInteger, nullable=False, comment="which wish of that call"),
    Column("client", _Id, nullable=False, comment="whose allow-list admitted the number"),
    Column("number", Text, nullable=False, comment="E.164"),
    Column("shown", Text, nullable=False, comment="the number they see, E.164; empty: none"),
    Column("queue", Text, nullable=False),
    Column("turn_at", _Instant, nullable=False, comment="since when it waits its turn"),
    Column("epoch", BigInteger, nullable=False, comment="of the engine that has it: only that one changes it"),
    Column("placed_at", _Instant, nullable=False),
    Column("rung_at", _Instant, comment="an agent took it"),
    Column("answered_at", _Instant),
    Column("ended_at", _Instant),
    Column("agent", Text),
    Column("outcome", Text, comment="empty while it is under way"),
    Column("hangup_cause", Integer, comment="Q.850"),
    _pbx(),
    PrimaryKeyConstraint("outgoing_id"),
    CheckConstraint(_one_of("purpose", Purpose), name="purpose"),
    CheckConstraint(_one_of("outcome", Outcome), name="outcome"),
    Index(None, "call_id", "position"),
    Index(None, "client", "placed_at"),
    # One at a time for each wish, whatever two engines think.
    Index("outgoing_calls_live_idx", "call_id", "position", unique=True, postgresql_where=text("outcome IS NULL")),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("follow_up_id", Integer, Identity(always=True), nullable=False),
    Column("call_id", _Id, nullable=False, comment="the call of whoever was called back"),
    Column("client", _Id, nullable=False),
    Column("at", _Instant, nullable=False),
    Column("principal", Text, nullable=False),
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("follow_up_id"),
    CheckConstraint(_one_of("result", FollowUpResult), name="result"),
    Index(None, "call_id", "at"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("notification_id", _Id, nullable=False, comment="sent along: tells a repetition"),
    Column("call_id", _Id, nullable=False),
    Column("client", _Id, nullable=False),
    Column("contact", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False, comment="JSON, as it is sent"),
    Column("asked_at", _Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", _Instant, comment="empty once it is settled"),
    Column("delivered_at", _Instant),
    Column("last_error", Text),
    PrimaryKeyConstraint("notification_id"),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    Index(None, "client", "asked_at"),
    Index(None, "asked_at"),
    Index("notifications_due_idx", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
)

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
    CheckConstraint(_one_of("formula", Formula), name="formula"),
    CheckConstraint(_one_of("clock", WaitingClock), name="clock"),
    UniqueConstraint(
        *("within_seconds", "target", "short_abandon_seconds", "formula", "clock", "timezone"),
        name="promises_values_key",
    ),
)

plans = Table(
    "plans",
    metadata,
    Column("client", _Id, nullable=False),
    Column("version", _Id, nullable=False),
    Column("document", Text, nullable=False, comment="the client's file as it was"),
    Column("first_live_at", _Instant, nullable=False),
    Column("source", Text, nullable=False, server_default="", comment="the file's path in the folder"),
    Column(
        "documents", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="path to hash, all it stands on"
    ),
    Column("promise_id", ForeignKey(promises.c.promise_id), comment="empty: not known; reports say so"),
    Column("formerly", ARRAY(Text), nullable=False, server_default="{}", comment="earlier identifiers of the client"),
    PrimaryKeyConstraint("client", "version"),
    Index("plans_renamed_idx", "client", "version", postgresql_where=text("formerly <> '{}'")),
)

plan_documents = Table(
    "plan_documents",
    metadata,
    Column("hash", _Id, nullable=False, comment="SHA-256 of the content"),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("hash"),
)

plan_history = Table(
    "plan_history",
    metadata,
    Column("history_id", Integer, Identity(always=True), nullable=False),
    Column("client", _Id, nullable=False),
    Column("version", _Id, comment="empty: the client was withdrawn"),
    Column("live_at", _Instant, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False, comment="who, as far as it is known"),
    PrimaryKeyConstraint("history_id"),
    Index(None, "client", "history_id"),
)

beats = Table(
    "beats",
    metadata,
    Column("watcher", _Id, nullable=False),
    Column("beat_at", _Instant, nullable=False, comment="by the engine's clock"),
    Column("written_at", _Instant, nullable=False, server_default=text("now()"), comment="by PostgreSQL's"),
    _pbx(),
    PrimaryKeyConstraint("watcher"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap_id", Integer, Identity(always=True), nullable=False),
    Column("from_at", _Instant, nullable=False),
    Column("until_at", _Instant, comment="empty while nothing is seen yet"),
    Column("reason", Text, nullable=False),
    _pbx(),
    PrimaryKeyConstraint("gap_id"),
    Index(None, "from_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", _Id, nullable=False, comment="public: the token begins with it"),
    Column("name", _Id, nullable=False, comment="never given twice, so that the audit trail is unambiguous"),
    Column("secret_hash", _Id, nullable=False, comment="SHA-256 of a secret of 256 bits"),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("scope", Text, nullable=False),
    Column("scope_names", ARRAY(Text), nullable=False, comment="clients or teams"),
    Column("created_at", _Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", _Instant, comment="empty: never"),
    Column("revoked_at", _Instant),
    Column("last_used_at", _Instant, comment="to the hour"),
    PrimaryKeyConstraint("token_id"),
    UniqueConstraint("name", name="tokens_name_key"),
    CheckConstraint(_one_of("scope", ScopeKind), name="scope"),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", _Id, nullable=False, comment="made by whoever writes: written twice is one row"),
    Column("at", _Instant, nullable=False, comment="the first time, when there are several in the minute"),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("client", _Id, comment="empty: no one client's"),
    Column("outcome", Text, nullable=False),
    Column("address", Text, nullable=False, comment="empty: from this machine's command line"),
    Column("times", Integer, nullable=False, comment="in that minute"),
    PrimaryKeyConstraint("audit_id"),
    CheckConstraint(_one_of("outcome", AuditOutcome), name="outcome"),
    Index(None, "at"),
    Index(None, "client", "at"),
)

agent_sessions = Table(
    "agent_sessions",
    metadata,
    Column("session_id", _Id, nullable=False, comment="begins with the second it began in"),
    Column("agent", _Id, nullable=False),
    Column("pbx", _Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("reason", Text, nullable=False, comment="of a pause"),
    Column("call_id", _Id, comment="of the conversation before a wrap-up"),
    Column("started_at", _Instant, nullable=False),
    Column("ended_at", _Instant, comment="empty while it lasts"),
    Column("ended_by", Text, nullable=False, comment="who or what ended it"),
    PrimaryKeyConstraint("session_id"),
    CheckConstraint(_one_of("kind", SessionKind), name="kind"),
    Index(None, "agent", "started_at"),
    Index(None, "started_at"),
    Index("agent_sessions_lasting_idx", "pbx", postgresql_where=text("ended_at IS NULL")),
)

agent_pins = Table(
    "agent_pins",
    metadata,
    Column("agent", _Id, nullable=False),
    Column("secret_hash", Text, nullable=False, comment="scrypt, with its salt"),
    Column("set_at", _Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("failures", Integer, nullable=False, comment="wrong ones in a row"),
    Column("locked_until", _Instant, comment="until then the right one is none either"),
    PrimaryKeyConstraint("agent"),
)
