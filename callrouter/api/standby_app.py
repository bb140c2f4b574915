"""The HTTP side of an engine that waits for its place: alive, not ready, and nothing to ask."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api.auth import Gate
from callrouter.api.engine_app import metrics_router
from callrouter.api.problems import install_problem_handlers
from callrouter.api.readiness import Check, health_router


def create_standby_app(registry: CollectorRegistry, checks: Mapping[str, Check], *, gate: Gate) -> FastAPI:
    """The application for uvicorn; `checks` say for /ready what it waits for."""
    app = FastAPI(title="callrouter engine (standby)", version=__version__, docs_url=None, redoc_url=None)
    install_problem_handlers(app)
    app.include_router(health_router(checks, __version__, gate))
    app.include_router(metrics_router(registry))
    return app
