"""The engine's process: the link to Asterisk, the calls, the recorder, and a small HTTP side.

Read it from top to bottom: `_build` makes every part once, each of those that it uses (`app.wiring`); `Engine.run`
starts them in order, lives, and stops them in the reverse order. The link comes first, and the calls that live are
taken over before anything that none of them needs: PostgreSQL, the clients' folder, whoever asks over HTTP.
"""

from __future__ import annotations

import asyncio
import importlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from callrouter import __version__, garbage, hurry
from callrouter.app.dialplans import Dialplans, made_ahead_of
from callrouter.app.folders import prepare_folders
from callrouter.app.leading.place import Place
from callrouter.app.leading.standby import take_place
from callrouter.app.leading.started import say_started
from callrouter.app.lifetime import Lifetime
from callrouter.app.realtime import has_started, take_precedence
from callrouter.app.records import Records
from callrouter.app.storage import first_look, open_database
from callrouter.app.telephony import Telephony
from callrouter.app.watch import Watcher
from callrouter.app.web_services import WebServices
from callrouter.app.wiring.calls import agents_of, calls_of, control_of, feed_of, overseen_of, placed_of
from callrouter.app.wiring.ground import STOP_SECONDS, ground_of
from callrouter.app.wiring.kept import dialplans_of, records_of
from callrouter.app.wiring.listening import listen
from callrouter.app.wiring.operation import sources_of, telephony_of, watches_of
from callrouter.asterisk.agents.at_work import AgentsAtWork
from callrouter.asterisk.agents.directory import RosterDirectory
from callrouter.core.plan import Plan
from callrouter.logs import configure_logs
from callrouter.metrics import EngineMetrics
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.first_calls import FirstCalls
from callrouter.runtime.giving_way import giving_way
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.connecting import Leader
from callrouter.store.database import Database

if TYPE_CHECKING:  # imported when calls are served
    from callrouter.app.wiring.front import Front


HAND_OVER_SECONDS: Final = 0.3
"""What may be concluded before a hand-over; calls go on meanwhile."""
STARTING_SECONDS: Final = 15.0
"""What a thread may work without sleep while the engine starts: a load of 800 clients takes three."""
FRONT: Final = "callrouter.app.wiring.front"
"""Imported when calls are served."""


async def run_engine(settings: Settings, token: str) -> None:
    """Serve calls until a signal.

    Raises:
        CallrouterError: it cannot start; the sentence says what to mend.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level, numbers=settings.log_numbers)
    settings.required_ami_secret()
    prepare_folders(settings)
    listening = listen(settings.http_host, settings.engine_port, "CALLROUTER_ENGINE_PORT")
    lifetime = Lifetime(stop_seconds=settings.grace_seconds + STOP_SECONDS)
    try:
        async with open_database(settings, seen_later=True) as database:
            place = Place.of(settings)
            ahead = made_ahead_of(settings, SystemClock(settings.clock_shift_seconds).now)
            if not await take_place(
                place,
                lifetime,
                settings=settings,
                token=token,
                database=database,
                listening=listening,
                meanwhile=ahead.run,
            ):
                return
            engine = _build(settings, database, place, lifetime, ahead.plans, token=token, listening=listening)
            await engine.run()
    finally:
        listening.close()


def _build(
    settings: Settings,
    database: Database,
    place: Place,
    lifetime: Lifetime,
    made_ahead: Mapping[tuple[str, str], Plan],
    *,
    token: str,
    listening: socket.socket,
) -> Engine:
    """Every object, once: nothing is set on any of them afterwards, and `tells` is the one subscription."""
    ground = ground_of(settings, database, place, lifetime, made_ahead)
    dialplans, history, keeper, outgoing = dialplans_of(ground)

    metrics = EngineMetrics(ground.registry, version=__version__, target_of=dialplans.target_of)
    web_services = WebServices.of(settings, ground.secrets, database, ground.clock, metrics, place.fence)
    records, journal = records_of(ground, dialplans, history, keeper)
    placed = placed_of(ground, dialplans, records.trail)
    callbacks = placed.callbacks
    feed = feed_of(ground, dialplans, web_services)
    # Who a caller is given to is asked at each transfer, and the switch hears of events before agents do.
    directory = RosterDirectory(lambda: agents.roster, lambda: _knows(agents, dialplans))
    overseen = overseen_of(ground, lambda: switch, lambda: driver, directory)
    # All who are told what was concluded, in this order.
    listeners = Listeners(
        [
            records.recorder,
            records.fact_journal,
            records.message_rows,
            metrics,
            records.fact_log,
            web_services.asked,
            journal,
            callbacks,
            feed,
            overseen.conversations,
            overseen.supervision,
        ]
    )
    switch, driver = calls_of(ground, dialplans, web_services, listeners, metrics, directory, records.live_journal)
    FirstCalls(switch, driver, dialplans.served, dialplans.disk.for_did, tasks=ground.aside)
    control = control_of(ground, switch, driver, directory)
    journal.tells(switch.end_overlooked)
    agents = agents_of(ground, dialplans, records.trail)
    ground.clock.tells(agents.roster.redate)
    placed.calls.tells(placed.heard)  # after the switch, which is told of events first
    watches = watches_of(ground, dialplans, metrics, feed)
    telephony = telephony_of(
        ground,
        dialplans,
        records,
        journal,
        listeners,
        placed,
        watches,
        switch=switch,
        driver=driver,
        control=control,
    )
    metrics.watch(
        sources_of(
            ground,
            dialplans,
            records,
            web_services,
            watches,
            placed,
            roster=agents.roster,
            knows_agents=lambda: _knows(agents, dialplans),
        )
    )

    def front() -> Front:
        from callrouter.app.wiring.front import front_of

        return front_of(
            ground,
            dialplans,
            outgoing,
            records,
            watches,
            placed,
            feed,
            metrics,
            roster=agents.roster,
            overseen=overseen,
            control=control,
            token=token,
            listening=listening,
        )

    garbage.serve()
    return Engine(
        settings=settings,
        place=place,
        database=database,
        leader=Leader(pbx=settings.pbx, epoch=ground.incarnation.epoch) if place.watcher is not None else None,
        lifetime=ground.lifetime,
        tasks=ground.tasks,
        aside=ground.aside,
        records=records,
        web_services=web_services,
        agents=agents,
        telephony=telephony,
        dialplans=dialplans,
        front=front,
    )


def _knows(agents: AgentsAtWork, dialplans: Dialplans) -> bool:
    """Whether it is known where agents are: also where there are none."""
    return agents.comparison.recalled or (dialplans.served.loaded.is_set() and not agents.roster.crew.agents)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What is started and stopped."""

    settings: Settings
    place: Place
    database: Database
    leader: Leader | None
    """None for a single engine."""
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
    front: Callable[[], Front]
    """Makes the HTTP side."""

    async def run(self) -> None:
        """Start in order, live, and stop in the reverse order.

        Raises:
            CallrouterError: it cannot start, or something that it cannot do without has died.
        """
        lifetime, tasks = self.lifetime, self.tasks
        hurry.end()
        await self.database.lead(self.leader)
        if self.dialplans.is_new_here:  # nothing to go on with, and no call: what is wrong ends the start at once
            await self.dialplans.load()
        lifetime.catch_signals()
        if self.settings.realtime:
            take_precedence(STARTING_SECONDS)
        self.telephony.start()
        await self.telephony.take_over(lifetime)
        self.records.start()
        self.web_services.start(tasks)
        self.agents.start(tasks)
        front = await self._open_front()
        lifetime.catch_reload(front.operations.reload_soon)
        web = tasks.start(front.server.run_until_stopped(), "http")
        first = [
            tasks.start(self._find_database(), "first look at PostgreSQL"),
            tasks.start(self._load(), "first load of the dialplans"),
        ]
        await self.telephony.first_login(lifetime)
        tasks.start(self._say_started(first), "the word that it has started")
        await lifetime.stopping.wait()

        if self.place.has_successor:
            self.web_services.rest()
            await self.records.settle(HAND_OVER_SECONDS)
            await self.database.lead(None)  # what is written from here on is not to be cut off by who follows
            await self.telephony.hand_over()
        else:
            await self.telephony.finish(self.settings.grace_seconds)
        # Before the link: what is committed is struck off Asterisk's journal, and what ends after it is found there.
        await self.records.close()
        await self.telephony.close()
        front.operations.end_stream()  # the server waits for answers that do not end
        front.server.stop()
        await asyncio.wait([web], timeout=3.0)
        await tasks.stop()
        await self.aside.stop()
        await self.agents.stop()
        await self.web_services.stop()
        await self.records.stop()
        if lifetime.fatal is not None:
            raise lifetime.fatal

    async def _open_front(self) -> Front:
        """What it stands on is imported in a thread that gives way: calls are served meanwhile."""
        with giving_way():
            await asyncio.to_thread(hurry.hurriedly, self.settings.realtime, importlib.import_module, FRONT)
            return await asyncio.to_thread(hurry.hurriedly, self.settings.realtime, self.front)

    async def _find_database(self) -> None:
        """Raises StoreError: it is of another release, or refuses us."""
        await first_look(self.database, self.settings)

    async def _say_started(self, first: list[asyncio.Task[None]]) -> None:
        """Once Asterisk, PostgreSQL and the clients' folder are found right, or are away and may be right."""
        await asyncio.wait(first)
        if not self.lifetime.stopping.is_set() and not any(one.cancelled() or one.exception() for one in first):
            say_started()

    async def _load(self) -> None:
        """What needs all plans follows. Raises DialplanError: there is nothing to serve."""
        if not self.dialplans.served.loaded.is_set():
            await self.dialplans.load()
        if self.settings.realtime:
            has_started()
        self.telephony.serve_all()
        if self.settings.watch:
            self.tasks.keep(Watcher(self.dialplans.loader, self.dialplans.served).run, "watch over the dialplans")
