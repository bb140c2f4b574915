"""When tellings were sent, by which limits count; what waits of calls is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SMS = "deliveries_sms_idx"


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "deliveries",
        sa.Column("sent_at", sa.DateTime(timezone=True), comment="when the last attempt began; empty: none has"),
    )
    # Those of the last minutes count; of older ones nobody asks.
    op.execute(
        """UPDATE deliveries SET sent_at = changed_at
           WHERE means = 'sms' AND changed_at > now() - interval '1 hour'
               AND state IN ('sending', 'accepted', 'delivered', 'viewed', 'acknowledged')"""
    )
    op.drop_index(_SMS, "deliveries")
    op.create_index(_SMS, "deliveries", ["address", "sent_at"], postgresql_where=sa.text("means = 'sms'"))
    op.create_index(
        "deliveries_waiting_idx",
        "deliveries",
        ["changed_at", "delivery_id"],
        postgresql_where=sa.text("message_id IS NULL AND state IN ('queued', 'sending')"),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("deliveries_waiting_idx", "deliveries")
    op.drop_index(_SMS, "deliveries")
    op.create_index(_SMS, "deliveries", ["address", "changed_at"], postgresql_where=sa.text("means = 'sms'"))
    op.drop_column("deliveries", "sent_at")
