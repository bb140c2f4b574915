"""Holds as rows of their own, and recordings of conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

_KIND = "recordings_kind_check"
_PURPOSES = ("caller", "agent", "contact", "consultation", "callback", "delivery")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "holds",
        sa.Column("leg_id", sa.Text(collation="C"), nullable=False, comment="whose it is (legs)"),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first of the leg"),
        sa.Column("call_id", sa.Text(collation="C"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="empty: nobody saw its end"),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False, comment="of the engine that told it"),
        sa.Column(
            "revision",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="0: a guess, the end was not seen",
        ),
        sa.PrimaryKeyConstraint("leg_id", "number", name=op.f("holds_pkey")),
    )
    for column in (
        sa.Column(
            "number",
            sa.Integer(),
            nullable=True,
            comment="1 for the first conversation of the call that was recorded",
        ),
        sa.Column("paused_seconds", sa.Double(), nullable=True, comment="silence, because it was paused"),
        sa.Column(
            "objected_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the caller objected: it is not played, and deleted",
        ),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=True, comment="of the engine that told it"),
        sa.Column(
            "revision",
            sa.Integer(),
            server_default="1",
            nullable=True,
            comment="0: a guess, the end was not seen",
        ),
    ):
        op.add_column("recordings", column)
    op.drop_constraint(op.f(_KIND), "recordings", type_="check")
    op.create_check_constraint(op.f(_KIND), "recordings", "kind IN ('message', 'conversation')")
    _purposes(*_PURPOSES, "supervision")


def _purposes(*purposes: str) -> None:
    op.drop_constraint(op.f("legs_purpose_check"), "legs", type_="check")
    allowed = ", ".join(f"'{purpose}'" for purpose in purposes)
    op.create_check_constraint(op.f("legs_purpose_check"), "legs", f"purpose IN ({allowed})")


def downgrade() -> None:
    """Back to the one before, which knows no conversation and no supervisor: their rows go, the files stay."""
    op.execute("DELETE FROM legs WHERE purpose = 'supervision'")
    _purposes(*_PURPOSES)
    op.execute("DELETE FROM recordings WHERE kind = 'conversation'")
    op.drop_constraint(op.f(_KIND), "recordings", type_="check")
    op.create_check_constraint(op.f(_KIND), "recordings", "kind IN ('message')")
    for column in ("revision", "epoch", "objected_at", "paused_seconds", "number"):
        op.drop_column("recordings", column)
    op.drop_table("holds")
