"""By which plan a message was taken: its rule is the one that people are told by, whatever has gone live since."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BEGIN = """
CREATE OR REPLACE FUNCTION dispatch_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Due by the earlier of two clocks: one that is wrong must not put it off. The release before names no instant.
    INSERT INTO dispatches (message_id, client, urgent, began_at, due_at{columns})
    VALUES (
        NEW.message_id, NEW.client, NEW.urgent, coalesce(NEW.taken_at, now()), least(NEW.taken_at, now()){values}
    )
    ON CONFLICT DO NOTHING;
    PERFORM pg_notify('callrouter_dispatch', '');
    RETURN NULL;
END $$
"""
_COMMENTS = {
    "messages": "of the plan by which it was taken",
    "dispatches": "whose rule it goes by; empty: the live one",
}


def upgrade() -> None:
    """To this revision."""
    for table, comment in _COMMENTS.items():
        column = sa.Column("plan_version", sa.Text(collation="C"), server_default="", nullable=False, comment=comment)
        op.add_column(table, column)
    op.execute(_BEGIN.format(columns=", plan_version", values=", NEW.plan_version"))


def downgrade() -> None:
    """Back to the one before, which goes by the rule that is live when it looks."""
    op.execute(_BEGIN.format(columns="", values=""))
    for table in _COMMENTS:
        op.drop_column(table, "plan_version")
