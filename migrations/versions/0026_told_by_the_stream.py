"""What the live event stream tells that no engine knows: rows that PostgreSQL makes in the transaction it happens in.

Web reads them, in the order of their `place`, which it gives them itself: numbers are given out before transactions are
committed, and who goes on after one must miss none that was committed later. They are kept for an hour.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_NOTES = {
    # What the client's tree took, the engine tells.
    "stream_messages": """
    INSERT INTO streamed (client, kind, subject)
    SELECT client, 'message.written', message_id FROM told WHERE taken_by <> '' ORDER BY started_at, message_id;""",
    "stream_dispatch": """
    INSERT INTO streamed (client, kind, subject)
    VALUES (
        NEW.client,
        CASE NEW.state WHEN 'acknowledged' THEN 'message.acknowledged' ELSE 'message.overdue' END,
        NEW.message_id);""",
    "stream_settlement": """
    INSERT INTO streamed (client, kind, subject)
    VALUES (NEW.client, 'callback.settled', NEW.call_id || ' ' || NEW.position);""",
    "stream_day": """
    INSERT INTO streamed (client, kind, subject)
    VALUES (NEW.client, 'day.figures', NEW.client || ' ' || to_char(NEW.day, 'YYYY-MM-DD'));""",
}

_FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN{body}
    IF FOUND THEN
        PERFORM pg_notify('callrouter_stream', '');
    END IF;
    RETURN NULL;
END $$
"""

_TRIGGERS = {
    "messages_are_streamed": (
        "messages",
        "AFTER INSERT ON messages REFERENCING NEW TABLE AS told",
        "stream_messages",
    ),
    "dispatches_are_streamed": (
        "dispatches",
        """AFTER UPDATE OF state ON dispatches FOR EACH ROW
           WHEN (NEW.state <> OLD.state AND NEW.state IN ('acknowledged', 'attention'))""",
        "stream_dispatch",
    ),
    "callbacks_are_streamed": (
        "callbacks",
        "AFTER UPDATE OF state ON callbacks FOR EACH ROW WHEN (OLD.state = 'open' AND NEW.state <> 'open')",
        "stream_settlement",
    ),
    # Of the name that is no subscription's: once for each client, day and revision.
    "days_are_told": (
        "told_days",
        "AFTER INSERT ON told_days FOR EACH ROW WHEN (NEW.name = '')",
        "stream_day",
    ),
    "days_are_told_again": (
        "told_days",
        "AFTER UPDATE ON told_days FOR EACH ROW WHEN (NEW.name = '' AND NEW.revision <> OLD.revision)",
        "stream_day",
    ),
}


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "streamed",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False, comment="as rows were written"),
        sa.Column("place", sa.BigInteger(), comment="in the stream, without gaps; empty: nobody has read it yet"),
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the row names it that it is of"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "subject",
            sa.Text(collation="C"),
            nullable=False,
            comment="message_id; call_id and position; client and day",
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("streamed_pkey")),
        sa.UniqueConstraint("place", name=op.f("streamed_place_key")),
    )
    op.create_index("streamed_new_idx", "streamed", ["number"], postgresql_where=sa.text("place IS NULL"))
    for name, body in _NOTES.items():
        op.execute(_FUNCTION.replace("{name}", name).replace("{body}", body))
    for name, (_, when, function) in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    """Back to the one before, whose stream tells what the engine knows."""
    for name, (table, _, _) in _TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in _NOTES:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("streamed")
