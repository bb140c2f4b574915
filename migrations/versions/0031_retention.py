"""How long what is kept, what was deleted because its time was over, and persons who were erased.

A release before this one deletes recordings alone, from its web process, under the same lock; it makes days again as if
calls of long ago had never been deleted, so nothing is deleted before a worker of this release runs alone.

What retention and erasures change in a row is no news: triggers that mark days and tell other systems are silent where
`callrouter.quiet` is `on` in the transaction.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_LOUD = "coalesce(current_setting('callrouter.quiet', true), '') <> 'on'"
_TRIGGERS = {
    "corrections_mark": (
        "AFTER UPDATE ON calls REFERENCING OLD TABLE AS before NEW TABLE AS told FOR EACH STATEMENT",
        "",
        "mark_corrected_days",
    ),
    "calls_are_corrected": (
        "AFTER UPDATE ON calls REFERENCING OLD TABLE AS before NEW TABLE AS told FOR EACH STATEMENT",
        "",
        "note_corrections",
    ),
    "callbacks_mark": ("AFTER UPDATE ON callbacks FOR EACH ROW", "NEW.state <> 'open'", "mark_day_of_call"),
    "callbacks_are_settled": (
        "AFTER UPDATE OF state ON callbacks FOR EACH ROW",
        "OLD.state = 'open' AND NEW.state <> 'open'",
        "note_settlement",
    ),
    "callbacks_are_streamed": (
        "AFTER UPDATE OF state ON callbacks FOR EACH ROW",
        "OLD.state = 'open' AND NEW.state <> 'open'",
        "stream_settlement",
    ),
    "outgoing_calls_mark": (
        "AFTER INSERT OR UPDATE ON outgoing_calls FOR EACH ROW",
        "NEW.purpose = 'callback' AND NEW.answered_at IS NOT NULL",
        "mark_days_of_reached",
    ),
}
"""Those of before, as they were, each with when it is silent."""

_LATE = {
    "late_calls": """
    INSERT INTO erasure_suspects (kind, subject)
    SELECT 'call', call_id FROM told
    WHERE ringing_at < (SELECT max(at) FROM erasures WHERE watch_until > now())
    ON CONFLICT DO NOTHING""",
    "late_tellings": """
    INSERT INTO erasure_suspects (kind, subject)
    SELECT 'call', call_id FROM told
    WHERE (record->>'ringing_at')::timestamptz < (SELECT max(at) FROM erasures WHERE watch_until > now())
    ON CONFLICT DO NOTHING""",
    "late_messages": """
    INSERT INTO erasure_suspects (kind, subject)
    SELECT 'message', message_id FROM told
    WHERE started_at < (SELECT max(at) FROM erasures WHERE watch_until > now())
    ON CONFLICT DO NOTHING""",
}
_SUSPECT = {
    "calls_are_late": ("calls", "late_calls", "INSERT"),
    "calls_are_corrected_late": ("calls", "late_calls", "UPDATE"),
    "tellings_are_late": ("superseded_calls", "late_tellings", "INSERT"),
    "messages_are_late": ("messages", "late_messages", "INSERT"),
}


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "plans",
        sa.Column(
            "retention",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
            comment="days by kind, where the client's file says them",
        ),
    )
    op.create_index(
        "deliveries_call_id_idx",
        "deliveries",
        ["call_id"],
        if_not_exists=True,
        postgresql_where=sa.text("call_id IS NOT NULL"),
    )
    _retention()
    _erasures()
    for name, (when, condition, function) in _TRIGGERS.items():
        told = f"({condition}) AND {_LOUD}" if condition else _LOUD
        op.execute(f"CREATE OR REPLACE TRIGGER {name} {when} WHEN ({told}) EXECUTE FUNCTION {function}()")
    for name, body in _LATE.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT "
            f"AS $$\nBEGIN\n    IF EXISTS (SELECT FROM erasures WHERE watch_until > now()) THEN{body};\n    END IF;\n"
            "    RETURN NULL;\nEND $$"
        )
    for name, (table, function, deed) in _SUSPECT.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {deed} ON {table} REFERENCING NEW TABLE AS told FOR EACH STATEMENT "
            f"WHEN ({_LOUD}) EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    """Back to the one before, which deletes recordings alone."""
    for name, (table, _, _) in _SUSPECT.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in _LATE:
        op.execute(f"DROP FUNCTION {name}()")
    for name, (when, condition, function) in _TRIGGERS.items():
        told = f"WHEN ({condition}) " if condition else ""
        op.execute(f"CREATE OR REPLACE TRIGGER {name} {when} {told}EXECUTE FUNCTION {function}()")
    for table in ("erasure_suspects", "erasures", "retention_runs", "retention_rules", "kept_from"):
        op.drop_table(table)
    op.drop_index("deliveries_call_id_idx", "deliveries")
    op.drop_column("plans", "retention")


def _instant(name: str, comment: str | None, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def _retention() -> None:
    op.create_table(
        "kept_from",
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the calls name it"),
        _instant("from_at", "calls that rang before may be gone: their days stay as they are", nullable=False),
        sa.PrimaryKeyConstraint("client", name=op.f("kept_from_pkey")),
    )
    op.create_table(
        "retention_rules",
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="its present name; empty: of nobody"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), comment="for which it is kept; empty: until somebody deletes it"),
        sa.Column("asked_days", sa.Integer(), comment="what is to count instead, from then on"),
        _instant("asked_at", "since when that is asked for; empty: nothing else is"),
        _instant("done_to", "what began before has been looked at; empty: nothing has"),
        sa.PrimaryKeyConstraint("client", "kind", name=op.f("retention_rules_pkey")),
        sa.CheckConstraint(
            "kind IN ('calls', 'recordings', 'messages', 'transcripts', 'traces')",
            name=op.f("retention_rules_kind_check"),
        ),
        sa.CheckConstraint("days > 0 AND asked_days > 0", name=op.f("retention_rules_destroys_nothing_check")),
    )
    op.create_table(
        "retention_runs",
        sa.Column("run_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        _instant("began_at", None, nullable=False),
        _instant("ended_at", "empty: it runs, or was killed"),
        sa.Column("asked_by", sa.Text(), nullable=False, comment="principal"),
        *(
            sa.Column(kind, sa.Integer(), server_default="0", nullable=False)
            for kind in ("calls", "recordings", "messages", "transcripts", "traces")
        ),
        sa.Column("held_back", sa.Integer(), server_default="0", nullable=False, comment="of them, for a reason"),
        sa.Column("seconds", sa.Double(), server_default="0", nullable=False, comment="of work, without rests"),
        sa.Column(
            "detail",
            JSONB,
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="rows by table; by client, how many of each kind, and until when",
        ),
        sa.Column("error", sa.Text(), server_default="", nullable=False, comment="a sentence; empty: none"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("retention_runs_pkey")),
    )


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Text(collation="C"), nullable=False),
        _instant("at", None, nullable=False),
        _instant("ended_at", "empty: it was interrupted, and goes on when it is asked for again"),
        sa.Column("principal", sa.Text(), nullable=False, comment="who asked for it"),
        sa.Column("reason", sa.Text(), nullable=False, comment="what they said of it"),
        sa.Column("hint", sa.Text(), nullable=False, comment="the number's last two digits"),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column(
            "number_hash", sa.Text(collation="C"), comment="SHA-256 of salt and number; empty: no longer watched"
        ),
        _instant("watch_until", "so long late rows of that number are erased when they come", nullable=False),
        sa.Column("receipt", JSONB, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("erasures_pkey")),
    )
    op.create_table(
        "erasure_suspects",
        sa.Column("kind", sa.Text(), nullable=False, comment="call, message"),
        sa.Column("subject", sa.Text(collation="C"), nullable=False, comment="its id"),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("erasure_suspects_pkey")),
    )
