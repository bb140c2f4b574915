"""One queue for whatever is sent: deliveries of calls and of days beside those of messages."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('message', 'notice', 'notification', 'event', 'code')"
_OPEN_SEQUENCE = "sequence <> '' AND state IN ('queued', 'sending')"


def upgrade() -> None:
    """To this revision."""
    op.alter_column(
        "deliveries", "message_id", nullable=True, existing_type=sa.Text(), comment="empty: of a call, or of a day"
    )
    for name in ("round", "step"):
        op.alter_column("deliveries", name, server_default="0", existing_type=sa.SmallInteger())
    op.alter_column(
        "deliveries",
        "contact",
        existing_type=sa.Text(),
        existing_nullable=False,
        existing_comment="of the client's file",
        comment="of the client's file; of an event, who subscribed",
    )
    for column in (
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False, comment="in order"),
        sa.Column("call_id", sa.Text(collation="C"), comment="of what is not of a message"),
        sa.Column("body", sa.Text(), comment="as it is posted; empty: written when it is sent"),
        sa.Column(
            "secret",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="name of what a body is signed with; empty: none",
        ),
        sa.Column(
            "sequence",
            sa.Text(collation="C"),
            server_default="",
            nullable=False,
            comment="of those that go one after the other; empty: alone",
        ),
    ):
        op.add_column("deliveries", column)
    _kinds(_KINDS)
    op.create_check_constraint(
        op.f("deliveries_says_something_check"), "deliveries", "message_id IS NOT NULL OR body IS NOT NULL"
    )
    op.create_index(
        "deliveries_sequence_idx", "deliveries", ["sequence", "number"], postgresql_where=sa.text(_OPEN_SEQUENCE)
    )
    _due("state = 'queued' AND sequence = ''")


def downgrade() -> None:
    """Back to the one before, whose deliveries are all of messages."""
    op.execute("DELETE FROM deliveries WHERE kind NOT IN ('message', 'notice')")
    op.drop_index("deliveries_sequence_idx", "deliveries")
    _due("state = 'queued'")
    op.drop_constraint(op.f("deliveries_says_something_check"), "deliveries")
    _kinds("kind IN ('message', 'notice')")
    for name in ("number", "call_id", "body", "secret", "sequence"):
        op.drop_column("deliveries", name)
    for name in ("round", "step"):
        op.alter_column("deliveries", name, server_default=None, existing_type=sa.SmallInteger())
    op.alter_column("deliveries", "contact", existing_type=sa.Text(), comment="of the client's file")
    op.alter_column("deliveries", "message_id", nullable=False, existing_type=sa.Text(), comment=None)


def _due(which: str) -> None:
    op.drop_index("deliveries_due_idx", "deliveries")
    op.create_index("deliveries_due_idx", "deliveries", ["urgent", "next_attempt_at"], postgresql_where=sa.text(which))


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("deliveries_kind_check"), "deliveries")
    op.create_check_constraint(op.f("deliveries_kind_check"), "deliveries", kinds)
