"""GET /api/messages: all of them, in pages, and one with its whole trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.filters import TEXT, AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.messages.schemas import MESSAGE_ID, MessageDetailOut, MessageOut, MessagesOut
from callrouter.api.problems import documented
from callrouter.api.worklist import is_hidden
from callrouter.permissions import Permission
from callrouter.store.database import Database
from callrouter.store.messages import find_message, list_messages
from callrouter.store.tables import MessageState
from callrouter.store.taken.sameness import Kept

MessageId = Annotated[str, Path(max_length=200, pattern=TEXT, description="A message", examples=[MESSAGE_ID])]
State = Annotated[MessageState | None, Query(description="Only those in this state")]
Urgent = Annotated[bool | None, Query(description="Only those that are urgent (true), or not (false)")]


def add(routes: APIRouter, database: Database, gate: Gate, now: Callable[[], datetime]) -> None:
    """Add the routes. `now` is the clock calls are stamped by."""

    @routes.get("/messages", responses=documented(403, 404), **gate.needs(Permission.MESSAGE_READ))
    async def messages(  # noqa: PLR0913, RUF100  # each is a query parameter
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        state: State = None,
        urgent: Urgent = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> MessagesOut:
        """Messages by voice and by form, the newest first, by when taking them began: `from` included, `to` not."""
        client = visitor.asked_client(Permission.MESSAGE_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_messages(
            database,
            client=client,
            scope=visitor.principal.scope,
            state=state,
            urgent=urgent,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        if not page.messages:
            await refuse_strangers(database, client, visitor)
        return MessagesOut(messages=[MessageOut.of(one) for one in page.messages], next_cursor=page.next_cursor)

    @routes.get("/messages/{message_id}", responses=documented(403, 404), **gate.needs(Permission.MESSAGE_READ))
    async def message(message_id: MessageId, visitor: CurrentVisitor) -> MessageDetailOut:
        """One message with its whole trail: who took it, and each change with what it replaced."""
        return MessageDetailOut.of_kept(await readable(database, message_id, Permission.MESSAGE_READ, visitor))


async def readable(database: Database, message_id: str, permission: Permission, visitor: Visitor) -> Kept:
    """A message that they may see.

    Raises:
        HTTPException: there is none, or none for them (404).
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    kept = await find_message(database, message_id)
    if kept is None or await is_hidden(
        database, visitor, permission, message_id, kept[0].call_id or "", kept[0].client
    ):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no message {message_id}")
    return kept
