"""What clients pay: tariffs and invoices, which PostgreSQL keeps from being changed.

A release before this one knows nothing of them, and writes nothing there.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_CHARGES = (
    "'monthly', 'calls_included', 'calls', 'minutes_included', 'minutes', 'callbacks', 'messages', 'sms', "
    "'calls_surcharge', 'minutes_surcharge', 'minimum'"
)
_FROZEN = ("consumption_tariffs", "consumption_invoices", "consumption_lines", "consumption_items")
_REFUSE = """
CREATE FUNCTION refuse_change_of_consumption() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '% is never changed: what is learnt later is in the next invoice', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_REFUSE_MORE = """
CREATE FUNCTION refuse_more_of_consumption() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT number FROM told) AS named LEFT JOIN consumption_invoices USING (number)
        WHERE written_in IS DISTINCT FROM pg_current_xact_id()::text
    ) THEN
        RAISE EXCEPTION 'nothing is added to an invoice that is issued, nor to one that there is not'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


def _id(name: str, comment: str | None = None, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable, comment=comment)


def _column(name: str, kind: Any, comment: str | None = None, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, comment=comment)


def upgrade() -> None:
    """To this revision."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "consumption_tariffs",
        _id("version", "beginning of the hash of its text"),
        _column("name", sa.Text()),
        _column("document", sa.Text(), "YAML, as it was written"),
        _column("kept_at", instant),
        _column("kept_by", sa.Text()),
        sa.PrimaryKeyConstraint("version", name=op.f("consumption_tariffs_pkey")),
    )
    op.create_table(
        "client_tariffs",
        _id("client", "as it was called then"),
        _column("since", sa.Date(), "first day, by the client's clock"),
        _id("version", "empty: from then on it has none", nullable=True),
        _column("set_at", instant),
        _column("set_by", sa.Text()),
        sa.PrimaryKeyConstraint("client", "since", name=op.f("client_tariffs_pkey")),
        sa.ForeignKeyConstraint(["version"], ["consumption_tariffs.version"], name=op.f("client_tariffs_version_fkey")),
    )
    op.create_table(
        "consumption_numbers",
        _id("series", "year"),
        _column("last", sa.Integer(), "the last number that was given"),
        sa.PrimaryKeyConstraint("series", name=op.f("consumption_numbers_pkey")),
    )
    _invoices(instant)
    _lines()
    _items(instant)
    op.execute(_REFUSE)
    op.execute(_REFUSE_MORE)
    for table in _FROZEN:
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT "
            "EXECUTE FUNCTION refuse_change_of_consumption()"
        )
    for table in ("consumption_lines", "consumption_items"):
        op.execute(
            f"CREATE TRIGGER {table}_complete AFTER INSERT ON {table} REFERENCING NEW TABLE AS told "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_more_of_consumption()"
        )


def _invoices(instant: Any) -> None:
    op.create_table(
        "consumption_invoices",
        _id("number", "2026-00042: year and place in it, without gaps"),
        sa.Column(
            "place", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="of a client's, in order"
        ),
        _id("client", "as it was called then"),
        _column("month", sa.Date(), "its first day"),
        _column("name", sa.Text(), "of the client, for people"),
        _column("zone", sa.Text(), "IANA name"),
        _column("from_at", instant),
        _column("to_at", instant, "not included"),
        _column("currency", sa.Text(), "ISO 4217"),
        _column("terms", JSONB, "[{since, until, version, tariff}, ...]"),
        _column("counted", JSONB, "how many are billed, by kind"),
        _column("not_billed", JSONB, "how many calls are not, by why"),
        _column("net", sa.Numeric()),
        _column("gross", sa.Numeric()),
        _column("issued_at", instant),
        _column("issued_by", sa.Text()),
        sa.Column(
            "written_in",
            sa.Text(),
            nullable=False,
            server_default=sa.text("(pg_current_xact_id())::text"),
            comment="transaction: no other adds to it",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("consumption_invoices_pkey")),
        sa.UniqueConstraint("client", "month", name="consumption_invoices_client_month_key"),
    )
    for columns in (["issued_at", "number"], ["client", "issued_at"]):
        name = f"consumption_invoices_{'_'.join(columns)}_idx"
        op.create_index(op.f(name), "consumption_invoices", columns)


def _lines() -> None:
    op.create_table(
        "consumption_lines",
        _id("number"),
        _column("position", sa.SmallInteger(), "1 for the first"),
        _column("month", sa.Date(), "which it is of; of a correction an earlier one"),
        _column("since", sa.Date(), "first day of the tariff's part of the month"),
        _column("charge", sa.Text()),
        _column("place", sa.SmallInteger(), "tier; 0: there is one price"),
        _column("name", sa.Text(), "of a surcharge"),
        _column("quantity", sa.BigInteger(), "pieces, seconds or days"),
        _column("per", sa.Integer(), "of how many the price is"),
        _column("price", sa.Numeric()),
        _column("amount", sa.Numeric(), "without VAT, rounded"),
        _column("vat", sa.Numeric(), "a share"),
        _column("correction", sa.Boolean()),
        sa.PrimaryKeyConstraint("number", "position", name=op.f("consumption_lines_pkey")),
        sa.ForeignKeyConstraint(
            ["number"], ["consumption_invoices.number"], name=op.f("consumption_lines_number_fkey")
        ),
        sa.CheckConstraint(f"charge IN ({_CHARGES})", name=op.f("consumption_lines_charge_check")),
    )


def _items(instant: Any) -> None:
    op.create_table(
        "consumption_items",
        _id("number"),
        _column("month", sa.Date(), "in which it is counted"),
        _column("kind", sa.Text()),
        _id("item_id", "call_id, outgoing_id, message_id, delivery_id"),
        _column("at", instant),
        _column("outcome", sa.Text()),
        _column("waiting_seconds", sa.Double()),
        _column("talk_seconds", sa.Double()),
        _column("put_through_seconds", sa.Double(), "of the talk; empty: not measured", nullable=True),
        _column("hold_seconds", sa.Double(), "empty: not measured", nullable=True),
        _column("wrap_up_seconds", sa.Double(), "empty: not measured", nullable=True),
        _column(
            "marked",
            sa.Boolean(),
            "a node or a message said that it is not billed; empty: not measured",
            nullable=True,
        ),
        _column("elsewhere", sa.Boolean(), "another client's, as was learnt later"),
        _column("part", sa.SmallInteger(), "of the month, 0 the first; -1: none"),
        _column("why", sa.Text(), "it costs nothing; empty: it is billed"),
        _column("billed_seconds", sa.Integer()),
        _column("surcharge", sa.Text()),
        _column("lines", ARRAY(sa.SmallInteger()), "positions of the lines in which it counts"),
        sa.PrimaryKeyConstraint("number", "month", "kind", "item_id", name=op.f("consumption_items_pkey")),
        sa.CheckConstraint("kind IN ('call', 'callback', 'message', 'sms')", name=op.f("consumption_items_kind_check")),
    )
    op.create_index(op.f("consumption_items_item_id_idx"), "consumption_items", ["item_id"])


def downgrade() -> None:
    """Back to the one before: whatever was issued is gone."""
    for table in (
        *("consumption_items", "consumption_lines", "consumption_invoices", "consumption_numbers"),
        *("client_tariffs", "consumption_tariffs"),
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change_of_consumption()")
    op.execute("DROP FUNCTION refuse_more_of_consumption()")
