"""Messages with an id of their own, by form as well as by voice, and what people make of them.

A row may stand without a call, or before it. Engines of the release before go on: they name no message, and get an id
by default; that a call has one first message is held as it was.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_STATE = "messages_state_check"
_ADDED: tuple[sa.Column[Any], ...] = (
    sa.Column("taken_at", sa.DateTime(timezone=True), comment="when it was complete; empty: when its recording was"),
    sa.Column("taken_by", sa.Text(), nullable=False, server_default="", comment="principal; empty: the client's tree"),
    sa.Column("form", sa.Text(), comment="name of the form; empty: by voice, or in plain words"),
    sa.Column("fields", postgresql.JSONB(), comment="values by field"),
    sa.Column("labels", postgresql.JSONB(), comment="[[field, label], ...], in order, as they were when it was taken"),
    sa.Column("text", sa.Text(), nullable=False, server_default="", comment="in words; empty: by voice"),
    sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    sa.Column("caller_number", sa.Text(), comment="E.164, or as it was shown"),
    sa.Column("caller_name", sa.Text(), nullable=False, server_default=""),
    sa.Column(
        "revision", sa.Integer(), nullable=False, server_default="1", comment="of it; each change makes one more"
    ),
)
_COMMENTS = {
    "call_id": ("empty: taken without a call", None),
    "position": ("1 for the first message of the call; 0: not its tree's", "1 for the first message of the call"),
    "recording": ("opaque name, without folder or suffix; empty: none", "opaque name, without folder or suffix"),
    "seconds": ("of the recording", None),
    "node": ("of the client's tree that took it; empty: somebody did", None),
    "deliver": ("contact it is meant for; empty: nobody is named", "contact it is meant for"),
    "started_at": ("when taking it began", None),
}
"""Comments of what was there, now and before."""


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "messages",
        sa.Column("message_id", sa.Text(collation="C"), comment="CALL.m1, or the UUID that whoever took it gave it"),
    )
    for column in _ADDED:
        op.add_column("messages", column)
    op.drop_constraint(op.f(_STATE), "messages", type_="check")
    op.execute(
        "UPDATE messages SET message_id = call_id || '.m' || position, state = 'open',"
        " taken_at = started_at + seconds * interval '1 second'"
    )
    op.execute(
        "UPDATE messages SET caller_number = calls.caller_number, caller_name = calls.caller_name"
        " FROM calls WHERE calls.call_id = messages.call_id"
    )
    op.create_check_constraint(op.f(_STATE), "messages", "state IN ('recorded', 'open', 'done')")
    op.drop_constraint(op.f("messages_pkey"), "messages", type_="primary")
    op.alter_column("messages", "message_id", nullable=False, server_default=sa.text("(gen_random_uuid())::text"))
    op.create_primary_key(op.f("messages_pkey"), "messages", ["message_id"])
    for name, (comment, _) in _COMMENTS.items():
        op.alter_column("messages", name, comment=comment)
    op.create_index(
        "messages_call_id_idx",
        "messages",
        ["call_id", "position"],
        unique=True,
        postgresql_where=sa.text("position > 0"),
    )
    op.create_check_constraint(
        op.f("messages_says_something_check"),
        "messages",
        "recording <> '' OR text <> '' OR fields IS NOT NULL",
    )
    op.create_index("messages_open_idx", "messages", ["started_at"], postgresql_where=sa.text("state <> 'done'"))
    op.create_table(
        "message_changes",
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first change of the message"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False, comment="who changed it"),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="what they said of it"),
        sa.Column("before", postgresql.JSONB(), nullable=False, comment="the values that it replaced, by column"),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("message_changes_pkey")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.message_id"],
            name=op.f("message_changes_message_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "change IN ('corrected', 'done', 'reopened', 'reassigned')", name=op.f("message_changes_change_check")
        ),
    )


def downgrade() -> None:
    """Back to the one before, which knows messages of calls by voice only: the others go, with what people made of
    them.
    """
    op.drop_table("message_changes")
    op.drop_index("messages_open_idx", "messages")
    op.drop_constraint(op.f("messages_says_something_check"), "messages", type_="check")
    op.drop_index("messages_call_id_idx", "messages")
    op.execute("DELETE FROM messages WHERE position = 0 OR recording = ''")
    op.drop_constraint(op.f("messages_pkey"), "messages", type_="primary")
    op.drop_column("messages", "message_id")
    for name, (_, comment) in _COMMENTS.items():
        op.alter_column("messages", name, comment=comment)
    op.create_primary_key(op.f("messages_pkey"), "messages", ["call_id", "position"])
    op.drop_constraint(op.f(_STATE), "messages", type_="check")
    op.execute("UPDATE messages SET state = 'recorded'")
    op.create_check_constraint(op.f(_STATE), "messages", "state IN ('recorded')")
    for column in reversed(_ADDED):
        op.drop_column("messages", column.name)
