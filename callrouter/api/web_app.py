"""The API: reads the record in PostgreSQL, and asks the engine for what is going on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from callrouter import __version__
from callrouter.api import audit, callbacks, calls, live, receipts, recordings, replies, stats, worklist
from callrouter.api.agents import routes as agent_routes
from callrouter.api.agents.there import AgentsThere
from callrouter.api.auth import Gate
from callrouter.api.consumption import routes as consumption
from callrouter.api.control import routes as control_routes
from callrouter.api.control.there import ControlledThere
from callrouter.api.deliveries import routes as deliveries
from callrouter.api.engine_client import EngineClient
from callrouter.api.filters import refuse_unknown
from callrouter.api.links import pages as links
from callrouter.api.messages import routes as messages
from callrouter.api.messages.desk import Taking
from callrouter.api.person import routes as person_routes
from callrouter.api.problems import documented, install_problem_handlers
from callrouter.api.readiness import Check, health_router
from callrouter.api.reports import routes as reports
from callrouter.api.retention import routes as retention_routes
from callrouter.api.stream import page as stream
from callrouter.api.supervision import routes as supervision_routes
from callrouter.api.supervision.there import OverseenThere
from callrouter.dialplan.shared.reading import DEFAULT_COUNTRY
from callrouter.errors import StoreError
from callrouter.store.access.recordings import Recordings
from callrouter.store.apart import Here, Workshop
from callrouter.store.database import Database
from callrouter.stream.hub import Hub

_ABOUT = """
What happened to every call, and what is going on now. Send a token (`callrouter token create`, or
`CALLROUTER_API_TOKEN`) as `Authorization: Bearer …`; what each page needs is its `x-permission`.
Instants are UTC, durations seconds. Errors are problem details (RFC 9457).
"""


def create_web_app(
    database: Database,
    plans: calls.PlanBook,
    engine: EngineClient,
    recorded: Recordings,
    *,
    gate: Gate,
    taking: Taking | None = None,
    workshop: Workshop | None = None,
    hub: Hub | None = None,
    checks: Mapping[str, Check] | None = None,
    notes: Mapping[str, Check] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    region: str = DEFAULT_COUNTRY,
    sms_receipt_key: bytes | None = None,
    sms_replies: bool = False,
    secrets: Mapping[str, str] | None = None,
) -> FastAPI:
    """The application for uvicorn.

    Args:
        database: open, its schema checked.
        plans: for the explanation of calls.
        engine: asked for the calls in progress.
        recorded: what was recorded.
        gate: lets in who may read.
        taking: what is live, and where messages are kept; without it none is taken.
        workshop: makes reports; without one, they are made here.
        hub: what the engine tells as it happens; without one, a stream says that it is not heard.
        checks: more of them for /ready, by name.
        notes: checks that fail without keeping anybody from work, by name.
        now: the clock the calls are stamped by.
        region: the operator's country, whose national numbers may be asked for.
        sms_receipt_key: what the SMS gateway signs its receipts with; None: there is no page for them.
        sms_replies: whether it hands over what people answer, signed with the same key.
        secrets: those that documents name, by name: PINs are among them.
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
    install_problem_handlers(app, gate.screen)
    taking = taking or Taking.nowhere()
    app.include_router(links.router(database, taking.plans, recorded, gate, now, secrets or {}))
    if sms_receipt_key is not None:
        app.include_router(receipts.router(database, sms_receipt_key, now), prefix="/api")
        if sms_replies:
            app.include_router(replies.router(database, sms_receipt_key, now, region), prefix="/api")
    well = {"database": _database_check(database), **(checks or {})}
    app.include_router(health_router(well, __version__, gate, notes=notes))
    for router in (
        calls.router(database, plans, gate, now, region),
        messages.router(database, taking, engine, gate, now, region),
        deliveries.router(database, gate, now),
        callbacks.router(database, gate, now),
        worklist.router(database, gate, now),
        stats.router(database, workshop or Here(database), gate, now),
        reports.router(database, workshop or Here(database), plans, gate, now),
        consumption.router(database, workshop or Here(database), plans, gate, now),
        live.router(engine, gate),
        agent_routes.sessions_router(database, AgentsThere(engine), gate, now),
        agent_routes.router(AgentsThere(engine), gate),
        supervision_routes.router(OverseenThere(engine), gate),
        control_routes.router(ControlledThere(engine), gate),
        stream.router(Hub(now) if hub is None else hub, gate),
        recordings.router(database, recorded, gate, now),
        audit.router(database, gate, now),
        retention_routes.router(database, gate),
        person_routes.router(database, workshop or Here(database), recorded, gate, now, region),
    ):
        app.include_router(
            router,
            prefix="/api",
            # In this order: who is not let in learns nothing of what a page knows.
            dependencies=[*gate.guards, Depends(refuse_unknown)],
            responses=documented(401, 422, 429, 503),
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
