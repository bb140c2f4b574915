"""The engine's process: the link to Asterisk, the calls, the recorder, and a small HTTP side.

Read it from top to bottom: `_build` makes every part once, each of those that it uses (`app.wiring`); `Engine.run`
starts them in order, lives, and stops them in the reverse order.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from callrouter import __version__, garbage
from callrouter.api.agents.here import AgentsHere
from callrouter.api.auth import Gate
from callrouter.app.dialplans import Dialplans
from callrouter.app.folders import prepare_folders
from callrouter.app.http import HttpServer, listen
from callrouter.app.leading.place import Place
from callrouter.app.leading.standby import take_place
from callrouter.app.lifetime import Lifetime
from callrouter.app.operations import EngineOperations
from callrouter.app.realtime import take_precedence
from callrouter.app.records import Records
from callrouter.app.storage import open_database
from callrouter.app.telephony import Telephony
from callrouter.app.watch import Watcher
from callrouter.app.web_services import WebServices
from callrouter.app.wiring.calls import agents_of, calls_of, controlled_of, feed_of, overseen_of, placed_of
from callrouter.app.wiring.ground import STOP_SECONDS, ground_of
from callrouter.app.wiring.kept import dialplans_of, records_of
from callrouter.app.wiring.operation import operations_of, sources_of, telephony_of, watches_of
from callrouter.asterisk.agents.at_work import AgentsAtWork
from callrouter.asterisk.agents.directory import RosterDirectory
from callrouter.logs import configure_logs
from callrouter.metrics import EngineMetrics
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.access.tokens import TokenBook
from callrouter.store.database import Database

HAND_OVER_SECONDS: Final = 0.3
"""What may be concluded before a hand-over; calls go on meanwhile."""


async def run_engine(settings: Settings, token: str) -> None:
    """Serve calls until a signal.

    Raises:
        CallrouterError: it cannot start; the sentence says what to mend.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    settings.required_ami_secret()
    prepare_folders(settings)
    listening = listen(settings.http_host, settings.engine_port, "CALLROUTER_ENGINE_PORT")
    lifetime = Lifetime(stop_seconds=settings.grace_seconds + STOP_SECONDS)
    lifetime.catch_signals()
    try:
        async with open_database(settings, may_be_away=True) as database:
            place = Place.of(settings)
            if not await take_place(
                place, lifetime, settings=settings, token=token, database=database, listening=listening
            ):
                return
            engine = await _build(settings, database, place, lifetime)
            app = engine.operations.http_app(Gate(token, TokenBook(database), engine.records.trail))
            await engine.run(HttpServer(app, listening, settings.trusted_proxies))
    finally:
        listening.close()


async def _build(settings: Settings, database: Database, place: Place, lifetime: Lifetime) -> Engine:
    """Every object, once: nothing is set on any of them afterwards, and `tells` is the one subscription."""
    ground = ground_of(settings, database, place, lifetime)
    dialplans, history, keeper, outgoing = await dialplans_of(ground)
    garbage.serve()

    metrics = EngineMetrics(ground.registry, version=__version__, target_of=dialplans.target_of)
    web_services = WebServices.of(settings, ground.secrets, database, ground.clock, metrics, place.fence)
    records, journal = records_of(ground, dialplans, history, keeper)
    placed = placed_of(ground, dialplans, records.trail)
    callbacks = placed.callbacks
    feed = feed_of(ground, dialplans, web_services)
    # Who a caller is given to is asked at each transfer, and the switch hears of events before agents do.
    directory = RosterDirectory(lambda: agents.roster)
    overseen = overseen_of(ground, records.trail, lambda: switch, lambda: driver, directory)
    # All who are told what was concluded, in this order.
    listeners = Listeners(
        [
            records.recorder,
            records.fact_journal,
            metrics,
            records.fact_log,
            web_services.deliveries,
            journal,
            callbacks,
            feed,
            overseen.conversations,
            overseen.supervision,
        ]
    )
    switch, driver = calls_of(ground, dialplans, web_services, listeners, metrics, directory)
    controlled = controlled_of(ground, records.trail, switch, driver, directory)
    journal.tells(switch.end_overlooked)
    agents = agents_of(ground, dialplans, records.trail)
    ground.clock.tells(agents.roster.redate)
    placed.calls.tells(callbacks.heard)  # after the switch, which is told of events first
    watches = watches_of(ground, dialplans, metrics, feed)
    telephony = telephony_of(
        ground, dialplans, records, journal, listeners, callbacks, watches, switch=switch, driver=driver
    )
    metrics.watch(sources_of(ground, records, web_services, watches, callbacks))
    operations = operations_of(
        ground,
        dialplans,
        outgoing,
        records,
        watches,
        callbacks,
        feed,
        metrics,
        agents=AgentsHere(roster=agents.roster, note=records.trail.note),
        overseen=overseen,
        controlled=controlled,
    )
    return Engine(
        settings=settings,
        place=place,
        lifetime=ground.lifetime,
        tasks=ground.tasks,
        aside=ground.aside,
        records=records,
        web_services=web_services,
        agents=agents,
        telephony=telephony,
        dialplans=dialplans,
        operations=operations,
    )


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What is started and stopped."""

    settings: Settings
    place: Place
    lifetime: Lifetime
    tasks: Tasks
    """The engine ends with any of them."""
    aside: Tasks
    """What may fail once."""
    records: Records
    web_services: WebServices
    agents: AgentsAtWork
    telephony: Telephony
    dialplans: Dialplans
    operations: EngineOperations

    async def run(self, server: HttpServer) -> None:
        """Start in order, live, and stop in the reverse order."""
        lifetime, tasks = self.lifetime, self.tasks
        lifetime.catch_signals(on_reload=self.operations.reload_soon)
        self.records.start()
        self.web_services.start(tasks)
        self.agents.start(tasks)
        self.telephony.start()
        if self.settings.watch:
            tasks.keep(Watcher(self.dialplans.loader, self.dialplans.served).run, "watch over the dialplans")
        web = tasks.start(server.run_until_stopped(), "http")
        if self.settings.realtime:  # now: a start may take its time, and calls that wait may not
            take_precedence()
        await self.telephony.first_login(lifetime)
        await lifetime.stopping.wait()

        if self.place.has_successor:
            await asyncio.gather(self.web_services.rest(HAND_OVER_SECONDS), self.records.settle(HAND_OVER_SECONDS))
            await self.telephony.hand_over()
        else:
            await self.telephony.finish(self.settings.grace_seconds)
        # Before the link: what is committed is struck off Asterisk's journal, and what ends after it is found there.
        await self.records.close()
        await self.telephony.close()
        self.operations.end_stream()  # the server waits for answers that do not end
        server.stop()
        await asyncio.wait([web], timeout=3.0)
        await tasks.stop()
        await self.aside.stop()
        await self.agents.stop()
        await self.web_services.stop()
        await self.records.stop()
        if lifetime.fatal is not None:
            raise lifetime.fatal
