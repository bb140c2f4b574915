"""One queue for whatever is sent: deliveries of calls and of days beside those of messages.

What clients' systems are told of calls had a table of its own, `notifications`, and moves in. An engine of the release
before goes on writing there: a trigger puts what it writes into the queue, and nothing stays for it to send. What it is
about to send in the instant of the upgrade is sent by the worker as well, with the same id.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('message', 'notice', 'notification', 'event', 'code')"
_OPEN_SEQUENCE = "sequence <> '' AND state IN ('queued', 'sending')"

_MOVED = """
INSERT INTO deliveries (delivery_id, call_id, client, kind, contact, means, address, body, state, attempts, queued_at,
                        next_attempt_at, changed_at, answer)
SELECT notification_id, call_id, client, 'notification', contact, 'webhook', url, body,
       CASE state WHEN 'waiting' THEN 'queued' WHEN 'delivered' THEN 'accepted' ELSE 'failed' END,
       least(attempts, 32767), asked_at, CASE WHEN state = 'waiting' THEN coalesce(next_attempt_at, asked_at) END,
       coalesce(delivered_at, asked_at), coalesce(last_error, '')
FROM notifications ORDER BY asked_at, notification_id
ON CONFLICT DO NOTHING
"""
_MOVED_BACK = """
INSERT INTO notifications (notification_id, call_id, client, contact, url, body, asked_at, state, attempts,
                           next_attempt_at, delivered_at, last_error)
SELECT delivery_id, coalesce(call_id, ''), client, contact, address, body, queued_at,
       CASE WHEN state IN ('queued', 'sending') THEN 'waiting' WHEN state IN ('failed', 'withdrawn') THEN 'failed'
            ELSE 'delivered' END,
       attempts, CASE WHEN state IN ('queued', 'sending') THEN coalesce(next_attempt_at, queued_at) END,
       CASE WHEN state NOT IN ('queued', 'sending', 'failed', 'withdrawn') THEN changed_at END, nullif(answer, '')
FROM deliveries WHERE kind = 'notification' AND body IS NOT NULL
ON CONFLICT DO NOTHING
"""
_TAKE = """
CREATE FUNCTION queue_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Due by the earlier of two clocks: one that is wrong must not put it off.
    INSERT INTO deliveries (delivery_id, call_id, client, kind, contact, means, address, body, queued_at,
                            next_attempt_at, changed_at)
    VALUES (NEW.notification_id, NEW.call_id, NEW.client, 'notification', NEW.contact, 'webhook', NEW.url, NEW.body,
            NEW.asked_at, least(NEW.next_attempt_at, now()), NEW.asked_at)
    ON CONFLICT DO NOTHING;
    PERFORM pg_notify('callrouter_dispatch', '');
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER notifications_queue BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION queue_notification()
"""


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
    op.create_index(
        "deliveries_failed_idx",
        "deliveries",
        ["changed_at", "delivery_id"],
        postgresql_where=sa.text("state = 'failed' AND message_id IS NULL"),
    )
    op.create_table(
        "delivery_counts",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="delivered, failed (it is tried again), given_up"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "outcome", name=op.f("delivery_counts_pkey")),
    )
    # Nobody writes there until this is committed: what would come between the two would be sent by nobody.
    op.execute("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE")
    op.execute(_MOVED)
    op.execute("DELETE FROM notifications")
    op.execute(_TAKE)
    op.execute(_TRIGGER)
    op.execute("NOTIFY callrouter_dispatch")


def downgrade() -> None:
    """Back to the one before, whose deliveries are all of messages; what tells of calls goes back to its own table."""
    op.execute("DROP TRIGGER notifications_queue ON notifications")
    op.execute("DROP FUNCTION queue_notification()")
    op.execute(_MOVED_BACK)
    op.execute("DELETE FROM deliveries WHERE kind NOT IN ('message', 'notice')")
    op.drop_table("delivery_counts")
    op.drop_index("deliveries_failed_idx", "deliveries")
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
