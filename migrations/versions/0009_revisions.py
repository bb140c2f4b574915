"""Whose record of a call stands, which PBX it came to, and what others told of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WITH_PBX = {"calls": True, "queue_visits": True, "beats": False, "gaps": False}
"""Whether it may be empty: an engine of the release before copies staged rows, which have no defaults."""


def upgrade() -> None:
    """To this revision."""
    for table, nullable in _WITH_PBX.items():
        op.add_column(
            table, sa.Column("pbx", sa.Text(), server_default="pbx-1", nullable=nullable, comment="CALLROUTER_PBX")
        )
    op.add_column("calls", _epoch(nullable=True))
    op.add_column("calls", _count(nullable=True))
    op.create_table(
        "superseded_calls",
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("record", JSONB(), nullable=False, comment="its row of calls, column by column"),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "epoch", "revision", name=op.f("superseded_calls_pkey")),
    )
    _create_offers()


def _create_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first offer of the call"),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True, comment="empty: nobody saw its end"),
        sa.Column("cause", sa.Integer(), nullable=False, comment="Q.850; 0: not known"),
        _epoch(nullable=False),
        _count(nullable=False),
        sa.CheckConstraint(
            "outcome IN ('answered', 'rang_out', 'refused', 'caller_left', 'elsewhere', 'phone_failed')",
            name=op.f("offers_outcome_check"),
        ),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("offers_pkey")),
    )
    op.create_index(op.f("offers_agent_began_at_idx"), "offers", ["agent", "began_at"], unique=False)


def _epoch(*, nullable: bool) -> sa.Column[int]:
    return sa.Column(
        "epoch", sa.BigInteger(), server_default="0", nullable=nullable, comment="of the engine that told it"
    )


def _count(*, nullable: bool) -> sa.Column[int]:
    return sa.Column(
        "revision", sa.Integer(), server_default="1", nullable=nullable, comment="0: a guess, the end was not seen"
    )


def downgrade() -> None:
    """Back to the one before: the records that stand stay."""
    op.drop_table("offers")
    op.drop_table("superseded_calls")
    op.drop_column("calls", "revision")
    op.drop_column("calls", "epoch")
    for table in _WITH_PBX:
        op.drop_column(table, "pbx")
