"""The HTTP side of a standby. Imported when one waits: what it stands on is most of what an engine imports."""

from __future__ import annotations

import socket

from prometheus_client import CollectorRegistry

from callrouter.api.auth import Gate
from callrouter.api.standby_app import create_standby_app
from callrouter.app.http import HttpServer
from callrouter.metrics import Sources
from callrouter.metrics.sources import SourceCollector
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.access.tokens import TokenBook
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database


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
    try:
        await server.run_until_stopped()
    finally:
        await tasks.stop()
