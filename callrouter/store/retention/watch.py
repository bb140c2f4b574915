"""The engine's look at the runs, for Prometheus: a worker that has died does not say so itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import text

from callrouter.core.retention.rule import Kind
from callrouter.runtime.watch import Watch
from callrouter.store.database import Database

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 60.0

_SUMS: Final = ", ".join(f"coalesce(sum({kind.value}), 0)::bigint" for kind in Kind)
_LAST: Final = text(
    f"""
    SELECT
        (SELECT extract(epoch FROM now() - max(ended_at))::float8 FROM retention_runs
            WHERE ended_at IS NOT NULL AND error = '') AS since,
        (SELECT extract(epoch FROM now() - min(began_at))::float8 FROM retention_runs) AS since_first,
        (SELECT seconds FROM retention_runs WHERE ended_at IS NOT NULL ORDER BY run_id DESC LIMIT 1) AS seconds,
        (SELECT error <> '' FROM retention_runs WHERE ended_at IS NOT NULL ORDER BY run_id DESC LIMIT 1) AS failed,
        {_SUMS}
    FROM retention_runs
    """  # noqa: S608 - made of our own words
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """What is known of runs."""

    since_seconds: float
    """Since the last one ended well; where none did, since the first began."""
    seconds: float
    """What the last one took of work."""
    failed: bool
    deleted: Mapping[str, int]
    """By kind, of all runs."""


class RetentionWatch(Watch[LastRun]):
    """Asks when what is older than it is kept was deleted last."""

    def __init__(self, database: Database) -> None:
        super().__init__(lambda: read_last_run(database), "runs of retention are")


async def read_last_run(database: Database) -> LastRun | None:
    """The last one; None: there was none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        since, since_first, seconds, failed, *sums = (await connection.execute(_LAST)).one()
    if since_first is None:
        return None
    return LastRun(
        since_seconds=since_first if since is None else since,
        seconds=seconds or 0.0,
        failed=bool(failed),
        deleted={kind.value: many for kind, many in zip(Kind, sums, strict=True)},
    )
