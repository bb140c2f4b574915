"""Other systems are told what happens: who they are, and rows that PostgreSQL makes with what they are to be told.

Whoever writes calls, messages and callbacks, in whichever release, owes it to subscribers from that transaction on.
While a client has none, its rows cost one look at a table that is empty, or small.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_SUBSCRIBE = """
CREATE FUNCTION subscribe() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM subscribers s WHERE s.owner = NEW.client AND NOT EXISTS (
        SELECT FROM plans p, jsonb_array_elements(p.subscriptions) one
        WHERE p.client = NEW.client AND p.version = NEW.version AND one ->> 'name' = s.name
            AND (s.client = p.client OR s.client = ANY (p.formerly)));
    IF NEW.version IS NOT NULL THEN
        -- Who has this name now is another client than who had it before (store/plans.py).
        DELETE FROM subscribers WHERE client = NEW.client AND owner <> NEW.client;
        INSERT INTO subscribers (client, name, owner, kinds, timezone, known_timezone, since)
        SELECT known.as_name, one ->> 'name', p.client,
            ARRAY(SELECT jsonb_array_elements_text(one -> 'kinds')),
            one ->> 'timezone',
            -- One that this server does not know would refuse calls their rows.
            coalesce((SELECT name FROM pg_timezone_names WHERE name = one ->> 'timezone'), 'UTC'), NEW.live_at
        FROM plans p, jsonb_array_elements(p.subscriptions) one, unnest(p.client || p.formerly) known (as_name)
        WHERE p.client = NEW.client AND p.version = NEW.version
        ON CONFLICT (client, name) DO UPDATE SET
            owner = excluded.owner, kinds = excluded.kinds,
            timezone = excluded.timezone, known_timezone = excluded.known_timezone,
            since = CASE WHEN subscribers.owner = excluded.owner THEN subscribers.since ELSE excluded.since END;
    END IF;
    RETURN NULL;
END $$
"""

_NOTED = "ON CONFLICT (kind, subject) DO UPDATE SET at = excluded.at"
"""Not: do nothing. Who writes of what is pending already holds its row until they have committed; the worker passes it
over until then, and does not tell what was before."""

_WANTED = "(SELECT DISTINCT client, unnest(kinds) AS kind FROM subscribers) w"

_LATE = """
    noted := FOUND;
    -- Days whose figures may have been told: a call that rang on them is known only now.
    INSERT INTO happenings (client, kind, subject)
    SELECT DISTINCT s.owner, 'day.figures', s.owner || ' ' || (c.ringing_at AT TIME ZONE s.known_timezone)::date
    FROM told c JOIN subscribers s ON s.client = c.client
    WHERE 'day.figures' = ANY (s.kinds)
        AND (c.ringing_at AT TIME ZONE s.known_timezone)::date < (now() AT TIME ZONE s.known_timezone)::date
    ORDER BY 3
    {noted};
"""

_NOTES = {
    "note_calls": """
    INSERT INTO happenings (client, kind, subject, call_id)
    SELECT c.client, w.kind, c.call_id, c.call_id FROM told c JOIN {wanted} USING (client)
    WHERE w.kind = 'call.ended' OR (w.kind = 'call.abandoned' AND c.disposition = 'abandoned')
    ORDER BY c.ended_at, c.call_id, w.kind DESC
    {noted};
    {late}""",
    "note_corrections": """
    INSERT INTO happenings (client, kind, subject, call_id)
    SELECT c.client, w.kind, c.call_id, c.call_id
    FROM told c JOIN before b USING (call_id) JOIN {wanted} ON w.client = c.client
    WHERE (w.kind = 'call.ended' OR (w.kind = 'call.abandoned' AND 'abandoned' IN (c.disposition, b.disposition)))
        AND to_jsonb(c) - ARRAY['epoch', 'revision', 'trace'] <> to_jsonb(b) - ARRAY['epoch', 'revision', 'trace']
    ORDER BY c.ended_at, c.call_id, w.kind DESC
    {noted};
    {late}""",
    "note_messages": """
    INSERT INTO happenings (client, kind, subject, call_id)
    SELECT m.client, w.kind, m.message_id, nullif(m.call_id, '') FROM told m JOIN {wanted} USING (client)
    WHERE w.kind = 'message.taken'
    ORDER BY m.started_at, m.message_id
    {noted};""",
    "note_callbacks": """
    INSERT INTO happenings (client, kind, subject, call_id)
    SELECT c.client, w.kind, c.call_id || ' ' || c.position, c.call_id FROM told c JOIN {wanted} USING (client)
    WHERE w.kind = 'callback.asked'
    ORDER BY c.asked_at, c.call_id, c.position
    {noted};""",
    "note_dispatch": """
    INSERT INTO happenings (client, kind, subject, call_id)
    SELECT NEW.client, w.kind, NEW.message_id,
        (SELECT nullif(call_id, '') FROM messages WHERE message_id = NEW.message_id)
    FROM {wanted}
    WHERE w.client = NEW.client
        AND w.kind = CASE NEW.state WHEN 'acknowledged' THEN 'message.acknowledged' ELSE 'message.overdue' END
    {noted};""",
    "note_settlement": """
    INSERT INTO happenings (client, kind, subject, call_id)
    SELECT NEW.client, w.kind, NEW.call_id || ' ' || NEW.position, NEW.call_id FROM {wanted}
    WHERE w.client = NEW.client AND w.kind = 'callback.settled'
    {noted};""",
}

_FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE noted boolean := false;
BEGIN
    IF NOT EXISTS (SELECT FROM subscribers) THEN
        RETURN NULL;
    END IF;
    {body}
    IF noted OR FOUND THEN
        PERFORM pg_notify('callrouter_dispatch', '');
    END IF;
    RETURN NULL;
END $$
"""

_TRIGGERS = {
    "plan_history_subscribe": ("plan_history", "AFTER INSERT ON plan_history FOR EACH ROW", "subscribe"),
    "calls_happen": ("calls", "AFTER INSERT ON calls REFERENCING NEW TABLE AS told", "note_calls"),
    "calls_are_corrected": (
        "calls",
        "AFTER UPDATE ON calls REFERENCING OLD TABLE AS before NEW TABLE AS told",
        "note_corrections",
    ),
    "messages_happen": ("messages", "AFTER INSERT ON messages REFERENCING NEW TABLE AS told", "note_messages"),
    "dispatches_happen": (
        "dispatches",
        """AFTER UPDATE OF state ON dispatches FOR EACH ROW
           WHEN (NEW.state <> OLD.state AND NEW.state IN ('acknowledged', 'attention'))""",
        "note_dispatch",
    ),
    "callbacks_happen": ("callbacks", "AFTER INSERT ON callbacks REFERENCING NEW TABLE AS told", "note_callbacks"),
    "callbacks_are_settled": (
        "callbacks",
        "AFTER UPDATE OF state ON callbacks FOR EACH ROW WHEN (OLD.state = 'open' AND NEW.state <> 'open')",
        "note_settlement",
    ),
}


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "plans",
        sa.Column(
            "subscriptions",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="[{name, kinds, timezone}, ...]",
        ),
    )
    _subscribers()
    _happenings()
    _told_days()
    op.execute(_SUBSCRIBE)
    for name, note in _NOTES.items():
        body = note.replace("{late}", _LATE).replace("{noted}", _NOTED).replace("{wanted}", _WANTED)
        op.execute(_FUNCTION.replace("{name}", name).replace("{body}", body))
    for name, (_, when, function) in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    """Back to the one before, which tells no other system."""
    for name, (table, _, _) in _TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in ("subscribe", *_NOTES):
        op.execute(f"DROP FUNCTION {name}()")
    for table in ("told_days", "happenings", "subscribers"):
        op.drop_table(table)
    op.drop_column("plans", "subscriptions")


def _subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column(
            "client",
            sa.Text(collation="C"),
            nullable=False,
            comment="as rows name it: the client's present name, or one of before",
        ),
        sa.Column("name", sa.Text(collation="C"), nullable=False, comment="of the subscription, in the client's file"),
        sa.Column("owner", sa.Text(collation="C"), nullable=False, comment="the client's present name"),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False, comment="IANA name, of the client's days"),
        sa.Column("known_timezone", sa.Text(), nullable=False, comment="the same as PostgreSQL knows it; else UTC"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="when it went live first"),
        sa.PrimaryKeyConstraint("client", "name", name=op.f("subscribers_pkey")),
    )
    op.create_index(op.f("subscribers_owner_idx"), "subscribers", ["owner"])


def _happenings() -> None:
    op.create_table(
        "happenings",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False, comment="in order"),
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="as the row names it that it is of"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "subject",
            sa.Text(collation="C"),
            nullable=False,
            comment="call_id; message_id; call_id and position; client and day",
        ),
        sa.Column("call_id", sa.Text(collation="C"), comment="empty: of no call"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("happenings_pkey")),
        sa.UniqueConstraint("kind", "subject", name=op.f("happenings_kind_subject_key")),
    )


def _told_days() -> None:
    op.create_table(
        "told_days",
        sa.Column("client", sa.Text(collation="C"), nullable=False, comment="its present name"),
        sa.Column("name", sa.Text(collation="C"), nullable=False, comment="of the subscription"),
        sa.Column("day", sa.Date(), nullable=False, comment="of the client's zone"),
        sa.Column(
            "revision",
            sa.Integer(),
            nullable=False,
            comment="1 the first time; one more whenever its figures have changed",
        ),
        sa.Column("digest", sa.Text(), nullable=False, comment="of the figures that were told last"),
        sa.Column(
            "looked_at", sa.DateTime(timezone=True), nullable=False, comment="when its figures were computed last"
        ),
        sa.PrimaryKeyConstraint("client", "name", "day", name=op.f("told_days_pkey")),
    )
