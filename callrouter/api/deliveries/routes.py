"""/api/deliveries: what web services are told of calls, and were not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.deliveries.schemas import DELIVERY_ID, ToldOut, ToldPageOut
from callrouter.api.filters import TEXT, Client, Cursor, Limit, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.worklist import is_hidden
from callrouter.permissions import Permission
from callrouter.store.database import Database
from callrouter.store.dispatch.asked_for import Standing, client_of, list_asked_for, send_again
from callrouter.store.tables import AuditOutcome

Which = Annotated[Standing, Query(alias="state", description="Those that were given up, or those still to be sent")]
DeliveryId = Annotated[
    str, Path(max_length=200, pattern=TEXT, description="As the list has it", examples=[DELIVERY_ID])
]


def router(database: Database, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The routes. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["deliveries"])

    @routes.get("/deliveries", responses=documented(403, 404), **gate.needs(Permission.DELIVERY_READ))
    async def deliveries(
        visitor: CurrentVisitor,
        client: Client = None,
        standing: Which = Standing.FAILED,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ToldPageOut:
        """What web services should have been told of calls and were not, the last ones first: given up, or on its way.
        What is told of messages stands with them."""
        client = visitor.asked_client(Permission.DELIVERY_READ, client)
        found = await list_asked_for(
            database, standing=standing, client=client, scope=visitor.principal.scope, limit=limit, cursor=cursor
        )
        if not found.found:
            await refuse_strangers(database, client, visitor)
        return ToldPageOut(deliveries=[ToldOut.of(one) for one in found.found], next_cursor=found.next_cursor)

    @routes.post(
        "/deliveries/{delivery_id}/again",
        status_code=HTTPStatus.NO_CONTENT,
        responses=documented(403, 404, 409, 413),
        **gate.needs(Permission.DELIVERY_REPEAT),
    )
    async def again(delivery_id: DeliveryId, visitor: CurrentVisitor) -> None:
        """Send one again that was given up, with the id it had. 409 for one that was not."""
        permission = Permission.DELIVERY_REPEAT
        whose = await client_of(database, delivery_id)
        if whose is None or await is_hidden(database, visitor, permission, delivery_id, whose[1] or "", whose[0]):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no delivery {delivery_id}")
        if not await send_again(database, [delivery_id], at=now()):
            raise HTTPException(HTTPStatus.CONFLICT, f"delivery {delivery_id} was not given up")
        visitor.note(permission, AuditOutcome.DONE, object_=delivery_id, client=whose[0])

    return routes
