"""/api/messages: voice messages, and where each stands."""

from __future__ import annotations

from fastapi import APIRouter

from callrouter.api.filters import Client, Cursor, From, Limit, To, refuse_backwards
from callrouter.api.schemas import MessageOut, MessagesOut
from callrouter.store.database import Database
from callrouter.store.messages import list_messages


def router(database: Database) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["messages"])

    @routes.get("/messages")
    async def messages(
        client: Client = None, from_at: From = None, to_at: To = None, limit: Limit = 100, cursor: Cursor = None
    ) -> MessagesOut:
        """Messages, the newest first, by when their recording began: `from` included, `to` not."""
        refuse_backwards(from_at, to_at)
        page = await list_messages(database, client=client, from_at=from_at, to_at=to_at, limit=limit, cursor=cursor)
        found = [MessageOut.model_validate(message) for message in page.messages]
        return MessagesOut(messages=found, next_cursor=page.next_cursor)

    return routes
