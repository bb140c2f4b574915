"""One row for each recording; those of the messages that are kept already are filled in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "recordings",
        sa.Column(
            "recording_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="opaque; the file's name, without folder or suffix",
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("leg", sa.Text(), nullable=True, comment="which side is heard; empty: the caller's"),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column(
            "loudness",
            sa.Double(),
            nullable=True,
            comment="RMS, dBFS; empty until the file was looked at",
        ),
        sa.Column("checksum", sa.Text(), nullable=True, comment="SHA-256 of the file; empty until it was looked at"),
        sa.Column(
            "delete_after", sa.DateTime(timezone=True), nullable=True, comment="when its time is over; empty: kept"
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True, comment="the file is gone, the row stays"),
        sa.CheckConstraint("kind IN ('message')", name=op.f("recordings_kind_check")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("recordings_pkey")),
    )
    op.execute(
        """
        INSERT INTO recordings (recording_id, kind, call_id, client, started_at, seconds)
        SELECT recording, 'message', call_id, client, started_at, seconds FROM messages
        ON CONFLICT (recording_id) DO NOTHING
        """
    )
    op.create_index(op.f("recordings_client_started_at_idx"), "recordings", ["client", "started_at"], unique=False)
    op.create_index(op.f("recordings_started_at_idx"), "recordings", ["started_at"], unique=False)
    op.create_index(op.f("recordings_call_id_idx"), "recordings", ["call_id"], unique=False)
    op.create_index(
        "recordings_due_idx",
        "recordings",
        ["delete_after"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "recordings_unheard_idx",
        "recordings",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("checksum IS NULL AND deleted_at IS NULL"),
    )


def downgrade() -> None:
    """Back to the one before: the messages still name their files."""
    op.drop_table("recordings")
