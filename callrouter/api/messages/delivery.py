"""Who was told of a message, and what came of it; what somebody must look at; taken on, and sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, HTTPException

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import Client, Cursor, Limit, refuse_strangers
from callrouter.api.messages.delivery_schemas import AttentionOut, DeliveryTrailOut, MessageRedelivered, WaitingOut
from callrouter.api.messages.desk import Desk
from callrouter.api.messages.listed import MessageId, readable
from callrouter.api.problems import documented
from callrouter.permissions import Permission
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.again import AgainResult, put_again
from callrouter.store.dispatch.board import list_board
from callrouter.store.dispatch.reading import Trail, find_trail
from callrouter.store.messages import messages_of
from callrouter.store.tables import AuditOutcome

REDELIVERED = "redelivered"
"""What the audit trail calls it, beside the message."""


def add_board(routes: APIRouter, database: Database, gate: Gate, now: Callable[[], datetime]) -> None:
    """Add the route. `now` is the clock calls are stamped by."""

    @routes.get("/messages/attention", responses=documented(403, 404), **gate.needs(Permission.MESSAGE_READ))
    async def attention(
        visitor: CurrentVisitor, client: Client = None, limit: Limit = 100, cursor: Cursor = None
    ) -> AttentionOut:
        """Messages that somebody must look at, the newest first: those on the agents' list, those on their way that
        reached nobody, and those for which something was due more than a minute ago and was not done."""
        client = visitor.asked_client(Permission.MESSAGE_READ, client)
        board = await list_board(
            database, now=now(), client=client, scope=visitor.principal.scope, limit=limit, cursor=cursor
        )
        if not board.entries:
            await refuse_strangers(database, client, visitor)
        found = await messages_of(database, [one.dispatch.message_id for one in board.entries])
        waiting = [
            WaitingOut.of_entry(found[one.dispatch.message_id], one)
            for one in board.entries
            if one.dispatch.message_id in found  # or it was deleted just now
        ]
        return AttentionOut(messages=waiting, next_cursor=board.next_cursor)


def add(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    """Add the routes of one message."""
    database = desk.database

    @routes.get(
        "/messages/{message_id}/delivery", responses=documented(403, 404), **gate.needs(Permission.MESSAGE_READ)
    )
    async def delivery(message_id: MessageId, visitor: CurrentVisitor) -> DeliveryTrailOut:
        """Who was told of a message, by what, when, and what came of it: all of it, in one answer."""
        await readable(database, message_id, Permission.MESSAGE_READ, visitor)
        return DeliveryTrailOut.of(await _trail(database, message_id))

    @routes.post(
        "/messages/{message_id}/acknowledge",
        responses=documented(403, 404, 409, 413),
        **gate.needs(Permission.MESSAGE_ACKNOWLEDGE),
    )
    async def acknowledged(message_id: MessageId, visitor: CurrentVisitor) -> DeliveryTrailOut:
        """Take a message on: nobody else is told of it. 409 for one that somebody took on before."""
        permission, who = Permission.MESSAGE_ACKNOWLEDGE, visitor.principal.name
        message, _ = await readable(database, message_id, permission, visitor)
        if not await acknowledge(database, message_id, by=who, how="api", at=desk.now()):
            await _trail(database, message_id)
            raise HTTPException(HTTPStatus.CONFLICT, f"message {message_id} is acknowledged already")
        visitor.note(permission, AuditOutcome.DONE, object_=message_id, client=message.client)
        return DeliveryTrailOut.of(await _trail(database, message_id))

    @routes.post(
        "/messages/{message_id}/redeliver",
        responses=documented(403, 404, 409, 413),
        **gate.needs(Permission.MESSAGE_CHANGE),
    )
    async def redeliver(message_id: MessageId, said: MessageRedelivered, visitor: CurrentVisitor) -> DeliveryTrailOut:
        """Send again what failed: one telling, or whatever of the message has. One on the agents' list of which nothing
        has failed begins anew by the client's rule. 409 where nothing has failed, or somebody took it on."""
        permission = Permission.MESSAGE_CHANGE
        message, _ = await readable(database, message_id, permission, visitor)
        trail = await _trail(database, message_id)
        if said.delivery_id is not None and said.delivery_id not in {one.delivery_id for one in trail.deliveries}:
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"body.delivery_id: message {message_id} has no such delivery"
            )
        wanted = said.delivery_id or message_id
        again = await put_again(database, wanted, by=visitor.principal.name, at=desk.now())
        if again.result is AgainResult.ACKNOWLEDGED:
            raise HTTPException(HTTPStatus.CONFLICT, f"message {message_id} is acknowledged: nobody is told any more")
        if again.result is AgainResult.NOTHING:
            raise HTTPException(HTTPStatus.CONFLICT, f"message {message_id}: nothing of it has failed")
        visitor.note(permission, AuditOutcome.DONE, object_=f"{message_id} {REDELIVERED}", client=message.client)
        return DeliveryTrailOut.of(await _trail(database, message_id))


async def _trail(database: Database, message_id: str) -> Trail:
    """Raises HTTPException: nobody is owed the message (404)."""
    trail = await find_trail(database, message_id)
    if trail is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"message {message_id} was taken before messages were delivered: nobody was told"
        )
    return trail
