"""The web process: the API over the record, in a process of its own, so that a heavy report never delays a call."""

from __future__ import annotations

import asyncio
from functools import partial

from callrouter.api.auth import Gate
from callrouter.api.engine_client import EngineClient
from callrouter.api.messages.desk import Taking
from callrouter.api.stream.link import EngineLink
from callrouter.api.stream.record import RecordLink
from callrouter.api.web_app import create_web_app
from callrouter.app.folders import SPOOL
from callrouter.app.http import HttpServer
from callrouter.app.leading.started import say_started
from callrouter.app.lifetime import Lifetime
from callrouter.app.live.on_disk import plans_on_disk
from callrouter.app.storage import open_database
from callrouter.app.versions import KeptPlans, PlansInService
from callrouter.app.wiring.listening import listen
from callrouter.dialplan import PaperSpeech
from callrouter.logs import configure_logs
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings, load_secrets
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.tokens import TokenBook
from callrouter.store.access.trail import AuditTrail
from callrouter.store.apart import Apart
from callrouter.store.taken.journal import MessageJournal
from callrouter.stream.hub import Hub

STOP_SECONDS = 20.0
"""What a stop may take."""


async def run_web(settings: Settings, token: str) -> None:
    """Answer questions until a signal. The clients' folder is not looked at: all that is asked for is in the record.

    Raises:
        CallrouterError: it cannot start; the sentence says what to mend.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level, numbers=settings.log_numbers)
    listening = listen(settings.http_host, settings.web_port, "CALLROUTER_WEB_PORT")
    try:
        async with open_database(settings, may_be_away=True) as database:
            clock = SystemClock(settings.clock_shift_seconds)
            plans = KeptPlans(database, PaperSpeech(), settings.region)
            engine = EngineClient(settings.engine_base_url, token)
            trail = AuditTrail(database)
            recordings = Recordings(database, settings.recordings_dir, trail)
            gate = Gate(token, TokenBook(database), trail)
            journal = MessageJournal(database, settings.data_dir / SPOOL)
            in_service = PlansInService(database, plans, partial(plans_on_disk, settings, clock))
            hub = Hub(clock.now)
            link = EngineLink(settings.engine_base_url, token, hub)
            record = RecordLink(database, hub, clock.now)
            workshop = Apart(database)
            app = create_web_app(
                database,
                plans,
                engine,
                recordings,
                gate=gate,
                taking=Taking(in_service, journal),
                workshop=workshop,
                hub=hub,
                notes={"messages": journal.check},
                now=clock.now,
                region=settings.region,
                sms_receipt_key=settings.sms_receipt_key,
                sms_replies=settings.sms_replies,
                secrets=load_secrets(),
            )
            server = HttpServer(app, listening, settings.trusted_proxies)
            try:
                await _serve(server, trail, journal, hub, link, record)
            finally:
                await workshop.close()
    finally:
        listening.close()


async def _serve(
    server: HttpServer,
    trail: AuditTrail,
    journal: MessageJournal,
    hub: Hub,
    link: EngineLink,
    record: RecordLink,
) -> None:
    lifetime = Lifetime(stop_seconds=STOP_SECONDS)
    tasks = Tasks(lifetime.died)
    lifetime.catch_signals()
    tasks.keep(trail.run, "audit trail")
    tasks.keep(journal.run, "messages")
    tasks.keep(journal.look, "messages left behind")
    tasks.keep(link.run, "event stream of the engine")
    tasks.keep(record.run, "event stream of the record")
    tasks.keep(record.forget, "what the event stream has told")
    web = tasks.start(server.run_until_stopped(), "http")
    tasks.start(_say_started(server), "the word that web has started")
    await lifetime.stopping.wait()
    hub.end("callrouter web stops")  # the server waits for streams that do not end
    server.stop()
    await asyncio.wait([web], timeout=5.0)
    await tasks.stop()
    await journal.close()
    await trail.close()
    if lifetime.fatal is not None:
        raise lifetime.fatal


async def _say_started(server: HttpServer) -> None:
    while not server.started:
        await asyncio.sleep(0.05)
    say_started()
