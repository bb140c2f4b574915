"""Agents' sessions, and the hashes of their PINs."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "agent_sessions",
        sa.Column("session_id", sa.Text(collation="C"), nullable=False, comment="begins with the second it began in"),
        sa.Column("agent", sa.Text(collation="C"), nullable=False),
        sa.Column("pbx", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="of a pause"),
        sa.Column("call_id", sa.Text(collation="C"), nullable=True, comment="of the conversation before a wrap-up"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="empty while it lasts"),
        sa.Column("ended_by", sa.Text(), nullable=False, comment="who or what ended it"),
        sa.CheckConstraint("kind IN ('login', 'pause', 'wrap_up')", name=op.f("agent_sessions_kind_check")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("agent_sessions_pkey")),
    )
    op.create_index(op.f("agent_sessions_agent_started_at_idx"), "agent_sessions", ["agent", "started_at"])
    op.create_index(op.f("agent_sessions_started_at_idx"), "agent_sessions", ["started_at"])
    op.create_index(
        "agent_sessions_lasting_idx", "agent_sessions", ["pbx"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "agent_pins",
        sa.Column("agent", sa.Text(collation="C"), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False, comment="scrypt, with its salt"),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, comment="wrong ones in a row"),
        sa.Column(
            "locked_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="until then the right one is none either",
        ),
        sa.PrimaryKeyConstraint("agent", name=op.f("agent_pins_pkey")),
    )


def downgrade() -> None:
    """Back to the one before: nobody logs in by telephone, and no session is known."""
    op.drop_table("agent_pins")
    op.drop_table("agent_sessions")
