"""/api/messages: voice messages, and where each stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from callrouter.api.filters import AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas import MessageOut, MessagesOut
from callrouter.store.database import Database
from callrouter.store.messages import list_messages


def router(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["messages"])

    @routes.get("/messages", responses=documented(404))
    async def messages(
        period: AskedPeriod, client: Client = None, limit: Limit = 100, cursor: Cursor = None
    ) -> MessagesOut:
        """Messages, the newest first, by when their recording began: `from` included, `to` not."""
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_messages(database, client=client, from_at=from_at, to_at=to_at, limit=limit, cursor=cursor)
        if not page.messages:
            await refuse_strangers(database, client)
        found = [MessageOut.model_validate(message) for message in page.messages]
        return MessagesOut(messages=found, next_cursor=page.next_cursor)

    return routes
