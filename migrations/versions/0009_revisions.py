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
    _create_legs()


def _create_legs() -> None:
    op.create_table(
        "legs",
        sa.Column(
            "leg_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="of a call: its id, a slash, its number; else the channel's own id",
        ),
        sa.Column("call_id", sa.Text(collation="C"), nullable=True, comment="empty: it belongs to no caller's call"),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first leg of the call"),
        sa.Column("pbx", sa.Text(), server_default="pbx-1", nullable=False, comment="CALLROUTER_PBX"),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column(
            "party",
            sa.Text(),
            nullable=False,
            comment="agent, or contact as the document calls them; empty: the caller",
        ),
        sa.Column("identity", sa.Text(), nullable=True, comment="the number that was shown to them; empty: not known"),
        sa.Column("trunk", sa.Text(), nullable=True, comment="by which they were reached; empty: not known, or none"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "talk_seconds",
            sa.Double(),
            nullable=False,
            comment="answer to end, without hold; 0 for the caller's leg",
        ),
        sa.Column("hold_seconds", sa.Double(), nullable=False),
        sa.Column(
            "ended_by",
            sa.Text(),
            nullable=True,
            comment="who hung up; empty: not known, or the caller was given away",
        ),
        sa.Column("cause", sa.Integer(), nullable=False, comment="Q.850; 0: not known"),
        sa.Column("tech_cause", sa.Text(), nullable=True, comment="what the network answered: a SIP status (486)"),
        _epoch(nullable=False),
        _count(nullable=False),
        sa.CheckConstraint(
            "purpose IN ('caller', 'agent', 'contact', 'consultation', 'callback', 'delivery')",
            name=op.f("legs_purpose_check"),
        ),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("legs_direction_check")),
        sa.CheckConstraint("ended_by IN ('caller', 'agent', 'contact', 'system')", name=op.f("legs_ended_by_check")),
        sa.PrimaryKeyConstraint("leg_id", name=op.f("legs_pkey")),
    )
    op.create_index(
        "legs_party_began_at_idx",
        "legs",
        ["party", "began_at"],
        unique=False,
        postgresql_where=sa.text("purpose <> 'caller'"),
    )


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
    op.drop_table("legs")
    op.drop_table("offers")
    op.drop_table("superseded_calls")
    op.drop_column("calls", "revision")
    op.drop_column("calls", "epoch")
    for table in _WITH_PBX:
        op.drop_column(table, "pbx")
