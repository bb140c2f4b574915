"""The worker process: tells people of messages. One at a time works; another one waits for its lease, and goes on."""

from __future__ import annotations

import asyncio
import socket
from contextlib import nullcontext
from functools import partial

from callrouter.app.leading.started import say_started
from callrouter.app.lifetime import Lifetime
from callrouter.app.storage import open_database
from callrouter.app.wiring.listening import listen as listen_at
from callrouter.app.worker.parts import parts_of
from callrouter.dispatch.listening import listen
from callrouter.logs import configure_logs
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings

STOP_SECONDS = 20.0
"""What a stop may take."""


async def run_worker(settings: Settings) -> None:
    """Tell people of messages until a signal.

    Raises:
        CallrouterError: it cannot start; the sentence says what to mend.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level, numbers=settings.log_numbers)
    host, port = settings.lmtp_host, settings.lmtp_port
    reports = listen_at(host, port, "CALLROUTER_LMTP_PORT") if port else nullcontext()
    with reports as listening:
        await _run(settings, listening)


async def _run(settings: Settings, listening: socket.socket | None) -> None:
    async with open_database(settings, may_be_away=True) as database:
        due = asyncio.Event()
        parts = parts_of(settings, database, due)
        lifetime = Lifetime(stop_seconds=STOP_SECONDS)
        tasks = Tasks(lifetime.died)
        lifetime.catch_signals()
        tasks.keep(partial(listen, database, due.set), "what PostgreSQL says is due")
        tasks.start(parts.worker.run(), "worker")
        if listening is not None:
            tasks.start(parts.hear_reports(listening), "reports on mail")
        tasks.keep(parts.days.run, "figures of days")
        tasks.keep(parts.kept.run, "what is kept")
        tasks.keep(parts.trail.run, "audit trail")
        if parts.scribe is not None:
            tasks.keep(parts.scribe.run, "transcripts")
        if parts.heartbeat is not None:
            tasks.keep(parts.heartbeat.run, "heartbeat")
        say_started()
        await lifetime.stopping.wait()
        await tasks.stop()
        await parts.close()
        await parts.trail.close()
        if lifetime.fatal is not None:
            raise lifetime.fatal
