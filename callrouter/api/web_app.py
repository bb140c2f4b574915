"""The API: reads the record in PostgreSQL, and asks the engine for what is going on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from callrouter import __version__
from callrouter.api import callbacks, calls, live, messages, stats
from callrouter.api.auth import require_token
from callrouter.api.engine_client import EngineClient
from callrouter.api.problems import documented, install_problem_handlers
from callrouter.api.readiness import Check, health_router
from callrouter.core.plan import Plan
from callrouter.errors import StoreError
from callrouter.store.database import Database

_ABOUT = """
What happened to every call, and what is going on now. Send the token of `CALLROUTER_API_TOKEN` as
`Authorization: Bearer …`. Instants are UTC, durations seconds. Errors are problem details (RFC 9457).
"""


class PlanBook(Protocol):
    """The clients' plans (`dialplan.Catalogue`, or something that reads it again when files change)."""

    @property
    def plans(self) -> Mapping[str, Plan]:
        """Those in service, by client."""
        ...

    def plan(self, client: str, version: str) -> Plan | None:
        """The plan a call started with, when it is still known."""
        ...


def create_web_app(
    database: Database,
    plans: PlanBook,
    engine: EngineClient,
    *,
    token: str,
    checks: Mapping[str, Check] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The application for uvicorn.

    Args:
        database: open, its schema checked.
        plans: for the explanation of calls, and for what each client was promised.
        engine: asked for the calls in progress.
        token: who has it may read everything.
        checks: more of them for /ready, by name.
        now: the clock the calls are stamped by.
    """
    # The page's scripts come with the package: a machine that answers telephones may have no way to the Internet.
    app = FastAPIOffline(
        title="callrouter",
        version=__version__,
        description=_ABOUT,
        docs_url="/api/docs",
        openapi_url="/api/openapi.json",
        redoc_url=None,
        static_url="/api/static",
    )
    install_problem_handlers(app)
    app.include_router(health_router({"database": _database_check(database), **(checks or {})}, __version__))
    for router in (
        calls.router(database, plans.plan),
        messages.router(database),
        callbacks.router(database),
        stats.router(database, lambda: {client: plan.service_level for client, plan in plans.plans.items()}, now),
        live.router(engine),
    ):
        app.include_router(
            router, prefix="/api", dependencies=[Depends(require_token(token))], responses=documented(401, 422, 503)
        )
    return app


def _database_check(database: Database) -> Check:
    async def check() -> str | None:
        try:
            await database.check_schema()
        except StoreError as error:
            return str(error)
        return None

    return check
