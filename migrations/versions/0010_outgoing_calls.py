"""What becomes of callbacks: each call that is placed for one, what settled it, and whom a person called back."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SETTLED = "'called_back', 'rang_again', 'by_hand', 'attempts', 'expired', 'not_allowed'"
_OUTCOMES = "'answered', 'busy', 'no_answer', 'unavailable', 'cancelled', 'nobody_free', 'withdrawn', 'lost', 'failed'"


def upgrade() -> None:
    """To this revision."""
    op.add_column("callbacks", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("callbacks", sa.Column("settled_by", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("callbacks_settled_by_check"), "callbacks", f"settled_by IN ({_SETTLED})")
    op.create_index(
        "callbacks_open_idx",
        "callbacks",
        ["client", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "calls_abandoned_idx",
        "calls",
        ["ringing_at", "call_id"],
        unique=False,
        postgresql_where=sa.text("disposition = 'abandoned'"),
    )
    op.create_table(
        "outgoing_calls",
        sa.Column(
            "outgoing_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="of its order at the PBX, and of its channels",
        ),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(collation="C"), nullable=False, comment="the call in which it was asked for"),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="which wish of that call"),
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="whose allow-list admitted the number"),
        sa.Column("number", sa.Text(), nullable=False, comment="E.164"),
        sa.Column("shown", sa.Text(), nullable=False, comment="the number they see, E.164; empty: none"),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("turn_at", sa.DateTime(timezone=True), nullable=False, comment="since when it waits its turn"),
        sa.Column(
            "epoch",
            sa.BigInteger(),
            nullable=False,
            comment="of the engine that has it: only that one changes it",
        ),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True, comment="an agent took it"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True, comment="empty while it is under way"),
        sa.Column("hangup_cause", sa.Integer(), nullable=True, comment="Q.850"),
        sa.Column("pbx", sa.Text(), server_default="pbx-1", nullable=False, comment="CALLROUTER_PBX"),
        sa.CheckConstraint("purpose IN ('callback')", name=op.f("outgoing_calls_purpose_check")),
        sa.CheckConstraint(f"outcome IN ({_OUTCOMES})", name=op.f("outgoing_calls_outcome_check")),
        sa.PrimaryKeyConstraint("outgoing_id", name=op.f("outgoing_calls_pkey")),
    )
    op.create_index(op.f("outgoing_calls_call_id_position_idx"), "outgoing_calls", ["call_id", "position"])
    op.create_index(op.f("outgoing_calls_client_placed_at_idx"), "outgoing_calls", ["client", "placed_at"])
    op.create_index(
        "outgoing_calls_live_idx",
        "outgoing_calls",
        ["call_id", "position"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_table(
        "follow_ups",
        sa.Column("follow_up_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("call_id", sa.Text(collation="C"), nullable=False, comment="the call of whoever was called back"),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.CheckConstraint("result IN ('reached', 'not_reached', 'not_needed')", name=op.f("follow_ups_result_check")),
        sa.PrimaryKeyConstraint("follow_up_id", name=op.f("follow_ups_pkey")),
    )
    op.create_index(op.f("follow_ups_call_id_at_idx"), "follow_ups", ["call_id", "at"])


def downgrade() -> None:
    """Back to the one before: of a callback its state is left."""
    op.drop_table("follow_ups")
    op.drop_table("outgoing_calls")
    op.drop_index("calls_abandoned_idx", "calls")
    op.drop_index("callbacks_open_idx", "callbacks")
    op.drop_constraint(op.f("callbacks_settled_by_check"), "callbacks")
    op.drop_column("callbacks", "settled_by")
    op.drop_column("callbacks", "settled_at")
