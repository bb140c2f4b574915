"""The names a client had before, kept with each version of its plan: questions about it cover them.

No document of a release before this one says any. A release that runs beside names its columns, and gets the default.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "plans",
        sa.Column(
            "formerly",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="earlier identifiers of the client",
        ),
    )
    op.create_index("plans_renamed_idx", "plans", ["client", "version"], postgresql_where=sa.text("formerly <> '{}'"))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("plans_renamed_idx", table_name="plans")
    op.drop_column("plans", "formerly")
