"""/api/audit: who listened, played or changed what, and who was refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import TEXT, AskedPeriod, Client, Cursor, Limit, instants_of
from callrouter.api.problems import documented
from callrouter.api.schemas.audit import AuditOut, DeedOut
from callrouter.permissions import Permission
from callrouter.store.access.audit import list_audit
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome

Who = Annotated[
    str | None,
    Query(max_length=200, pattern=TEXT, description="Only what this principal did", examples=["token:wallboard"]),
]
Action = Annotated[
    str | None, Query(max_length=200, pattern=TEXT, description="Only this action", examples=["recording.play"])
]
Outcome = Annotated[AuditOutcome | None, Query(description="Only what ended so", examples=["refused"])]


def router(database: Database, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The route. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["audit"])

    @routes.get("/audit", responses=documented(403), **gate.needs(Permission.AUDIT_READ))
    async def audit(  # noqa: PLR0913, RUF100  # each is a query parameter
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        principal: Who = None,
        action: Action = None,
        outcome: Outcome = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> AuditOut:
        """Deeds, the newest first: `from` included, `to` not. The same deed several times in a minute is one of them.

        What concerns no one client (`client` null) is shown to those who may see everything.
        """
        client = visitor.asked_client(Permission.AUDIT_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        page = await list_audit(
            database,
            client=client,
            principal=principal,
            action=action,
            outcome=outcome,
            scope=visitor.principal.scope,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        return AuditOut(deeds=[DeedOut.of(row) for row in page.rows], next_cursor=page.next_cursor)

    return routes
