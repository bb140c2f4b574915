"""The HTTP side of an engine that waits for its place: alive, not ready, and nothing else to ask.

Every other page answers 503, so that whoever knows the addresses of both engines asks the other one (`engine_client`).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api.auth import Gate
from callrouter.api.engine_app import metrics_router
from callrouter.api.problems import install_problem_handlers, problem
from callrouter.api.readiness import Check, health_router


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
