"""Figures by day: rows that are made from the calls, and marks of days that must be made again.

Whoever writes calls, in whichever release, marks their days from that transaction on. Nothing is made here: clients who
have calls get an empty zone, are counted from their calls as before, and the worker makes their days by and by.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_DISPOSITIONS = (
    *("answered", "redirected", "message_left", "self_served", "abandoned", "left_early", "rejected", "failed"),
)
_OUTCOMES = ("answered", "abandoned", "timeout", "full", "empty", "exited", "failed")

_QUARTER = "date_bin('15 minutes', {at}, '2000-01-01 00:00+00')"
_AGAIN = "interval '7 days'"
"""A caller who gave up, and is reached within it, was called back, or rang again (store/outgoing/worklist.py)."""

_GAVE_UP = """
    CROSS JOIN LATERAL (
        SELECT client, ringing_at FROM calls
        WHERE calls.caller_number = {number} AND calls.disposition = 'abandoned' AND calls.ringing_at < {at}
            AND calls.ringing_at > coalesce((
                SELECT before.ringing_at FROM calls AS before
                WHERE before.caller_number = {number} AND before.client = {client} AND before.bridged_at < {at}
                    AND before.ringing_at < {at} AND before.ringing_at > {at} - AGAIN
                ORDER BY before.ringing_at DESC LIMIT 1
            ), {at} - AGAIN)
            AND (calls.client = {client} OR {client} = ANY(string_to_array(
                (SELECT basis FROM figure_zones WHERE figure_zones.client = calls.client), ' ')))
        OFFSET 0
    ) AS gave_up
"""
"""One by one, by the index on callers: nothing is known of how many rows a statement has. Whoever gave up before an
earlier call of theirs was answered was reached by that one: a number that many callers share is not looked through from
its first call on each time. A client's other names stand beside its zone.
"""
_MARKS = {
    "mark_days": f"""
    INSERT INTO figure_marks (client, quarter_at)
    SELECT client, {_QUARTER.format(at="ringing_at")} FROM told
    UNION
    SELECT gave_up.client, {_QUARTER.format(at="gave_up.ringing_at")}
    FROM told {_GAVE_UP.format(number="told.caller_number", at="told.ringing_at", client="told.client")}
    WHERE told.bridged_at IS NOT NULL""",  # noqa: S608
    "mark_corrected_days": f"""
    INSERT INTO figure_marks (client, quarter_at)
    WITH known AS (SELECT * FROM told UNION ALL SELECT * FROM before)
    SELECT client, {_QUARTER.format(at="ringing_at")} FROM known
    UNION
    SELECT gave_up.client, {_QUARTER.format(at="gave_up.ringing_at")}
    FROM known {_GAVE_UP.format(number="known.caller_number", at="known.ringing_at", client="known.client")}
    WHERE known.bridged_at IS NOT NULL""",  # noqa: S608
    "mark_day_of_call": f"""
    INSERT INTO figure_marks (client, quarter_at)
    SELECT client, {_QUARTER.format(at="ringing_at")} FROM calls WHERE call_id = NEW.call_id""",  # noqa: S608
    "mark_days_of_reached": f"""
    INSERT INTO figure_marks (client, quarter_at)
    SELECT DISTINCT gave_up.client, {_QUARTER.format(at="gave_up.ringing_at")}
    FROM (SELECT NEW.number, NEW.placed_at, NEW.client) AS placed
    {_GAVE_UP.format(number="placed.number", at="placed.placed_at", client="placed.client")}""",  # noqa: S608
}
_AS_OWNER = "SECURITY DEFINER SET search_path FROM CURRENT"
"""Whoever may write calls may mark their days, also where another role migrates."""
_OF_BEFORE = (
    *("dispatch_message", "queue_notification"),
    *("subscribe", "note_calls", "note_corrections", "note_messages"),
    *("note_callbacks", "note_dispatch", "note_settlement"),
)
"""Those of earlier revisions, which write into other tables, too."""
_TRIGGERS = {
    "calls_mark": (
        "calls",
        "AFTER INSERT ON calls REFERENCING NEW TABLE AS told FOR EACH STATEMENT",
        "mark_days",
    ),
    "corrections_mark": (
        "calls",
        "AFTER UPDATE ON calls REFERENCING OLD TABLE AS before NEW TABLE AS told FOR EACH STATEMENT",
        "mark_corrected_days",
    ),
    "callbacks_mark": (
        "callbacks",
        "AFTER UPDATE ON callbacks FOR EACH ROW WHEN (NEW.state <> 'open')",
        "mark_day_of_call",
    ),
    "outgoing_calls_mark": (
        "outgoing_calls",
        """AFTER INSERT OR UPDATE ON outgoing_calls FOR EACH ROW
           WHEN (NEW.purpose = 'callback' AND NEW.answered_at IS NOT NULL)""",
        "mark_days_of_reached",
    ),
    "follow_ups_mark": (
        "follow_ups",
        "AFTER INSERT OR UPDATE ON follow_ups FOR EACH ROW",
        "mark_day_of_call",
    ),
}

_CLIENTS_WITH_CALLS = """
INSERT INTO figure_zones (client, basis)
WITH RECURSIVE known AS (
    (SELECT client FROM calls ORDER BY client LIMIT 1)
    UNION ALL
    SELECT (SELECT calls.client FROM calls WHERE calls.client > known.client ORDER BY calls.client LIMIT 1)
    FROM known WHERE known.client IS NOT NULL
)
SELECT client, '' FROM known WHERE client IS NOT NULL
"""
"""By steps through the index: a look at every call would take as long as there are calls."""


def upgrade() -> None:
    """To this revision."""
    _figure_days()
    _figure_queue_days()
    op.create_table(
        "figure_marks",
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the calls name it"),
        sa.Column(
            "quarter_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="a quarter of an hour in which a call rang",
        ),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.create_index(op.f("figure_marks_quarter_at_client_idx"), "figure_marks", ["quarter_at", "client"])
    op.create_table(
        "figure_zones",
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the calls name it"),
        sa.Column(
            "basis",
            sa.Text(),
            nullable=False,
            comment="zone in which its days are cut (IANA), other names of the client; empty: they are not made",
        ),
        sa.PrimaryKeyConstraint("client", name=op.f("figure_zones_pkey")),
    )
    for name, mark in _MARKS.items():
        body = mark.replace("AGAIN", _AGAIN)
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {_AS_OWNER} AS $$\n"
            f"BEGIN{body};\n    RETURN NULL;\nEND $$"
        )
    for name in _OF_BEFORE:
        op.execute(f"ALTER FUNCTION {name}() {_AS_OWNER}")
    for name, (_, when, function) in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}()")
    op.create_index(
        "outgoing_calls_callback_idx",
        "outgoing_calls",
        ["number", "placed_at"],
        postgresql_where=sa.text("purpose = 'callback'"),
    )
    # The lock of the triggers holds until here: no call is written between them and this look.
    op.execute(_CLIENTS_WITH_CALLS)


def downgrade() -> None:
    """Back to the one before, which counts calls each time."""
    for name, (table, _, _) in _TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for function in _MARKS:
        op.execute(f"DROP FUNCTION {function}()")
    for name in _OF_BEFORE:
        op.execute(f"ALTER FUNCTION {name}() SECURITY INVOKER RESET search_path")
    op.drop_index("outgoing_calls_callback_idx", "outgoing_calls")
    for table in ("figure_zones", "figure_marks", "figure_queue_days", "figure_days"):
        op.drop_table(table)


def _count(name: str, comment: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _each(name: str, comment: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, comment=comment)


def _keys(day: str, of: str, last: str) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the calls name it"),
        sa.Column("day", sa.Date(), nullable=False, comment=day),
        sa.Column("plan_version", sa.Text(collation="C"), nullable=False),
        sa.Column(last, sa.Text(collation="C"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False, comment=f"when the first of {of} rang"),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, comment=f"when the last of {of} rang"),
    )


def _figure_days() -> None:
    reached = "each answered or redirected one, seconds, by quarter of an hour"
    op.create_table(
        "figure_days",
        *_keys("of the client's zone (figure_zones)", "them", "did"),
        _count("received"),
        _count("offered", "entered human service"),
        *(_count(name) for name in _DISPOSITIONS),
        sa.Column("talk_seconds", sa.Double(), nullable=False, comment="of answered and redirected ones together"),
        _each("waits", f"float8 of {reached}"),
        _each("lost", "float8 of each abandoned one, seconds, by quarter of an hour"),
        _each("talks", f"float8 of {reached}"),
        _each("quarters", "a byte for each: quarters of an hour since its day began"),
        _each(
            "kinds",
            "a byte for each: number of its disposition, 8 if it was offered, 16 if it was reached later",
        ),
        _each(
            "reached_after",
            "float8 of each that was reached later, seconds until then",
        ),
    )
    op.create_index(op.f("figure_days_client_day_idx"), "figure_days", ["client", "day"])
    op.create_index(op.f("figure_days_day_idx"), "figure_days", ["day"])
    _uncompressed("figure_days", "waits", "lost", "talks", "quarters", "kinds", "reached_after")


def _figure_queue_days() -> None:
    op.create_table(
        "figure_queue_days",
        *_keys(
            "on which the journey rang, of the client's zone (figure_zones)",
            "their journeys",
            "queue",
        ),
        _count("entered"),
        *(_count(f"was_{name}") for name in _OUTCOMES),
        _count("offers", "to agents"),
        _each("waits", "float8 of each answered one, seconds, by quarter of an hour"),
        _each("lost", "float8 of each abandoned one, seconds, by quarter of an hour"),
        _each("quarters", "a byte for each: quarters of an hour since the day began, of its entry"),
        _each("kinds", "a byte for each, by quarter of an hour: number of its outcome, 15 if nobody saw it"),
    )
    op.create_index(op.f("figure_queue_days_client_day_idx"), "figure_queue_days", ["client", "day"])
    op.create_index(op.f("figure_queue_days_day_idx"), "figure_queue_days", ["day"])
    _uncompressed("figure_queue_days", "waits", "lost", "quarters", "kinds")


def _uncompressed(table: str, *columns: str) -> None:
    """Waiting times hold nothing to press together: trying costs the reader and the writer."""
    for column in columns:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
