"""The web process: the API over the record, in a process of its own, so that a heavy report never delays a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from callrouter.api.engine_client import EngineClient
from callrouter.api.web_app import create_web_app
from callrouter.app.http import HttpServer, listen
from callrouter.app.lifetime import Lifetime
from callrouter.app.storage import open_database
from callrouter.app.watch import Watcher
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.logs import configure_logs
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.reload import ServedPlans, Why
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings

log = structlog.get_logger(__name__)

STOP_SECONDS = 20.0
"""What a stop may take."""


async def run_web(settings: Settings, token: str) -> None:
    """Answer questions until a signal; SIGHUP reads the dialplans again.

    Raises:
        CallrouterError: it cannot start; the sentence says what to mend.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    listening = listen(settings.http_host, settings.web_port, "CALLROUTER_WEB_PORT")
    try:
        async with open_database(settings) as database:
            clock = SystemClock(settings.clock_shift_seconds)
            loader, plans = await _plans(settings, clock.now)
            engine = EngineClient(settings.engine_base_url, token)
            server = HttpServer(create_web_app(database, plans, engine, token=token, now=clock.now), listening)
            await _serve(server, plans, Watcher(loader, plans) if settings.watch else None)
    finally:
        listening.close()


async def _plans(settings: Settings, now: Callable[[], datetime]) -> tuple[Loader, ServedPlans]:
    """The plans as documents: nothing is spoken here, so no audio is made."""
    folder = settings.dialplans_dir if settings.dialplans_dir.is_dir() else settings.dialplans_dir.parent
    places = (folder / "sounds", *settings.sounds_dirs)
    loader = Loader(settings.dialplans_dir, PaperSpeech(places), region=settings.region, sounds_dirs=places)
    return loader, ServedPlans(await asyncio.to_thread(loader.load, now()), loader, LiveCalls(), now=now)


async def _serve(server: HttpServer, plans: ServedPlans, watcher: Watcher | None) -> None:
    lifetime = Lifetime(stop_seconds=STOP_SECONDS)
    tasks = Tasks(lifetime.died)

    def reload_soon() -> None:
        tasks.start(_reload(plans), "reload")

    lifetime.catch_signals(on_reload=reload_soon)
    if watcher is not None:
        tasks.keep(watcher.run, "watch over the dialplans")
    web = tasks.start(server.run_until_stopped(), "http")
    await lifetime.stopping.wait()
    server.stop()
    await asyncio.wait([web], timeout=5.0)
    await tasks.stop()
    if lifetime.fatal is not None:
        raise lifetime.fatal


async def _reload(plans: ServedPlans) -> None:
    await plans.reload(Why.ASKED)
