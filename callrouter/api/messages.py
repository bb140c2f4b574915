"""/api/messages: voice messages, and where each stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.recorded import MessageOut, MessagesOut
from callrouter.permissions import Permission
from callrouter.store.database import Database
from callrouter.store.messages import list_messages


def router(database: Database, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["messages"])

    @routes.get("/messages", responses=documented(403, 404), **gate.needs(Permission.MESSAGE_READ))
    async def messages(
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> MessagesOut:
        """Messages, the newest first, by when their recording began: `from` included, `to` not."""
        client = visitor.asked_client(Permission.MESSAGE_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_messages(
            database,
            client=client,
            scope=visitor.principal.scope,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        if not page.messages:
            await refuse_strangers(database, client, visitor)
        found = [MessageOut.model_validate(message) for message in page.messages]
        return MessagesOut(messages=found, next_cursor=page.next_cursor)

    return routes
