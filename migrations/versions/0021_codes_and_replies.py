"""Codes before what is confidential is shown, codes that answers acknowledge with, and transcripts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    for column in _of_links():
        op.add_column("delivery_links", column)
    op.create_index(
        "delivery_links_tried_idx", "delivery_links", ["tried_at"], postgresql_where=sa.text("wrong_tries > 0")
    )
    op.create_index(
        "delivery_links_closed_idx", "delivery_links", ["expires_at"], postgresql_where=sa.text("closed_at IS NOT NULL")
    )
    _delivery_codes()
    _replies()
    op.add_column(
        "deliveries",
        sa.Column("reply_hash", sa.Text(), comment="of codes by which whoever answers it takes the message on"),
    )
    op.create_index(
        "deliveries_answered_idx",
        "deliveries",
        ["address", "queued_at"],
        postgresql_where=sa.text("means <> 'webhook'"),
    )
    op.create_index(
        "dispatch_events_replied_idx",
        "dispatch_events",
        ["at"],
        postgresql_where=sa.text("what = 'replied'"),
    )
    _comment_of_how("link, key, done, api, cli", "link, reply, key, done, api, cli")
    _transcripts()


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("messages_untranscribed_idx", "messages")
    for name in ("transcript", "transcript_by", "transcribed_at"):
        op.drop_column("messages", name)
    _comment_of_how("link, reply, key, done, api, cli", "link, key, done, api, cli")
    op.drop_index("dispatch_events_replied_idx", "dispatch_events")
    op.drop_index("deliveries_answered_idx", "deliveries")
    op.drop_column("deliveries", "reply_hash")
    op.drop_table("replies")
    op.drop_table("delivery_codes")
    op.drop_index("delivery_links_closed_idx", "delivery_links")
    op.drop_index("delivery_links_tried_idx", "delivery_links")
    for name in ("wrong_tries", "tried_at", "closed_at", "pass_hash", "pass_until"):
        op.drop_column("delivery_links", name)


def _of_links() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(
            "wrong_tries", sa.SmallInteger(), server_default="0", nullable=False, comment="at a PIN or a code, in a row"
        ),
        sa.Column("tried_at", sa.DateTime(timezone=True), comment="when the last of them was"),
        sa.Column("closed_at", sa.DateTime(timezone=True), comment="when there were too many: it shows nothing more"),
        sa.Column("pass_hash", sa.Text(), comment="SHA-256 of what a page has whose reader gave the right PIN or code"),
        sa.Column("pass_until", sa.DateTime(timezone=True), comment="how long that page is believed"),
    )


def _delivery_codes() -> None:
    op.create_table(
        "delivery_codes",
        sa.Column("delivery_id", sa.Text(collation="C"), nullable=False, comment="of the code's own telling"),
        sa.Column("token_hash", sa.Text(collation="C"), nullable=False, comment="of the link that it opens"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_hash", sa.Text(), comment="empty: it was not made yet, or was used"),
        sa.Column("expires_at", sa.DateTime(timezone=True), comment="when it opens nothing any more"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.delivery_id"],
            name=op.f("delivery_codes_delivery_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["token_hash"],
            ["delivery_links.token_hash"],
            name=op.f("delivery_codes_token_hash_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("delivery_codes_pkey")),
    )
    op.create_index(op.f("delivery_codes_token_hash_idx"), "delivery_codes", ["token_hash"])


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column(
            "reply_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="by which a doubled one is known: means, and a hash",
        ),
        sa.Column("sender", sa.Text(), nullable=False, comment="sms: and a number, mailto: and an address"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=False,
            comment="acknowledged, known, wrong, limited, words, automatic, nobodys",
        ),
        sa.PrimaryKeyConstraint("reply_id", name=op.f("replies_pkey")),
    )
    op.create_index(op.f("replies_sender_at_idx"), "replies", ["sender", "at"])
    op.create_index(op.f("replies_at_idx"), "replies", ["at"])


def _transcripts() -> None:
    op.add_column("messages", sa.Column("transcript", sa.Text(), comment="of the recording, made by a machine"))
    op.add_column("messages", sa.Column("transcript_by", sa.Text(), comment="which machine: program or model"))
    op.add_column(
        "messages",
        sa.Column("transcribed_at", sa.DateTime(timezone=True), comment="when it was tried; empty: it was not"),
    )
    op.create_index(
        "messages_untranscribed_idx",
        "messages",
        ["taken_at"],
        postgresql_where=sa.text("recording <> '' AND transcribed_at IS NULL"),
    )


def _comment_of_how(was: str, is_: str) -> None:
    op.alter_column(
        "dispatches",
        "acknowledged_how",
        existing_type=sa.Text(),
        existing_nullable=True,
        existing_comment=was,
        comment=is_,
    )
