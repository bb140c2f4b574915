"""/api/stats: each client's service figures, with the formula, threshold and limit they were made with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter

from callrouter.api.filters import Client, From, To, refuse_backwards
from callrouter.api.stats_schemas import StatsOut
from callrouter.store.database import Database
from callrouter.store.stats import read_stats

DEFAULT_PERIOD: Final = timedelta(hours=24)


def router(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["stats"])

    @routes.get("/stats")
    async def stats(client: Client = None, from_at: From = None, to_at: To = None) -> StatsOut:
        """Figures of every client that had calls, or of one: the last 24 hours unless a period is given.

        A call belongs to the period in which it rang: `from` included, `to` not. It is judged by what was promised by
        the version of the plan that it walked: what is promised later changes no figure, and where the promise
        changed in the period, `promises` has the figures under each. Gaps are times in which calls may be missing;
        they are declared, never shown as zero.
        """
        to_at = to_at or (from_at + DEFAULT_PERIOD if from_at else now())
        from_at = from_at or to_at - DEFAULT_PERIOD
        refuse_backwards(from_at, to_at)
        found = await read_stats(database, from_at=from_at, to_at=to_at, client=client)
        return StatsOut.of(found)

    return routes
