"""What agents did is found by who they are and when: legs of theirs alone, and what lasted long."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_PARTY = "legs_party_began_at_idx"
_OF_AGENTS = "purpose IN ('agent', 'consultation')"
_MORE_THAN_AN_HOUR = "interval '1 hour'"


def upgrade() -> None:
    """To this revision."""
    op.drop_index(_PARTY, "legs")
    op.create_index(_PARTY, "legs", ["party", "began_at"], postgresql_where=sa.text(_OF_AGENTS))
    op.create_index(
        "legs_long_idx",
        "legs",
        ["party", "began_at"],
        postgresql_where=sa.text(f"{_OF_AGENTS} AND ended_at - began_at > {_MORE_THAN_AN_HOUR}"),
    )
    op.create_index(
        "agent_sessions_long_idx",
        "agent_sessions",
        ["agent", sa.text("coalesce(ended_at, 'infinity')"), "started_at"],
        postgresql_where=sa.text(f"ended_at IS NULL OR ended_at - started_at > {_MORE_THAN_AN_HOUR}"),
    )
    op.create_index(
        "outgoing_calls_agent_idx",
        "outgoing_calls",
        ["agent", "rung_at"],
        postgresql_where=sa.text("agent IS NOT NULL AND purpose = 'callback'"),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index("outgoing_calls_agent_idx", "outgoing_calls")
    op.drop_index("agent_sessions_long_idx", "agent_sessions")
    op.drop_index("legs_long_idx", "legs")
    op.drop_index(_PARTY, "legs")
    op.create_index(_PARTY, "legs", ["party", "began_at"], postgresql_where=sa.text("purpose <> 'caller'"))
