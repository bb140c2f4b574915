"""What another teller said of a call goes with the call: whoever deletes its row keeps none of it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NAME = "superseded_calls_call_id_fkey"


def upgrade() -> None:
    """To this revision."""
    op.execute(
        sa.text("DELETE FROM superseded_calls s WHERE NOT EXISTS (SELECT FROM calls WHERE calls.call_id = s.call_id)")
    )
    op.create_foreign_key(_NAME, "superseded_calls", "calls", ["call_id"], ["call_id"], ondelete="CASCADE")


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_constraint(_NAME, "superseded_calls", type_="foreignkey")
