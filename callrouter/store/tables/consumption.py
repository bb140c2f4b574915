"""What clients pay: tariffs, for whom each is from when on, and invoices with their lines and all that they bill.

A row of `consumption_tariffs` is a tariff as it was written; of `client_tariffs`, from which day on a client has one.
An invoice is a row of `consumption_invoices` with its `consumption_lines` and its `consumption_items`: each call,
callback, message and SMS of its month, billed or not, as it was measured and what it counted for; and those of months
that were billed before, where they came late or were corrected. PostgreSQL refuses whatever would change them (the
triggers `*_frozen`), and rows for an invoice of another transaction: calls may be deleted, invoices stay.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from callrouter.consumption.items import Kind
from callrouter.consumption.rating import Charge
from callrouter.store.tables.columns import Id, Instant, metadata, one_of

consumption_tariffs = Table(
    "consumption_tariffs",
    metadata,
    Column("version", Id, nullable=False, comment="beginning of the hash of its text"),
    Column("name", Text, nullable=False),
    Column("document", Text, nullable=False, comment="YAML, as it was written"),
    Column("kept_at", Instant, nullable=False),
    Column("kept_by", Text, nullable=False),
    PrimaryKeyConstraint("version"),
)

client_tariffs = Table(
    "client_tariffs",
    metadata,
    Column("client", Id, nullable=False, comment="as it was called then"),
    Column("since", Date, nullable=False, comment="first day, by the client's clock"),
    Column("version", Id, comment="empty: from then on it has none"),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    PrimaryKeyConstraint("client", "since"),
    ForeignKeyConstraint(["version"], ["consumption_tariffs.version"]),
)

consumption_numbers = Table(
    "consumption_numbers",
    metadata,
    Column("series", Id, nullable=False, comment="year"),
    Column("last", Integer, nullable=False, comment="the last number that was given"),
    PrimaryKeyConstraint("series"),
)

consumption_invoices = Table(
    "consumption_invoices",
    metadata,
    Column("number", Id, nullable=False, comment="2026-00042: year and place in it, without gaps"),
    Column("place", BigInteger, Identity(always=True), nullable=False, comment="of a client's, in order"),
    Column("client", Id, nullable=False, comment="as it was called then"),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("name", Text, nullable=False, comment="of the client, for people"),
    Column("zone", Text, nullable=False, comment="IANA name"),
    Column("from_at", Instant, nullable=False),
    Column("to_at", Instant, nullable=False, comment="not included"),
    Column("currency", Text, nullable=False, comment="ISO 4217"),
    Column("terms", JSONB, nullable=False, comment="[{since, until, version, tariff}, ...]"),
    Column("counted", JSONB, nullable=False, comment="how many are billed, by kind"),
    Column("not_billed", JSONB, nullable=False, comment="how many calls are not, by why"),
    Column("net", Numeric, nullable=False),
    Column("gross", Numeric, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column(
        "written_in",
        Text,
        nullable=False,
        server_default=text("(pg_current_xact_id())::text"),
        comment="transaction: no other adds to it",
    ),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("client", "month", name="consumption_invoices_client_month_key"),
    Index(None, "issued_at", "number"),
    Index(None, "client", "issued_at"),
)

consumption_lines = Table(
    "consumption_lines",
    metadata,
    Column("number", Id, nullable=False),
    Column("position", SmallInteger, nullable=False, comment="1 for the first"),
    Column("month", Date, nullable=False, comment="which it is of; of a correction an earlier one"),
    Column("since", Date, nullable=False, comment="first day of the tariff's part of the month"),
    Column("charge", Text, nullable=False),
    Column("place", SmallInteger, nullable=False, comment="tier; 0: there is one price"),
    Column("name", Text, nullable=False, comment="of a surcharge"),
    Column("quantity", BigInteger, nullable=False, comment="pieces, seconds or days"),
    Column("per", Integer, nullable=False, comment="of how many the price is"),
    Column("price", Numeric, nullable=False),
    Column("amount", Numeric, nullable=False, comment="without VAT, rounded"),
    Column("vat", Numeric, nullable=False, comment="a share"),
    Column("correction", Boolean, nullable=False),
    PrimaryKeyConstraint("number", "position"),
    ForeignKeyConstraint(["number"], ["consumption_invoices.number"]),
    CheckConstraint(one_of("charge", Charge), name="charge"),
)

consumption_items = Table(
    "consumption_items",
    metadata,
    Column("number", Id, nullable=False),
    Column("month", Date, nullable=False, comment="in which it is counted"),
    Column("kind", Text, nullable=False),
    Column("item_id", Id, nullable=False, comment="call_id, outgoing_id, message_id, delivery_id"),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("waiting_seconds", Double, nullable=False),
    Column("talk_seconds", Double, nullable=False),
    Column("put_through_seconds", Double, comment="of the talk; empty: not measured"),
    Column("hold_seconds", Double, comment="empty: not measured"),
    Column("wrap_up_seconds", Double, comment="empty: not measured"),
    Column("marked", Boolean, comment="a node or a message said that it is not billed; empty: not measured"),
    Column("elsewhere", Boolean, nullable=False, comment="another client's, as was learnt later"),
    Column("part", SmallInteger, nullable=False, comment="of the month, 0 the first; -1: none"),
    Column("why", Text, nullable=False, comment="it costs nothing; empty: it is billed"),
    Column("billed_seconds", Integer, nullable=False),
    Column("surcharge", Text, nullable=False),
    Column("lines", ARRAY(SmallInteger), nullable=False, comment="positions of the lines in which it counts"),
    # Most of an invoice are of its own month: what it corrects of another is found beside them.
    PrimaryKeyConstraint("number", "month", "kind", "item_id"),
    CheckConstraint(one_of("kind", Kind), name="kind"),
    Index(None, "item_id"),
)
