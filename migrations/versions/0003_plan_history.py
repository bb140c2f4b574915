"""Which version of a plan was live when, and the documents each was made of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "plan_documents",
        sa.Column("hash", sa.Text(collation="C"), nullable=False, comment="SHA-256 of the content"),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("plan_documents_pkey")),
    )
    op.create_table(
        "plan_history",
        sa.Column("history_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Text(collation="C"), nullable=True, comment="empty: the client was withdrawn"),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="who, as far as it is known"),
        sa.PrimaryKeyConstraint("history_id", name=op.f("plan_history_pkey")),
    )
    op.create_index(op.f("plan_history_client_history_id_idx"), "plan_history", ["client", "history_id"], unique=False)
    op.add_column(
        "plans",
        sa.Column("source", sa.Text(), server_default="", nullable=False, comment="the file's path in the folder"),
    )
    op.add_column(
        "plans",
        sa.Column(
            "documents",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="path to hash, all it stands on",
        ),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("plans", "documents")
    op.drop_column("plans", "source")
    op.drop_index(op.f("plan_history_client_history_id_idx"), table_name="plan_history")
    op.drop_table("plan_history")
    op.drop_table("plan_documents")
