"""When the engine last said that it watches, so that the next one knows since when nobody did."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "beats",
        sa.Column("watcher", sa.Text(collation="C"), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False, comment="by the engine's clock"),
        sa.Column(
            "written_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="by PostgreSQL's",
        ),
        sa.PrimaryKeyConstraint("watcher", name=op.f("beats_pkey")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("beats")
