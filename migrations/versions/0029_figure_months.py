"""Figures by month: rows of days of a month that is over become one row, and say of each journey its day.

All that is kept of days is made again, by and by, by the worker: rows of visits say now how often each was offered.
Whoever finds another form of keeping (`figure_zones.basis`) counts from the calls, as the release before does then.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_DISPOSITIONS = (
    *("answered", "redirected", "message_left", "self_served", "abandoned", "left_early", "rejected", "failed"),
)
_OUTCOMES = ("answered", "abandoned", "timeout", "full", "empty", "exited", "failed")
_BASIS = "zone in which its days are cut (IANA), other names of the client; empty: they are not made"


def upgrade() -> None:
    """To this revision."""
    reached = "each answered or redirected one, seconds, by quarter of an hour"
    _months(
        "figure_months",
        "them",
        "did",
        _count("received"),
        _count("offered", "entered human service"),
        *(_count(name) for name in _DISPOSITIONS),
        sa.Column("talk_seconds", sa.Double(), nullable=False, comment="of answered and redirected ones together"),
        _each("waits", f"float8 of {reached}"),
        _each("lost", "float8 of each abandoned one, seconds, by quarter of an hour"),
        _each("talks", f"float8 of {reached}"),
        _each("quarters", "a byte for each: quarters of an hour since its day began"),
        _each("kinds", "a byte for each: number of its disposition, 8 if it was offered, 16 if it was reached later"),
        _each("reached_after", "float8 of each that was reached later, seconds until then"),
    )
    _months(
        "figure_queue_months",
        "their journeys",
        "queue",
        _count("entered"),
        *(_count(f"was_{name}") for name in _OUTCOMES),
        _count("offers", "to agents"),
        _each("waits", "float8 of each answered one, seconds, by quarter of an hour"),
        _each("lost", "float8 of each abandoned one, seconds, by quarter of an hour"),
        _each("quarters", "a byte for each: quarters of an hour since the day began, of its entry"),
        _each("kinds", "a byte for each, by quarter of an hour: number of its outcome, 15 if nobody saw it"),
        _rings(),
    )
    op.add_column("figure_queue_days", _rings())
    op.execute("ALTER TABLE figure_queue_days ALTER COLUMN rings SET STORAGE EXTERNAL")
    op.execute("UPDATE figure_zones SET basis = ''")
    op.alter_column("figure_zones", "basis", existing_type=sa.Text(), comment=f"form, {_BASIS}")


def downgrade() -> None:
    """Back to the one before, which makes all days again."""
    op.execute("UPDATE figure_zones SET basis = ''")
    op.alter_column("figure_zones", "basis", existing_type=sa.Text(), comment=_BASIS)
    op.drop_column("figure_queue_days", "rings")
    op.drop_table("figure_queue_months")
    op.drop_table("figure_months")


def _count(name: str, comment: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _each(name: str, comment: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, comment=comment)


def _rings() -> sa.Column[bytes]:
    return sa.Column(
        "rings",
        sa.LargeBinary(),
        nullable=False,
        server_default=sa.text("''::bytea"),
        comment="int2 of each: how often it was offered to agents",
    )


def _months(name: str, of: str, key: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the calls name it"),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day, of the client's zone (figure_zones)"),
        sa.Column("plan_version", sa.Text(collation="C"), nullable=False),
        sa.Column(key, sa.Text(collation="C"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False, comment=f"when the first of {of} rang"),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, comment=f"when the last of {of} rang"),
        *columns,
        _each("days", "a byte for each: the day of the month, from 1 on; they are in its order"),
    )
    op.create_index(op.f(f"{name}_client_month_idx"), name, ["client", "month"])
    op.create_index(op.f(f"{name}_month_idx"), name, ["month"])
    # Waiting times hold nothing to press together: trying costs the reader and the writer.
    for column in (*(one.name for one in columns if isinstance(one.type, sa.LargeBinary)), "days"):
        op.execute(f"ALTER TABLE {name} ALTER COLUMN {column} SET STORAGE EXTERNAL")
