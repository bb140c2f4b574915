"""An engine that waits for its place: it says so, answers /health and /metrics, and does nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from callrouter.api.auth import Gate
from callrouter.api.standby_app import create_standby_app
from callrouter.app.http import HttpServer
from callrouter.app.leading.place import Place
from callrouter.app.lifetime import Lifetime
from callrouter.metrics import Sources
from callrouter.metrics.sources import SourceCollector
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.access.tokens import TokenBook
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database

log = structlog.get_logger(__name__)

WAITS: Final = "another engine has the place at this PBX; this one takes over when it ends"


async def take_place(
    place: Place, lifetime: Lifetime, *, settings: Settings, token: str, database: Database, listening: socket.socket
) -> bool:
    """Have the place, or False: we are to stop. Meanwhile, and only if it lasts, HTTP is answered on `listening`.

    Raises:
        AmiRefused: Asterisk does not let the second user in.
    """
    tasks = Tasks()
    waiting = _Waiting(lambda: _serve(tasks, settings, token, database, listening))
    taking = asyncio.ensure_future(place.take(waiting.told))  # noqa: TID251 - awaited here
    stopping = asyncio.ensure_future(lifetime.stopping.wait())  # noqa: TID251 - ended here
    try:
        await asyncio.wait([taking, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            return False
        taking.result()
        waiting.over()
        return True
    finally:
        taking.cancel()
        stopping.cancel()
        await asyncio.gather(taking, stopping, return_exceptions=True)
        await tasks.stop()


class _Waiting:
    """Says once that somebody has the place, and once that they have it no more."""

    def __init__(self, serve: Callable[[], HttpServer]) -> None:
        self._serve = serve
        self._server: HttpServer | None = None

    def told(self) -> None:
        if self._server is None:
            log.info("standby: " + WAITS)
            self._server = self._serve()

    def over(self) -> None:
        if self._server is not None:
            log.info("standby: this engine takes over")


def _serve(tasks: Tasks, settings: Settings, token: str, database: Database, listening: socket.socket) -> HttpServer:
    """On a copy of the socket, so that whoever asks meanwhile is answered by the engine that follows."""
    registry, trail = CollectorRegistry(), AuditTrail(database)
    registry.register(SourceCollector(Sources(leader=lambda: False)))
    gate = Gate(token, TokenBook(database), trail)
    app = create_standby_app(registry, {"standby": _waits}, gate=gate)
    server = HttpServer(app, listening.dup(), settings.trusted_proxies)
    tasks.keep(trail.run, "audit trail")
    tasks.start(server.run_until_stopped(), "http of the standby")
    return server


async def _waits() -> str:
    return WAITS
