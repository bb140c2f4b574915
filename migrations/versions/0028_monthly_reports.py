"""Who is sent a report of each month, and which months were.

A release before this one writes versions of plans without their reports: nobody is sent any until this one runs.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "plans",
        sa.Column(
            "reports",
            JSONB,
            nullable=False,
            server_default=sa.text("'[]'::jsonb"),
            comment="[{to, minute, timezone}, ...]",
        ),
    )
    op.create_table(
        "monthly_reports",
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="its present name"),
        sa.Column("contact", sa.Text(), nullable=False, comment="of the client's file"),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("delivery_id", sa.Text(collation="C"), nullable=False, comment="by which it was sent last"),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "contact", "month"),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("monthly_reports")
    op.drop_column("plans", "reports")
