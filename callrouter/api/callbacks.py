"""/api/callbacks: callers who want to be called back, and where each stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from callrouter.api.filters import AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas import CallbackOut, CallbacksOut
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database

State = Annotated[Literal["open", "done", "given_up"] | None, Query(description="Only those in this state")]


def router(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["callbacks"])

    @routes.get("/callbacks", responses=documented(404))
    async def callbacks(
        period: AskedPeriod,
        client: Client = None,
        state: State = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> CallbacksOut:
        """Callbacks, the newest first, by when they were asked for: `from` included, `to` not. Nobody is dialled
        automatically: whoever reads this calls."""
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_callbacks(
            database, client=client, state=state, from_at=from_at, to_at=to_at, limit=limit, cursor=cursor
        )
        if not page.callbacks:
            await refuse_strangers(database, client)
        found = [CallbackOut.model_validate(callback) for callback in page.callbacks]
        return CallbacksOut(callbacks=found, next_cursor=page.next_cursor)

    return routes
