"""/api/stats: each client's service figures, with the formula, threshold and limit they were made with; and how long it
took until their messages were passed on and taken on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from callrouter.api.answers.unchanged import answer
from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import AskedPeriod, Client, Cursor, backwards, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.stats import MessageStatsOut, StatsOut
from callrouter.periods import Period
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.store.apart import Workshop
from callrouter.store.database import Database
from callrouter.store.dispatch.delays import read_delays
from callrouter.store.figures.model import Stats
from callrouter.store.stats import read_stats

_DAY: Final = timedelta(days=1)


def router(database: Database, workshop: Workshop, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The routes. `workshop` makes the figures, `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["stats"])

    @routes.get("/stats", response_model=StatsOut, responses=documented(403, 404), **gate.needs(Permission.STATS_READ))
    async def stats(
        request: Request,
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        limit: Annotated[int | None, Query(ge=1, le=500, description="Clients a page; all without it")] = None,
        cursor: Cursor = None,
    ) -> Response:
        """Figures of every client that had calls, or of one: the last 24 hours unless a period is given.

        Days and times are those of each client's own time zone, unless they name one. With only `from` or only `to`
        the period is a day by the client's calendar, which has 23 or 25 hours when clocks change.

        A call belongs to the period in which it rang: `from` included, `to` not. It is judged by what was promised by
        the version of the plan that it walked: what is promised later changes no figure, and where the promise
        changed in the period, `promises` has the figures under each. Gaps are times in which calls may be missing;
        they are declared, never shown as zero.

        An `ETag` goes with the answer: sent back as `If-None-Match`, it says with 304 that nothing has changed. Figures
        are made beside the pages, a few at a time: 503 with `Retry-After` says that too many wait already.
        """
        client, scope = visitor.asked_client(Permission.STATS_READ, client), visitor.principal.scope
        try:
            written, calls = await workshop.run(written_stats, period, now(), client, scope, limit, cursor)
        except ValueError:
            raise backwards() from None
        if client is not None and not calls:
            await refuse_strangers(database, client, visitor)
        return answer(request, written)

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


async def written_stats(
    database: Database,
    period: Period,
    now: datetime,
    client: str | None,
    scope: Scope,
    limit: int | None = None,
    cursor: str | None = None,
) -> tuple[bytes, int]:
    """The answer of `/stats` as JSON, and of how many calls: for a process of its own (`store.apart`).

    `limit` is how many clients are told at most, `cursor` the one of the page before that was told last.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, in every client's zone.
    """
    if client is None and scope.kind is ScopeKind.CLIENTS:
        found = await _of_each(database, period, now, scope)
    else:
        found = await read_stats(database, period, now=now, client=client)
    calls = sum(one.figures.received for one in found.clients)
    return StatsOut.of(found, limit, cursor).model_dump_json(by_alias=True).encode(), calls


async def _of_each(database: Database, period: Period, now: datetime, scope: Scope) -> Stats:
    """The figures of some clients, of those that had calls: each asked by itself, so that nothing of others is read."""
    found = [await read_stats(database, period, now=now, client=name) for name in sorted(scope.names)]
    return Stats(
        from_at=min(one.from_at for one in found),
        to_at=max(one.to_at for one in found),
        clients=[client for one in found for client in one.clients if client.figures.received],
        gaps=list({(gap.from_at, gap.reason, gap.pbx): gap for one in found for gap in one.gaps}.values()),
    )
