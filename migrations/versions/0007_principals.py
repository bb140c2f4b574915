"""Tokens that may do some things for some clients or teams, and the trail of who did what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Text(collation="C"), nullable=False, comment="public: the token begins with it"),
        sa.Column(
            "name",
            sa.Text(collation="C"),
            nullable=False,
            comment="never given twice, so that the audit trail is unambiguous",
        ),
        sa.Column("secret_hash", sa.Text(collation="C"), nullable=False, comment="SHA-256 of a secret of 256 bits"),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_names", postgresql.ARRAY(sa.Text()), nullable=False, comment="clients or teams"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True, comment="empty: never"),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True, comment="to the hour"),
        sa.CheckConstraint("scope IN ('all', 'clients', 'teams')", name=op.f("tokens_scope_check")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("tokens_pkey")),
        sa.UniqueConstraint("name", name=op.f("tokens_name_key")),
    )
    op.create_table(
        "audit",
        sa.Column(
            "audit_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="made by whoever writes: written twice is one row",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="the first time, when there are several in the minute",
        ),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=True, comment="empty: no one client's"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="empty: from this machine's command line"),
        sa.Column("times", sa.Integer(), nullable=False, comment="in that minute"),
        sa.CheckConstraint("outcome IN ('done', 'refused', 'failed')", name=op.f("audit_outcome_check")),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("audit_pkey")),
    )
    op.create_index(op.f("audit_at_idx"), "audit", ["at"], unique=False)
    op.create_index(op.f("audit_client_at_idx"), "audit", ["client", "at"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("audit")
    op.drop_table("tokens")
