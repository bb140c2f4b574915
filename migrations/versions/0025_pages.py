"""Pages of calls by client, outcome, agent, called number and caller: an index for each.

In a large record they are there already when this runs (`store/indexing.py`): nobody who writes waits for them.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _make("calls", "client", "ringing_at", "disposition")
    _make("calls", "disposition", "ringing_at")
    _make("calls", "did", "ringing_at")
    _make("calls", "caller_number", "ringing_at", where="caller_number IS NOT NULL")
    _make("queue_visits", "agent", "entered_at", where="answered_at IS NOT NULL", include=["call_id"])
    # The index alone is read where pages of the table are known to be visible to all, as VACUUM finds them: it would
    # come by itself when a fifth of the table is new, half a year's.
    op.execute("ALTER TABLE queue_visits SET (autovacuum_vacuum_insert_scale_factor = 0.01)")
    # Each is the beginning, or a part, of one that is there now.
    op.drop_index("calls_client_ringing_at_idx", "calls")
    op.drop_index("calls_abandoned_idx", "calls")


def downgrade() -> None:
    """Back to the one before."""
    op.create_index(
        "calls_abandoned_idx", "calls", ["ringing_at", "call_id"], postgresql_where=sa.text("disposition = 'abandoned'")
    )
    op.create_index("calls_client_ringing_at_idx", "calls", ["client", "ringing_at"])
    op.execute("ALTER TABLE queue_visits RESET (autovacuum_vacuum_insert_scale_factor)")
    op.drop_index("queue_visits_agent_entered_at_idx", "queue_visits")
    for columns in ("caller_number", "did", "disposition"):
        op.drop_index(f"calls_{columns}_ringing_at_idx", "calls")
    op.drop_index("calls_client_ringing_at_disposition_idx", "calls")


def _make(table: str, *columns: str, where: str | None = None, include: Sequence[str] = ()) -> None:
    drop_invalid(f"{table}_{'_'.join(columns)}_idx")
    op.create_index(
        f"{table}_{'_'.join(columns)}_idx",
        table,
        list(columns),
        postgresql_where=None if where is None else sa.text(where),
        postgresql_include=include or None,
        if_not_exists=True,
    )


def drop_invalid(name: str) -> None:
    """One whose making was broken off is no index."""
    found = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
    if op.get_bind().execute(found, {"name": name}).first() is not None:
        op.execute(f"DROP INDEX {name}")
