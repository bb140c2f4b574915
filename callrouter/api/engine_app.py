"""The engine's own HTTP side. It shares the loop that serves calls, so it does little, and nothing that waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from fastapi import APIRouter, Depends, FastAPI, Response
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api.agents.routes import Agents
from callrouter.api.agents.routes import router as agents_router
from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.control.routes import Controlled
from callrouter.api.control.routes import router as control_router
from callrouter.api.filters import refuse_unknown
from callrouter.api.pbx.draining import Drains, draining_router
from callrouter.api.pbx.teams import handover_router
from callrouter.api.problems import documented, install_problem_handlers
from callrouter.api.readiness import Check, health_router
from callrouter.api.schemas.live import LiveCallOut, LiveOut
from callrouter.api.status import StatusOut, status_router
from callrouter.api.stream import engine_page
from callrouter.api.supervision.routes import Overseen
from callrouter.api.supervision.routes import router as supervision_router
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.call import Call
from callrouter.metrics import CONTENT_TYPE, exposition
from callrouter.permissions import Permission
from callrouter.stream.feed import Feed


class Live(Protocol):
    """One call in progress (`runtime.calls.LiveCall`)."""

    @property
    def call(self) -> Call: ...


@dataclass(frozen=True, kw_only=True)
class Operations:
    """What an operator asks of the engine beyond its calls."""

    status: Callable[[], Awaitable[StatusOut]]
    reload: Callable[[], Awaitable[None]]


def create_engine_app(
    live_calls: Iterable[Live],
    registry: CollectorRegistry,
    checks: Mapping[str, Check],
    *,
    gate: Gate,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    operations: Operations | None = None,
    feed: Feed | None = None,
    handover: Handover | None = None,
    maintenance: Drains | None = None,
    notes: Mapping[str, Check] | None = None,
    agents: Agents | None = None,
    overseen: Overseen | None = None,
    controlled: Controlled | None = None,
) -> FastAPI:
    """The application for uvicorn.

    Args:
        live_calls: iterated at each request (`runtime.calls.LiveCalls`).
        registry: what /metrics shows.
        checks: what must be well for /ready, by name (AMI, schema, dialplans).
        gate: for /live, /status and the reasons of /ready; /metrics names clients and queues, and nobody else.
        now: the clock the calls are stamped by.
        operations: /status and /reload; without them there are none.
        feed: /stream; without it there is none.
        handover: /pbx/teams, likewise.
        maintenance: /pbx/drain, likewise.
        notes: what /health and /ready mention though work goes on, by name.
        agents: /agents, and what may be done for them; without them there are none.
        overseen: what may be done in /calls/<id>; likewise.
        controlled: what may be done in agents' conversations, likewise.
    """
    app = FastAPI(title="callrouter engine", version=__version__, docs_url=None, redoc_url=None)
    install_problem_handlers(app, gate.screen)
    app.include_router(health_router(checks, __version__, gate, notes=notes))
    if operations is not None:
        app.include_router(status_router(operations.status, operations.reload, gate))
    if handover is not None:
        app.include_router(handover_router(handover, gate))
    if maintenance is not None:
        app.include_router(draining_router(maintenance, gate))

    guards = [*gate.guards, Depends(refuse_unknown)]
    app.include_router(metrics_router(registry))
    app.include_router(_live_router(live_calls, now, gate), dependencies=guards)
    rooms = [
        None if agents is None else agents_router(agents, gate),
        None if overseen is None else supervision_router(overseen, gate),
        None if controlled is None else control_router(controlled, gate),
    ]
    for room in rooms:
        if room is not None:
            app.include_router(room, dependencies=guards, responses=documented(401, 422, 429))
    if feed is not None:
        app.include_router(engine_page.router(feed, gate), dependencies=guards)
    return app


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """/metrics."""
    routes = APIRouter(tags=["metrics"])

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(await exposition(registry), headers={"Content-Type": CONTENT_TYPE})

    return routes


def _live_router(live_calls: Iterable[Live], now: Callable[[], datetime], gate: Gate) -> APIRouter:
    routes = APIRouter(tags=["live"])

    @routes.get("/live", responses=documented(401, 403, 422, 429), **gate.needs(Permission.LIVE_READ))
    async def live(visitor: CurrentVisitor) -> LiveOut:
        """The calls in progress, the longest first."""
        at = now()
        calls = sorted((one.call for one in live_calls), key=lambda call: call.clocks.ringing_at)
        return LiveOut(at=at, calls=[LiveCallOut.of(call, at) for call in calls]).within(visitor.principal.scope)

    return routes
