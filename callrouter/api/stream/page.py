"""/api/stream: what happens to calls and agents, for whoever may see it."""

from __future__ import annotations

import random
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import JSONResponse

from callrouter.api.auth import Credentials, CurrentVisitor, Gate, Visitor
from callrouter.api.filters import TEXT, Client
from callrouter.api.problems import documented
from callrouter.api.stream.engine_page import AS_EVENTS, LastEventId
from callrouter.api.stream.response import EventStream
from callrouter.permissions import OPERATOR, Permission, ScopeKind
from callrouter.store.tables import AuditOutcome
from callrouter.stream.events import schema
from callrouter.stream.frames import retry
from callrouter.stream.hub import Hub, TooManyReaders
from callrouter.stream.ring import EventId
from callrouter.stream.views import View

HEARTBEAT_SECONDS: Final = 10.0
RETRY_MILLISECONDS: Final = (1_000, 3_000)
"""When a browser comes back: after a restart not all in the same instant."""

_SCHEMA: Final = schema()


class Schema(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


_Agent = Annotated[
    str | None,
    Query(
        pattern=TEXT,
        max_length=80,
        description="What rings at this agent's telephone, whom they talk to, and how they stand",
        examples=["agent-1"],
    ),
]
_Team = Annotated[
    str | None,
    Query(
        pattern=TEXT,
        max_length=80,
        description="Calls that are or were in this team's queue, and its agents",
        examples=["medical"],
    ),
]


def router(hub: Hub, gate: Gate) -> APIRouter:
    """The routes, fed by that hub."""
    routes = APIRouter(tags=["stream"])

    @routes.get(
        "/stream",
        response_class=EventStream,
        responses={**AS_EVENTS, **documented(403)},
        **gate.needs(Permission.STREAM_READ),
    )
    async def stream(
        visitor: CurrentVisitor,
        credentials: Credentials,
        agent: _Agent = None,
        team: _Team = None,
        client: Client = None,
        last_event_id: LastEventId = None,
    ) -> EventStream:
        """Everything within the scope, or a part of it, as it happens: a snapshot, and then events (`/stream/schema`).
        With `Last-Event-ID` what came after that event, if it is still known, in place of the snapshot."""
        client = visitor.asked_client(Permission.STREAM_READ, client)
        _check_team(visitor, team)
        principal = visitor.principal
        view = View(scope=principal.scope, agent=agent, team=team, client=client)
        try:
            reader = hub.attach(principal.name, view, EventId.read(last_event_id), unlimited=principal is OPERATOR)
        except TooManyReaders as error:
            visitor.note(Permission.STREAM_READ, AuditOutcome.REFUSED)
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers={"Retry-After": "30"}) from error
        return EventStream(
            reader.outlet,
            on_end=lambda: hub.detach(reader),
            heartbeat_seconds=HEARTBEAT_SECONDS,
            first=retry(random.randint(*RETRY_MILLISECONDS)),  # noqa: S311 - spreads returns
            go_on=lambda: gate.still_lets_in(visitor, credentials, Permission.STREAM_READ),
        )

    @routes.get(
        "/stream/schema", response_class=Schema, responses=documented(403), **gate.needs(Permission.STREAM_READ)
    )
    async def kinds() -> Schema:
        """JSON Schema (2020-12) of every kind of event."""
        return Schema(_SCHEMA)

    return routes


def _check_team(visitor: Visitor, team: str | None) -> None:
    """Raises HTTPException: it is none of theirs (403), whether it exists or not."""
    scope = visitor.principal.scope
    if team is not None and scope.kind is ScopeKind.TEAMS and team not in scope.names:
        visitor.note(Permission.STREAM_READ, AuditOutcome.REFUSED, object_=team)
        raise HTTPException(
            HTTPStatus.FORBIDDEN, f"{visitor.principal.name} does not hold {Permission.STREAM_READ} on team {team}"
        )
