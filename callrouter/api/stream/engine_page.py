"""The engine's own /stream: for web, which gives it to everybody else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.problems import documented
from callrouter.api.stream.response import EventStream
from callrouter.permissions import Permission, ScopeKind
from callrouter.store.tables import AuditOutcome
from callrouter.stream.feed import Feed, TooManyListeners
from callrouter.stream.frames import MEDIA_TYPE
from callrouter.stream.ring import EventId

HEARTBEAT_SECONDS: Final = 2.0

LastEventId = Annotated[
    str | None, Header(description="The last id that was seen; one that says nothing here leads to a snapshot")
]
AS_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Server-Sent Events, without end", "content": {MEDIA_TYPE: {}}}
}


def router(feed: Feed, gate: Gate) -> APIRouter:
    """The route, which tells what that feed does."""
    routes = APIRouter(tags=["stream"])

    @routes.get(
        "/stream",
        response_class=EventStream,
        responses={**AS_EVENTS, **documented(401, 403, 422, 429)},
        **gate.needs(Permission.STREAM_READ),
    )
    async def stream(visitor: CurrentVisitor, last_event_id: LastEventId = None) -> EventStream:
        """Everything, for callrouter's own web process: what it missed, a snapshot, and then whatever happens."""
        if visitor.principal.scope.kind is not ScopeKind.ALL:
            visitor.note(Permission.STREAM_READ, AuditOutcome.REFUSED)
            raise HTTPException(HTTPStatus.FORBIDDEN, "the engine's stream is everybody's: ask web for /api/stream")
        try:
            outlet = await feed.listen(EventId.read(last_event_id))
        except TooManyListeners as error:
            visitor.note(Permission.STREAM_READ, AuditOutcome.REFUSED)
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers={"Retry-After": "5"}) from error
        return EventStream(outlet, on_end=lambda: feed.leave(outlet), heartbeat_seconds=HEARTBEAT_SECONDS)

    return routes
