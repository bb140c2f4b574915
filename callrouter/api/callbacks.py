"""/api/callbacks: callers who want to be called back, and where each stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas import CallbackOut, CallbacksOut
from callrouter.permissions import Permission
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database

State = Annotated[Literal["open", "done", "given_up"] | None, Query(description="Only those in this state")]


def router(database: Database, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["callbacks"])

    @routes.get("/callbacks", responses=documented(403, 404), **gate.needs(Permission.CALLBACK_READ))
    async def callbacks(
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        state: State = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> CallbacksOut:
        """Callbacks, the newest first, by when they were asked for: `from` included, `to` not. Nobody is dialled
        automatically: whoever reads this calls."""
        client = visitor.asked_client(Permission.CALLBACK_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_callbacks(
            database,
            client=client,
            state=state,
            scope=visitor.principal.scope,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        if not page.callbacks:
            await refuse_strangers(database, client, visitor)
        found = [CallbackOut.model_validate(callback) for callback in page.callbacks]
        return CallbacksOut(callbacks=found, next_cursor=page.next_cursor)

    return routes
