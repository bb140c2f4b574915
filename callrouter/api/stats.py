"""/api/stats: each client's service figures, with the formula, threshold and limit they were made with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from callrouter.api.filters import AskedPeriod, Client, backwards, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.stats_schemas import StatsOut
from callrouter.store.database import Database
from callrouter.store.stats import read_stats


def router(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["stats"])

    @routes.get("/stats", responses=documented(404))
    async def stats(period: AskedPeriod, client: Client = None) -> StatsOut:
        """Figures of every client that had calls, or of one: the last 24 hours unless a period is given.

        Days and times are those of each client's own time zone, unless they name one. With only `from` or only `to`
        the period is a day by the client's calendar, which has 23 or 25 hours when clocks change.

        A call belongs to the period in which it rang: `from` included, `to` not. It is judged by what was promised by
        the version of the plan that it walked: what is promised later changes no figure, and where the promise
        changed in the period, `promises` has the figures under each. Gaps are times in which calls may be missing;
        they are declared, never shown as zero.
        """
        try:
            found = await read_stats(database, period, now=now(), client=client)
        except ValueError:
            raise backwards() from None
        if client is not None and not any(one.figures.received for one in found.clients):
            await refuse_strangers(database, client)
        return StatsOut.of(found)

    return routes
