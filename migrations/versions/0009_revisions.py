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
    op.drop_table("superseded_calls")
    op.drop_column("calls", "revision")
    op.drop_column("calls", "epoch")
    for table in _WITH_PBX:
        op.drop_column(table, "pbx")
