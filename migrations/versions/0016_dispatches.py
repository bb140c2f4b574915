"""Who is told of messages, and what became of it: rows that PostgreSQL makes with each message, and the worker's.

Messages of before are owed to nobody. An engine of the release before writes messages as it did, and they are delivered
all the same.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BEGIN = """
CREATE FUNCTION dispatch_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Due by the earlier of two clocks: one that is wrong must not put it off. The release before names no instant.
    INSERT INTO dispatches (message_id, client, urgent, began_at, due_at)
    VALUES (NEW.message_id, NEW.client, NEW.urgent, coalesce(NEW.taken_at, now()), least(NEW.taken_at, now()))
    ON CONFLICT DO NOTHING;
    PERFORM pg_notify('callrouter_dispatch', '');
    RETURN NULL;
END $$
"""
_TRIGGER = "CREATE TRIGGER messages_dispatch AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION dispatch_message()"


def upgrade() -> None:
    """To this revision."""
    _dispatches()
    _deliveries()
    _dispatch_events()
    _delivery_links()
    _leases()
    op.execute(_BEGIN)
    op.execute(_TRIGGER)


def downgrade() -> None:
    """Back to the one before, which tells nobody."""
    op.execute("DROP TRIGGER messages_dispatch ON messages")
    op.execute("DROP FUNCTION dispatch_message()")
    for table in ("leases", "delivery_links", "dispatch_events", "deliveries", "dispatches"):
        op.drop_table(table)


def _dispatches() -> None:
    op.create_table(
        "dispatches",
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column(
            "urgent",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="whether it goes the urgent course",
        ),
        sa.Column("policy", postgresql.JSONB(), comment="the client's rule as it was when it was looked up"),
        sa.Column("step", sa.SmallInteger(), server_default="0", nullable=False, comment="the next one, 0 the first"),
        sa.Column(
            "round", sa.SmallInteger(), server_default="0", nullable=False, comment="how often the steps began again"
        ),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), comment="when there is something to do; empty: never by itself"
        ),
        sa.Column("held_until", sa.DateTime(timezone=True), comment="when the next step begins, where it was put off"),
        sa.Column(
            "begun_at", sa.DateTime(timezone=True), comment="when the step before the next one began; empty: none has"
        ),
        sa.Column("ages_at", sa.DateTime(timezone=True), comment="when it becomes urgent"),
        sa.Column(
            "reason", sa.Text(), server_default="", nullable=False, comment="why it stands on the list; a sentence"
        ),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), comment="when it was told, acknowledged, or put on the list"),
        sa.Column("acknowledged_by", sa.Text(), comment="contact, or principal"),
        sa.Column("acknowledged_how", sa.Text(), comment="link, done, api, cli"),
        sa.CheckConstraint(
            "state IN ('new', 'running', 'told', 'attention', 'acknowledged')", name=op.f("dispatches_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.message_id"], name=op.f("dispatches_message_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("dispatches_pkey")),
    )
    op.create_index(
        "dispatches_attention_idx", "dispatches", ["client"], postgresql_where=sa.text("state = 'attention'")
    )
    op.create_index(op.f("dispatches_client_began_at_idx"), "dispatches", ["client", "began_at"])
    op.create_index(
        "dispatches_running_idx", "dispatches", ["message_id"], postgresql_where=sa.text("state = 'running'")
    )
    op.create_index(
        "dispatches_due_idx", "dispatches", ["urgent", "due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column(
            "delivery_id", sa.Text(collation="C"), nullable=False, comment="UUID; the receiver knows a repetition by it"
        ),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False, comment="of the client's file"),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="URL, as it was when the step began"),
        sa.Column(
            "batch", sa.Text(), server_default="", nullable=False, comment="of those that go in one; empty: alone"
        ),
        sa.Column(
            "urgent",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="goes before those that are not",
        ),
        sa.Column(
            "last",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="nothing follows: told again once",
        ),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), comment="empty: there will be none"),
        sa.Column("sending_until", sa.DateTime(timezone=True), comment="when an attempt that is out has failed"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, comment="of the state"),
        sa.Column(
            "answer", sa.Text(), server_default="", nullable=False, comment="of the other side, or why it failed"
        ),
        sa.Column("receipt_id", sa.Text(), comment="by which the other side calls it"),
        sa.CheckConstraint(
            "(state = 'queued') = (next_attempt_at IS NOT NULL)", name=op.f("deliveries_queued_is_due_check")
        ),
        sa.CheckConstraint(
            "(state = 'sending') = (sending_until IS NOT NULL)", name=op.f("deliveries_sending_ends_check")
        ),
        sa.CheckConstraint("kind IN ('message', 'notice')", name=op.f("deliveries_kind_check")),
        sa.CheckConstraint("means IN ('email', 'sms', 'webhook')", name=op.f("deliveries_means_check")),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'accepted', 'delivered', 'viewed', 'acknowledged', 'failed', 'withdrawn')",
            name=op.f("deliveries_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.message_id"], name=op.f("deliveries_message_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("deliveries_pkey")),
    )
    op.create_index(
        "deliveries_due_idx", "deliveries", ["urgent", "next_attempt_at"], postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index(op.f("deliveries_message_id_idx"), "deliveries", ["message_id"])
    op.create_index(
        "deliveries_receipt_id_idx", "deliveries", ["receipt_id"], postgresql_where=sa.text("receipt_id IS NOT NULL")
    )
    op.create_index(
        "deliveries_sending_idx", "deliveries", ["sending_until"], postgresql_where=sa.text("state = 'sending'")
    )
    op.create_index(
        "deliveries_sms_idx", "deliveries", ["address", "changed_at"], postgresql_where=sa.text("means = 'sms'")
    )


def _dispatch_events() -> None:
    op.create_table(
        "dispatch_events",
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False, comment="in order"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="a word"),
        sa.Column("delivery_id", sa.Text(collation="C"), comment="empty: of the message as a whole"),
        sa.Column("contact", sa.Text(), server_default="", nullable=False),
        sa.Column("means", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "detail", sa.Text(), server_default="", nullable=False, comment="a sentence, or the other side's answer"
        ),
        sa.Column("principal", sa.Text(), server_default="", nullable=False, comment="who did it; empty: the rule"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.message_id"], name=op.f("dispatch_events_message_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("dispatch_events_pkey")),
    )


def _delivery_links() -> None:
    op.create_table(
        "delivery_links",
        sa.Column(
            "token_hash",
            sa.Text(collation="C"),
            nullable=False,
            comment="SHA-256 of what stands in the link, hexadecimal",
        ),
        sa.Column("delivery_id", sa.Text(collation="C"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.delivery_id"],
            name=op.f("delivery_links_delivery_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("delivery_links_pkey")),
    )
    op.create_index(op.f("delivery_links_delivery_id_idx"), "delivery_links", ["delivery_id"])


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False, comment="host and process"),
        sa.Column(
            "epoch", sa.Integer(), nullable=False, comment="one more with each holder: what acts under it checks it"
        ),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by PostgreSQL's clock; then somebody else may take it",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("leases_pkey")),
    )
