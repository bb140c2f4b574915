"""Somebody is told of a message by telephone: calls of ours for that, beside those that call somebody back."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_COMMENTS = (
    (
        "outgoing_calls",
        "call_id",
        sa.Text(),
        False,
        "the call in which it was asked for",
        "the call in which it was asked for; of a message, its delivery",
    ),
    (
        "outgoing_calls",
        "position",
        sa.SmallInteger(),
        False,
        "which wish of that call",
        "which wish of that call; 0 of a message",
    ),
    (
        "outgoing_calls",
        "rung_at",
        sa.DateTime(timezone=True),
        True,
        "an agent took it",
        "an agent took it, or none was needed",
    ),
    ("dispatches", "acknowledged_how", sa.Text(), True, "link, done, api, cli", "link, key, done, api, cli"),
)


def upgrade() -> None:
    """To this revision."""
    for table, column, kind, nullable, before, after in _COMMENTS:
        _comment(table, column, kind, nullable, before, after)
    op.add_column(
        "outgoing_calls",
        sa.Column(
            "delivery_id",
            sa.Text(collation="C"),
            comment="of whoever is told of a message; empty: it calls somebody back",
        ),
    )
    _one_of("outgoing_calls", "purpose", "'callback', 'message'")
    _one_of("deliveries", "means", "'email', 'sms', 'webhook', 'phone'")
    op.create_check_constraint(
        op.f("outgoing_calls_message_has_delivery_check"),
        "outgoing_calls",
        "(delivery_id IS NULL) = (purpose = 'callback')",
    )
    op.create_index(
        "outgoing_calls_message_idx",
        "outgoing_calls",
        ["number", "placed_at"],
        postgresql_where=sa.text("purpose = 'message'"),
    )
    op.create_index(
        "deliveries_phone_idx",
        "deliveries",
        ["urgent", "next_attempt_at"],
        postgresql_where=sa.text("state = 'queued' AND means = 'phone'"),
    )


def downgrade() -> None:
    """Back to the one before, which tells nobody by telephone."""
    op.drop_index("deliveries_phone_idx", "deliveries")
    op.execute("DELETE FROM deliveries WHERE means = 'phone'")
    op.execute("DELETE FROM outgoing_calls WHERE purpose = 'message'")
    op.drop_index("outgoing_calls_message_idx", "outgoing_calls")
    op.drop_constraint(op.f("outgoing_calls_message_has_delivery_check"), "outgoing_calls")
    _one_of("deliveries", "means", "'email', 'sms', 'webhook'")
    _one_of("outgoing_calls", "purpose", "'callback'")
    op.drop_column("outgoing_calls", "delivery_id")
    for table, column, kind, nullable, before, after in _COMMENTS:
        _comment(table, column, kind, nullable, after, before)


def _comment(table: str, column: str, kind: sa.types.TypeEngine[Any], nullable: bool, before: str, after: str) -> None:
    op.alter_column(
        table,
        column,
        existing_type=kind,
        existing_nullable=nullable,
        existing_comment=before,
        comment=after,
    )


def _one_of(table: str, column: str, values: str) -> None:
    name = op.f(f"{table}_{column}_check")
    op.drop_constraint(name, table)
    op.create_check_constraint(name, table, f"{column} IN ({values})")
