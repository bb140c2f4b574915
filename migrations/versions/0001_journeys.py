"""Journeys, queue visits, messages, plans and gaps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("plan_version", sa.Text(collation="C"), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("caller_number", sa.Text(), nullable=True),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("presentation", sa.Text(), nullable=False),
        sa.Column("diverted_from", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("hangup_cause", sa.Integer(), nullable=True, comment="Q.850"),
        sa.Column("ringing_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True, comment="the engine answered"),
        sa.Column(
            "entered_service_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="first queue or dial; set: the journey counts as offered",
        ),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True, comment="first offer to an agent"),
        sa.Column("bridged_at", sa.DateTime(timezone=True), nullable=True, comment="first bridge to a human"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_seconds", sa.Double(), nullable=False, comment="in queues and dials, menus excluded"),
        sa.Column("talk_seconds", sa.Double(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("node_path", sa.Text(), nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trace", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="store/trace.py"),
        sa.CheckConstraint(
            "disposition IN ('answered', 'redirected', 'message_left', 'self_served', "
            "'abandoned', 'left_early', 'rejected', 'failed')",
            name=op.f("calls_disposition_check"),
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("calls_pkey")),
    )
    op.create_index(op.f("calls_client_ringing_at_idx"), "calls", ["client", "ringing_at"], unique=False)
    op.create_index(op.f("calls_ringing_at_idx"), "calls", ["ringing_at"], unique=False)
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True, comment="empty while nothing is seen yet"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gap_id", name=op.f("gaps_pkey")),
    )
    op.create_index(op.f("gaps_from_at_idx"), "gaps", ["from_at"], unique=False)
    op.create_table(
        "messages",
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="1 for the first message of the call"),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("recording", sa.Text(), nullable=False, comment="opaque name, without folder or suffix"),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("deliver", sa.Text(), nullable=False, comment="contact it is meant for"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('recorded')", name=op.f("messages_state_check")),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("messages_pkey")),
    )
    op.create_index(op.f("messages_client_started_at_idx"), "messages", ["client", "started_at"], unique=False)
    op.create_index(op.f("messages_started_at_idx"), "messages", ["started_at"], unique=False)
    op.create_table(
        "plans",
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Text(collation="C"), nullable=False),
        sa.Column("document", sa.Text(), nullable=False, comment="the client's file as it was"),
        sa.Column("first_live_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "version", name=op.f("plans_pkey")),
    )
    op.create_table(
        "queue_visits",
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="1 for the first visit of the call"),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("waiting_seconds", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('answered', 'abandoned', 'timeout', 'full', 'empty', 'exited', 'failed')",
            name=op.f("queue_visits_outcome_check"),
        ),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("queue_visits_pkey")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("queue_visits")
    op.drop_table("plans")
    op.drop_index(op.f("messages_started_at_idx"), table_name="messages")
    op.drop_index(op.f("messages_client_started_at_idx"), table_name="messages")
    op.drop_table("messages")
    op.drop_index(op.f("gaps_from_at_idx"), table_name="gaps")
    op.drop_table("gaps")
    op.drop_index(op.f("calls_ringing_at_idx"), table_name="calls")
    op.drop_index(op.f("calls_client_ringing_at_idx"), table_name="calls")
    op.drop_table("calls")
