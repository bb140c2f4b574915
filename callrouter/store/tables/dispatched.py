"""What becomes of messages: how far each has come with those who are to be told, and what was sent to whom.

A row of `dispatches` is made by PostgreSQL itself, with its message's (the trigger `messages_dispatch`): whoever writes
messages, in whichever release, owes them to somebody from that transaction on. Instants are of the worker's clock;
`began_at` is when the message was complete, by the clock of whoever took it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from callrouter.core.dispatch import Means
from callrouter.store.tables.columns import Id, Instant, metadata, one_of


class DispatchState(StrEnum):
    """How far a message has come with those who are to be told."""

    NEW = "new"
    """Its rule has not been looked up."""
    RUNNING = "running"
    """A step is due, or an acknowledgement is waited for."""
    TOLD = "told"
    """Whoever was to be told has been, and nobody need acknowledge it."""
    ATTENTION = "attention"
    """It stands on the agents' list: nobody acknowledged, or nobody could be told."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody took it on, or it is done."""


class DeliveryState(StrEnum):
    """How far one telling of one person by one means has come."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    """The next server, or the provider, took it."""
    DELIVERED = "delivered"
    """It has reached the person's mailbox or telephone."""
    VIEWED = "viewed"
    """A person opened it."""
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    """Somebody acknowledged the message before it was sent."""


class DeliveryKind(StrEnum):
    """What somebody is told."""

    MESSAGE = "message"
    NOTICE = "notice"
    """That somebody else acknowledged it."""
    NOTIFICATION = "notification"
    """What a call's tree asked for (`notify`), or an event for the operator's own web service."""
    EVENT = "event"
    """What another system has subscribed to."""
    CODE = "code"
    """By which somebody opens a confidential message."""


_OF_MESSAGE: Final = ["message_id"], ["messages.message_id"]

dispatches = Table(
    "dispatches",
    metadata,
    Column("message_id", Id, nullable=False),
    Column("client", Id, nullable=False),
    Column("state", Text, nullable=False, server_default=DispatchState.NEW),
    Column(
        "urgent", Boolean, nullable=False, server_default=text("false"), comment="whether it goes the urgent course"
    ),
    Column("plan_version", Id, nullable=False, server_default="", comment="whose rule it goes by; empty: the live one"),
    Column("policy", JSONB, comment="the client's rule as it was when it was looked up"),
    Column("step", SmallInteger, nullable=False, server_default="0", comment="the next one, 0 the first"),
    Column("round", SmallInteger, nullable=False, server_default="0", comment="how often the steps began again"),
    Column("due_at", Instant, comment="when there is something to do; empty: never by itself"),
    Column("held_until", Instant, comment="when the next step begins, where it was put off"),
    Column("begun_at", Instant, comment="when the step before the next one began; empty: none has"),
    Column("ages_at", Instant, comment="when it becomes urgent"),
    Column("reason", Text, nullable=False, server_default="", comment="why it stands on the list; a sentence"),
    Column("began_at", Instant, nullable=False, server_default=text("now()")),
    Column("ended_at", Instant, comment="when it was told, acknowledged, or put on the list"),
    Column("acknowledged_by", Text, comment="contact, or principal"),
    Column("acknowledged_how", Text, comment="link, reply, key, done, api, cli"),
    Column("void_to", BigInteger, comment="number of the last telling of before it began anew: none of those counts"),
    Column(
        "confidential",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="whether a rule that it went by before it began anew was: it stays so",
    ),
    PrimaryKeyConstraint("message_id"),
    ForeignKeyConstraint(*_OF_MESSAGE, ondelete="CASCADE"),
    CheckConstraint(one_of("state", DispatchState), name="state"),
    Index("dispatches_due_idx", "urgent", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("dispatches_attention_idx", "client", postgresql_where=text("state = 'attention'")),
    Index("dispatches_running_idx", "message_id", postgresql_where=text("state = 'running'")),
    Index(None, "client", "began_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Id, nullable=False, comment="UUID; the receiver knows a repetition by it"),
    Column("number", BigInteger, Identity(), nullable=False, comment="in order"),
    Column("message_id", Id, comment="empty: of a call, or of a day"),
    Column("call_id", Id, comment="of what is not of a message"),
    Column("client", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("round", SmallInteger, nullable=False, server_default="0"),
    Column("step", SmallInteger, nullable=False, server_default="0"),
    Column("contact", Text, nullable=False, comment="of the client's file; of an event, who subscribed"),
    Column("means", Text, nullable=False),
    Column("address", Text, nullable=False, comment="URL, as it was when the step began"),
    Column("body", Text, comment="as it is posted; empty: written when it is sent"),
    Column(
        "secret", Text, nullable=False, server_default="", comment="name of what a body is signed with; empty: none"
    ),
    Column("batch", Text, nullable=False, server_default="", comment="of those that go in one; empty: alone"),
    Column(
        "sequence", Id, nullable=False, server_default="", comment="of those that go one after the other; empty: alone"
    ),
    Column("urgent", Boolean, nullable=False, server_default=text("false"), comment="goes before those that are not"),
    Column("last", Boolean, nullable=False, server_default=text("false"), comment="nothing follows: told again once"),
    Column("state", Text, nullable=False, server_default=DeliveryState.QUEUED),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("queued_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, comment="empty: there will be none"),
    Column("sending_until", Instant, comment="when an attempt that is out has failed"),
    Column("sent_at", Instant, comment="when the last attempt began; empty: none has"),
    Column("changed_at", Instant, nullable=False, comment="of the state"),
    Column("answer", Text, nullable=False, server_default="", comment="of the other side, or why it failed"),
    Column("receipt_id", Text, comment="by which the other side calls it"),
    Column("reply_hash", Text, comment="of codes by which whoever answers it takes the message on"),
    PrimaryKeyConstraint("delivery_id"),
    ForeignKeyConstraint(*_OF_MESSAGE, ondelete="CASCADE"),
    CheckConstraint(one_of("state", DeliveryState), name="state"),
    CheckConstraint(one_of("kind", DeliveryKind), name="kind"),
    CheckConstraint(one_of("means", Means), name="means"),
    CheckConstraint("message_id IS NOT NULL OR body IS NOT NULL", name="says_something"),
    CheckConstraint("(state = 'queued') = (next_attempt_at IS NOT NULL)", name="queued_is_due"),
    CheckConstraint("(state = 'sending') = (sending_until IS NOT NULL)", name="sending_ends"),
    Index(
        "deliveries_due_idx",
        "urgent",
        "next_attempt_at",
        postgresql_where=text("state = 'queued' AND sequence = ''"),
    ),
    Index(
        "deliveries_failed_idx",
        "changed_at",
        "delivery_id",
        postgresql_where=text("state = 'failed' AND message_id IS NULL"),
    ),
    Index(
        "deliveries_waiting_idx",
        "changed_at",
        "delivery_id",
        postgresql_where=text("message_id IS NULL AND state IN ('queued', 'sending')"),
    ),
    # The engine looks every few seconds, however much mail waits.
    Index(
        "deliveries_phone_idx",
        "urgent",
        "next_attempt_at",
        postgresql_where=text("state = 'queued' AND means = 'phone'"),
    ),
    Index("deliveries_sending_idx", "sending_until", postgresql_where=text("state = 'sending'")),
    Index(None, "message_id"),
    Index("deliveries_call_id_idx", "call_id", postgresql_where=text("call_id IS NOT NULL")),
    Index(
        "deliveries_sequence_idx",
        "sequence",
        "number",
        postgresql_where=text("sequence <> '' AND state IN ('queued', 'sending')"),
    ),
    Index("deliveries_sms_idx", "address", "sent_at", postgresql_where=text("means = 'sms'")),
    Index("deliveries_receipt_id_idx", "receipt_id", postgresql_where=text("receipt_id IS NOT NULL")),
    Index("deliveries_answered_idx", "address", "queued_at", postgresql_where=text("means <> 'webhook'")),
)

delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("kind", Text, nullable=False),
    Column("outcome", Text, nullable=False, comment="delivered, failed (it is tried again), given_up"),
    Column("attempts", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "outcome"),
)
"""How attempts ended of what is of no message: the worker has no other way to tell Prometheus."""

dispatch_events = Table(
    "dispatch_events",
    metadata,
    Column("message_id", Id, nullable=False),
    Column("number", BigInteger, Identity(), nullable=False, comment="in order"),
    Column("at", Instant, nullable=False),
    Column("what", Text, nullable=False, comment="a word"),
    Column("delivery_id", Id, comment="empty: of the message as a whole"),
    Column("contact", Text, nullable=False, server_default=""),
    Column("means", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default="", comment="a sentence, or the other side's answer"),
    Column("principal", Text, nullable=False, server_default="", comment="who did it; empty: the rule"),
    PrimaryKeyConstraint("message_id", "number"),
    ForeignKeyConstraint(*_OF_MESSAGE, ondelete="CASCADE"),
    Index("dispatch_events_replied_idx", "at", postgresql_where=text("what = 'replied'")),
)

delivery_links = Table(
    "delivery_links",
    metadata,
    Column("token_hash", Id, nullable=False, comment="SHA-256 of what stands in the link, hexadecimal"),
    Column("delivery_id", Id, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("wrong_tries", SmallInteger, nullable=False, server_default="0", comment="at a PIN or a code, in a row"),
    Column("tried_at", Instant, comment="when the last of them was"),
    Column("closed_at", Instant, comment="when there were too many: it shows nothing more"),
    Column("pass_hash", Text, comment="SHA-256 of what a page has whose reader gave the right PIN or code"),
    Column("pass_until", Instant, comment="how long that page is believed"),
    PrimaryKeyConstraint("token_hash"),
    ForeignKeyConstraint(["delivery_id"], ["deliveries.delivery_id"], ondelete="CASCADE"),
    Index(None, "delivery_id"),
    Index("delivery_links_tried_idx", "tried_at", postgresql_where=text("wrong_tries > 0")),
    Index("delivery_links_closed_idx", "expires_at", postgresql_where=text("closed_at IS NOT NULL")),
)

delivery_codes = Table(
    "delivery_codes",
    metadata,
    Column("delivery_id", Id, nullable=False, comment="of the code's own telling"),
    Column("token_hash", Id, nullable=False, comment="of the link that it opens"),
    Column("asked_at", Instant, nullable=False),
    Column("code_hash", Text, comment="empty: it was not made yet, or was used"),
    Column("expires_at", Instant, comment="when it opens nothing any more"),
    PrimaryKeyConstraint("delivery_id"),
    ForeignKeyConstraint(["delivery_id"], ["deliveries.delivery_id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["token_hash"], ["delivery_links.token_hash"], ondelete="CASCADE"),
    Index(None, "token_hash"),
)

replies = Table(
    "replies",
    metadata,
    Column("reply_id", Id, nullable=False, comment="by which a doubled one is known: means, and a hash"),
    Column("sender", Text, nullable=False, comment="sms: and a number, mailto: and an address"),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False, comment="acknowledged, known, wrong, limited, words, automatic"),
    PrimaryKeyConstraint("reply_id"),
    Index(None, "sender", "at"),
    Index(None, "at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Id, nullable=False),
    Column("holder", Text, nullable=False, comment="host and process"),
    Column("epoch", Integer, nullable=False, comment="one more with each holder: what acts under it checks it"),
    Column("until", Instant, nullable=False, comment="by PostgreSQL's clock; then somebody else may take it"),
    PrimaryKeyConstraint("name"),
)
