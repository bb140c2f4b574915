"""/api/callbacks: callers who want to be called back, and where each stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.called_back import CallbackOut, CallbackSettled, CallbacksOut
from callrouter.api.worklist import CallId, is_hidden
from callrouter.permissions import Permission
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database
from callrouter.store.outgoing.by_hand import callback_client, settle_by_hand
from callrouter.store.tables import AuditOutcome

State = Annotated[Literal["open", "done", "given_up"] | None, Query(description="Only those in this state")]

Position = Annotated[int, Path(ge=1, le=32_767, description="Which wish of the call, from 1", examples=[1])]


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
        """Callbacks, the newest first, by when they were asked for: `from` included, `to` not. Each with the calls that
        were placed for it; where the client's tree does not have them placed, whoever reads this calls."""
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

    @routes.post(
        "/callbacks/{call_id}/{position}/settle",
        status_code=HTTPStatus.NO_CONTENT,
        responses=documented(403, 404, 409, 413),
        **gate.needs(Permission.CALLBACK_SETTLE),
    )
    async def settle(call_id: CallId, position: Position, said: CallbackSettled, visitor: CurrentVisitor) -> None:
        """A person has called, or nobody need call any more: what waits for it at the PBX is taken back. 409 for one
        that is settled."""
        wish, object_ = (call_id, position), f"{call_id}/{position}"
        client = await callback_client(database, wish)
        if client is None or await is_hidden(database, visitor, Permission.CALLBACK_SETTLE, object_, call_id, client):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no callback {object_}")
        if not await settle_by_hand(database, wish, reached=said.reached, at=now()):
            raise HTTPException(HTTPStatus.CONFLICT, f"callback {object_} is settled")
        visitor.note(Permission.CALLBACK_SETTLE, AuditOutcome.DONE, object_=object_, client=client)

    return routes
