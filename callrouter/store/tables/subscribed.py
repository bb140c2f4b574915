"""Other systems that are told what happens: who they are, what they are still to be told of, and which days they were.

Rows of `subscribers` and of `happenings` are made by PostgreSQL itself: the former with what goes live (the trigger
`plan_history_subscribe`), the latter in the transaction in which something happens, whoever writes it. A row of
`happenings` is gone once it has become deliveries. So are those of `streamed`, which the live event stream tells, and
which are kept for an hour (`store.subscribed.streamed`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from callrouter.store.tables.columns import Id, Instant, metadata

subscribers = Table(
    "subscribers",
    metadata,
    Column("client", Id, nullable=False, comment="as rows name it: the client's present name, or one of before"),
    Column("name", Id, nullable=False, comment="of the subscription, in the client's file"),
    Column("owner", Id, nullable=False, comment="the client's present name"),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("timezone", Text, nullable=False, comment="IANA name, of the client's days"),
    Column("known_timezone", Text, nullable=False, comment="the same as PostgreSQL knows it; else UTC"),
    Column("since", Instant, nullable=False, comment="when it went live first"),
    PrimaryKeyConstraint("client", "name"),
    Index(None, "owner"),
)

happenings = Table(
    "happenings",
    metadata,
    Column("number", BigInteger, Identity(), nullable=False, comment="in order"),
    Column("client", Id, nullable=False, comment="as the row names it that it is of"),
    Column("kind", Text, nullable=False),
    Column("subject", Id, nullable=False, comment="call_id; message_id; call_id and position; client and day"),
    Column("call_id", Id, comment="empty: of no call"),
    Column("at", Instant, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("kind", "subject"),
)

streamed = Table(
    "streamed",
    metadata,
    Column("number", BigInteger, Identity(), nullable=False, comment="as rows were written"),
    Column("place", BigInteger, comment="in the stream, without gaps; empty: nobody has read it yet"),
    Column("client", Id, nullable=False, comment="as the row names it that it is of"),
    Column("kind", Text, nullable=False),
    Column("subject", Id, nullable=False, comment="message_id; call_id and position; client and day"),
    Column("at", Instant, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("place"),
    Index("streamed_new_idx", "number", postgresql_where=text("place IS NULL")),
)

told_days = Table(
    "told_days",
    metadata,
    Column("client", Id, nullable=False, comment="its present name"),
    Column("name", Id, nullable=False, comment="of the subscription"),
    Column("day", Date, nullable=False, comment="of the client's zone"),
    Column("revision", Integer, nullable=False, comment="1 the first time; one more whenever its figures have changed"),
    Column("digest", Text, nullable=False, comment="of the figures that were told last"),
    Column("looked_at", Instant, nullable=False, comment="when its figures were computed last"),
    PrimaryKeyConstraint("client", "name", "day"),
)

monthly_reports = Table(
    "monthly_reports",
    metadata,
    Column("client", Id, nullable=False, comment="its present name"),
    Column("contact", Text, nullable=False, comment="of the client's file"),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("delivery_id", Id, nullable=False, comment="by which it was sent last"),
    Column("queued_at", Instant, nullable=False),
    PrimaryKeyConstraint("client", "contact", "month"),
)
