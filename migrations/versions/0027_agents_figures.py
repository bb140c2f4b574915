"""What agents did is found by who they are and when: legs of theirs alone, and what lasted long.

In a large record the indexes are there already when this runs (`store/indexing.py`): nobody who writes waits for them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_BEFORE = "legs_party_began_at_idx"
_OF_AGENTS = "purpose IN ('agent', 'consultation')"
_MORE_THAN_AN_HOUR = "interval '1 hour'"


def upgrade() -> None:
    """To this revision."""
    _make("legs_agents_idx", "legs", ["party", "began_at"], _OF_AGENTS)
    long = f"{_OF_AGENTS} AND ended_at - began_at > {_MORE_THAN_AN_HOUR}"
    _make("legs_long_idx", "legs", ["party", "began_at"], long)
    _make(
        "agent_sessions_long_idx",
        "agent_sessions",
        ["agent", sa.text("coalesce(ended_at, 'infinity')"), "started_at"],
        f"ended_at IS NULL OR ended_at - started_at > {_MORE_THAN_AN_HOUR}",
    )
    _make(
        "outgoing_calls_agent_idx", "outgoing_calls", ["agent", "rung_at"], "agent IS NOT NULL AND purpose = 'callback'"
    )
    op.drop_index(_BEFORE, "legs")  # `legs_agents_idx` has those of it that anybody asks for


def downgrade() -> None:
    """Back to the one before."""
    op.create_index(_BEFORE, "legs", ["party", "began_at"], postgresql_where=sa.text("purpose <> 'caller'"))
    op.drop_index("outgoing_calls_agent_idx", "outgoing_calls")
    op.drop_index("agent_sessions_long_idx", "agent_sessions")
    op.drop_index("legs_long_idx", "legs")
    op.drop_index("legs_agents_idx", "legs")


def _make(name: str, table: str, columns: list[str | sa.TextClause], where: str) -> None:
    drop_invalid(name)
    op.create_index(name, table, columns, postgresql_where=sa.text(where), if_not_exists=True)


def drop_invalid(name: str) -> None:
    """One whose making was broken off is no index."""
    found = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
    if op.get_bind().execute(found, {"name": name}).first() is not None:
        op.execute(f"DROP INDEX {name}")
