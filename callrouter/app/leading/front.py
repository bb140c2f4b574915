"""The HTTP side of an engine that waits for its place: alive, not ready, and nothing else to ask.

Every other page answers 503, so that whoever knows the addresses of both engines asks the other one
(`api.engine_client`). Imported when an engine waits: what it stands on is most of what an engine imports.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api.auth import Gate
from callrouter.api.engine_app import metrics_router
from callrouter.api.problems import install_problem_handlers, problem
from callrouter.api.readiness import Check, health_router
from callrouter.app.http import HttpServer
from callrouter.metrics import Sources
from callrouter.metrics.sources import SourceCollector
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.access.tokens import TokenBook
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database

STOP_SECONDS: Final = 0.3
"""What the requests in hand get at its end: calls wait for the engine that follows."""


async def serve_standby(
    settings: Settings, token: str, database: Database, listening: socket.socket, waits: str
) -> None:
    """Answer until cancelled, on a copy of the socket: whoever asks then is answered by the engine that follows.

    `waits` is the sentence that says what it waits for.
    """
    tasks, trail, registry = Tasks(), AuditTrail(database), CollectorRegistry()
    registry.register(SourceCollector(Sources(leader=lambda: False)))

    async def check() -> str:
        return waits

    app = create_standby_app(registry, {"standby": check}, gate=Gate(token, TokenBook(database), trail))
    server = HttpServer(app, listening.dup(), settings.trusted_proxies)
    tasks.keep(trail.run, "audit trail of the standby")
    serving = tasks.start(server.run_until_stopped(), "http of the standby")
    try:
        await asyncio.wait([serving])
    finally:
        server.stop()  # a server that is cancelled says so with a traceback
        await asyncio.wait([serving], timeout=STOP_SECONDS)
        await tasks.stop()


def create_standby_app(registry: CollectorRegistry, checks: Mapping[str, Check], *, gate: Gate) -> FastAPI:
    """The application for uvicorn; `checks` say for /ready what it waits for."""
    app = FastAPI(title="callrouter engine (standby)", version=__version__, docs_url=None, redoc_url=None)
    install_problem_handlers(app)
    app.include_router(health_router(checks, __version__, gate))
    app.include_router(metrics_router(registry))

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)
    async def elsewhere(path: str) -> Response:
        """What only the engine that leads knows, or does."""
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "this engine is a standby: ask the one that leads")

    return app
