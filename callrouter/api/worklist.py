"""/api/worklist: callers who gave up, who of them was reached since, and what came of calling the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.filters import TEXT, AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.called_back import AbandonedCallerOut, FollowUpAsked, WorklistOut
from callrouter.permissions import Permission, ScopeKind
from callrouter.store.calls import queues_of
from callrouter.store.database import Database
from callrouter.store.outgoing.by_hand import caller_of, note_follow_up
from callrouter.store.outgoing.worklist import list_abandoned
from callrouter.store.tables import AuditOutcome

CallId = Annotated[str, Path(max_length=200, pattern=TEXT, description="A call", examples=["1795427775-42-518203"])]
Settled = Annotated[bool | None, Query(description="Only those who are settled (true), or still to be called (false)")]


def router(database: Database, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The routes. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["callbacks"])

    @routes.get("/worklist", responses=documented(403, 404), **gate.needs(Permission.CALLBACK_READ))
    async def worklist(  # noqa: PLR0913, RUF100  # each is a query parameter
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        settled: Settled = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> WorklistOut:
        """Abandoned callers, the newest first, by when they rang: `from` included, `to` not. Who rang again within
        seven days and was answered is settled by that."""
        client = visitor.asked_client(Permission.CALLBACK_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_abandoned(
            database,
            client=client,
            settled=settled,
            scope=visitor.principal.scope,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        if not page.callers:
            await refuse_strangers(database, client, visitor)
        found = [AbandonedCallerOut.model_validate(caller) for caller in page.callers]
        return WorklistOut(callers=found, next_cursor=page.next_cursor)

    @routes.post(
        "/worklist/{call_id}/called",
        status_code=HTTPStatus.NO_CONTENT,
        responses=documented(403, 404, 409, 413),
        **gate.needs(Permission.CALLBACK_SETTLE),
    )
    async def follow_up(call_id: CallId, said: FollowUpAsked, visitor: CurrentVisitor) -> None:
        """Somebody called whoever gave up in this call, or nobody need call. 409 for a call in which nobody gave up."""
        permission = Permission.CALLBACK_SETTLE
        found = await caller_of(database, call_id)
        if found is None or await is_hidden(database, visitor, permission, call_id, call_id, found[0]):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no call {call_id}")
        client, gave_up = found
        if not gave_up:
            raise HTTPException(HTTPStatus.CONFLICT, f"nobody gave up in call {call_id}")
        await note_follow_up(database, call_id, client, visitor.principal.name, said.result, now())
        visitor.note(permission, AuditOutcome.DONE, object_=call_id, client=client)

    return routes


async def is_hidden(
    database: Database, visitor: Visitor, permission: Permission, object_: str, call_id: str, client: str
) -> bool:
    """Whether something of a call must look to them as if it did not exist."""
    needs_teams = visitor.principal.scope.kind is ScopeKind.TEAMS
    teams = await queues_of(database, call_id) if needs_teams else set[str]()
    return visitor.hides(permission, object_, client, teams)
