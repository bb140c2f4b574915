"""Callers who want to be called back, and what clients' own systems are to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "callbacks",
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="1 for the first wish of the call"),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False, comment="E.164"),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'given_up')", name=op.f("callbacks_state_check")),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("callbacks_pkey")),
    )
    op.create_index(op.f("callbacks_asked_at_idx"), "callbacks", ["asked_at"], unique=False)
    op.create_index(op.f("callbacks_client_asked_at_idx"), "callbacks", ["client", "asked_at"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("notification_id", sa.Text(collation="C"), nullable=False, comment="sent along: tells a repetition"),
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON, as it is sent"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True, comment="empty once it is settled"),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("notifications_state_check")),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("notifications_pkey")),
    )
    op.create_index(op.f("notifications_client_asked_at_idx"), "notifications", ["client", "asked_at"], unique=False)
    op.create_index(op.f("notifications_asked_at_idx"), "notifications", ["asked_at"], unique=False)
    op.create_index(
        "notifications_due_idx",
        "notifications",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("notifications")
    op.drop_table("callbacks")
