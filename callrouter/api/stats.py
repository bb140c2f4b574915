"""/api/stats: each client's service figures, with the formula, threshold and limit they were made with; and how long it
took until their messages were passed on and taken on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import AskedPeriod, Client, backwards, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.stats import MessageStatsOut, StatsOut
from callrouter.periods import Period
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.store.database import Database
from callrouter.store.dispatch.delays import read_delays
from callrouter.store.figures.model import Stats
from callrouter.store.stats import read_stats

_DAY: Final = timedelta(days=1)


def router(database: Database, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["stats"])

    @routes.get("/stats", responses=documented(403, 404), **gate.needs(Permission.STATS_READ))
    async def stats(period: AskedPeriod, visitor: CurrentVisitor, client: Client = None) -> StatsOut:
        """Figures of every client that had calls, or of one: the last 24 hours unless a period is given.

        Days and times are those of each client's own time zone, unless they name one. With only `from` or only `to`
        the period is a day by the client's calendar, which has 23 or 25 hours when clocks change.

        A call belongs to the period in which it rang: `from` included, `to` not. It is judged by what was promised by
        the version of the plan that it walked: what is promised later changes no figure, and where the promise
        changed in the period, `promises` has the figures under each. Gaps are times in which calls may be missing;
        they are declared, never shown as zero.
        """
        client, scope = visitor.asked_client(Permission.STATS_READ, client), visitor.principal.scope
        try:
            if client is None and scope.kind is ScopeKind.CLIENTS:
                found = await _of_each(database, period, now(), scope)
            else:
                found = await read_stats(database, period, now=now(), client=client)
        except ValueError:
            raise backwards() from None
        if client is not None and not any(one.figures.received for one in found.clients):
            await refuse_strangers(database, client, visitor)
        return StatsOut.of(found)

    @routes.get("/stats/messages", responses=documented(403, 404), **gate.needs(Permission.STATS_READ))
    async def of_messages(period: AskedPeriod, visitor: CurrentVisitor, client: Client = None) -> MessageStatsOut:
        """How long it took until messages were passed on, and until somebody took them on: of each client that had any,
        or of one, by when their telling began; the last 24 hours unless a period is given."""
        client = visitor.asked_client(Permission.STATS_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        to_at = to_at or max(now(), from_at or now())
        from_at = from_at or to_at - _DAY
        scope = visitor.principal.scope
        found = await read_delays(database, from_at=from_at, to_at=to_at, client=client, scope=scope)
        if not found:
            await refuse_strangers(database, client, visitor)
        return MessageStatsOut.of(from_at, to_at, found)

    return routes


async def _of_each(database: Database, period: Period, now: datetime, scope: Scope) -> Stats:
    """The figures of some clients, of those that had calls: each asked by itself, so that nothing of others is read."""
    found = [await read_stats(database, period, now=now, client=name) for name in sorted(scope.names)]
    return Stats(
        from_at=min(one.from_at for one in found),
        to_at=max(one.to_at for one in found),
        clients=[client for one in found for client in one.clients if client.figures.received],
        gaps=list({(gap.from_at, gap.reason, gap.pbx): gap for one in found for gap in one.gaps}.values()),
    )
