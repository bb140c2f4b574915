"""The engine's process: the link to Asterisk, the calls, the recorder, and a small HTTP side.

Read it from top to bottom: `_build` makes every object once, each of those that it uses; `Engine.run` starts them in
order, lives, and stops them in the reverse order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from callrouter import __version__, garbage
from callrouter.api.agents.here import AgentsHere
from callrouter.api.auth import Gate
from callrouter.app.collecting import Collecting
from callrouter.app.dialplans import Dialplans, PlanChanges, load_dialplans, speech_of
from callrouter.app.folders import SPOOL, prepare_folders
from callrouter.app.history import PlanHistory
from callrouter.app.http import HttpServer, listen
from callrouter.app.lifetime import Lifetime
from callrouter.app.live.agent_ids import FILE as AGENTS_FILE
from callrouter.app.live.agent_ids import AgentIds
from callrouter.app.live.last_live import FOLDER as LIVE
from callrouter.app.live.last_live import LiveKeeper
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.observation import Observation
from callrouter.app.operations import EngineOperations
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.named_queues import NamedQueues
from callrouter.app.realtime import take_precedence
from callrouter.app.records import Records
from callrouter.app.storage import open_database
from callrouter.app.telephony import Telephony
from callrouter.app.watch import Watcher
from callrouter.app.web_services import WebServices
from callrouter.asterisk.agents.at_work import AgentsAtWork
from callrouter.asterisk.agents.directory import RosterDirectory
from callrouter.asterisk.journal import EndedJournal, PlanLookup
from callrouter.asterisk.line.first_sound import pause_before_first_sound
from callrouter.asterisk.line.recordings import recorded_in
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiAddress, AmiLink, LinkState
from callrouter.asterisk.pbx.agent_watch import AgentWatch
from callrouter.asterisk.pbx.media_watch import MediaWatch
from callrouter.asterisk.pbx.outgoing import OutgoingCalls
from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.pbx.refused import RefusedCalls
from callrouter.asterisk.pbx.trunk_check import TrunkCheck
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.teams.document import Teams
from callrouter.asterisk.teams.handover import Handover
from callrouter.asterisk.transfers.consultations import Consultations
from callrouter.logs import configure_logs
from callrouter.metrics import DialplanMetrics, EngineMetrics, Sources
from callrouter.outgoing.callbacks import Callbacks
from callrouter.outgoing.ports import OpenCallback
from callrouter.permissions import OURSELVES
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver
from callrouter.runtime.fact_log import FactLog
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings, load_secrets
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import TokenBook
from callrouter.store.access.trail import AuditTrail
from callrouter.store.agents.pins import PinBook
from callrouter.store.agents.sessions import SessionLog
from callrouter.store.calls import recorded_calls
from callrouter.store.database import Database
from callrouter.store.incarnation import next_incarnation
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.recorder import Recorder
from callrouter.store.tables import AuditOutcome
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.writer import Writer
from callrouter.stream.feed import Feed
from callrouter.stream.making import EventMaker

STOP_SECONDS: Final = 30.0
"""What a stop may take beyond the grace for live calls."""


async def run_engine(settings: Settings, token: str) -> None:
    """Serve calls until a signal.

    Raises:
        CallrouterError: it cannot start; the sentence says what to mend.
    """
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    settings.required_ami_secret()
    prepare_folders(settings)
    listening = listen(settings.http_host, settings.engine_port, "CALLROUTER_ENGINE_PORT")
    try:
        async with open_database(settings, may_be_away=True) as database:
            engine = await _build(settings, database)
            app = engine.operations.http_app(Gate(token, TokenBook(database), engine.records.trail))
            await engine.run(HttpServer(app, listening, settings.trusted_proxies))
    finally:
        listening.close()


async def _build(settings: Settings, database: Database) -> Engine:
    """Every object, once: nothing is set on any of them afterwards, and `tells` is the one subscription."""
    clock, calls = SystemClock(settings.clock_shift_seconds), LiveCalls()
    incarnation = next_incarnation(settings.data_dir, settings.pbx, time.time())
    registry, fact_log = CollectorRegistry(), FactLog()
    shift = timedelta(seconds=settings.clock_shift_seconds)
    lifetime = Lifetime(stop_seconds=settings.grace_seconds + STOP_SECONDS)
    tasks, aside = Tasks(lifetime.died), Tasks()
    link = AmiLink(_address(settings))

    def link_up() -> bool:
        return link.state is LinkState.UP

    fallbacks = Fallbacks(link, settings.region, client_calls=settings.client_calls)
    queues_due = asyncio.Event()  # set whenever plans went live, or Asterisk may have other queues than before
    names_due, agents_due = asyncio.Event(), asyncio.Event()
    key = settings.pbx_key.get_secret_value() if settings.pbx_key else ""
    handover = Handover(key, on_applied=queues_due.set)

    history = PlanHistory(database, settings.dialplans_dir)
    secrets = load_secrets()
    outgoing = OutgoingCheck(settings.outgoing_hosts, secrets)
    keeper = LiveKeeper(LivePlans(settings.data_dir / LIVE))
    gauges = DialplanMetrics(registry)
    changes = PlanChanges(
        metrics=gauges,
        history=history,
        keeper=keeper,
        outgoing=outgoing,
        fallbacks=fallbacks,
        link=link,
        queues_due=queues_due,
        names_due=names_due,
        agents_due=agents_due,
        handover=handover,
        tasks=aside,
    )
    dialplans = await load_dialplans(settings, database, clock, calls, changes)
    garbage.serve()

    metrics = EngineMetrics(registry, version=__version__, target_of=dialplans.target_of)
    web_services = WebServices.of(settings, secrets, database, clock, metrics)
    journal = EndedJournal(
        link,
        PlanLookup(by_version=dialplans.versions.find, by_did=dialplans.served.for_did),
        settings.region,
        live=calls.__contains__,
        known=partial(recorded_calls, database),
        listen=partial(recorded_in, settings.recordings_dir),
        shift=shift,
        pbx=settings.pbx,
    )
    fact_journal = FactJournal(Writer(database), settings.data_dir / SPOOL)
    recorder = Recorder(database, settings.data_dir / SPOOL, on_durable=partial(_tell_safe, journal, fact_journal))
    trail = AuditTrail(database)
    pause = pause_before_first_sound(settings.prompts_dir, settings.first_sound_seconds)
    outgoing_calls = OutgoingCalls(link, dial_pattern=settings.trunk_dial, pause=pause, shift=shift)
    callbacks = Callbacks(
        CallbackRows(database, settings.pbx, incarnation.formerly),
        outgoing_calls,
        plans=lambda: dialplans.served.catalogue.plans,
        live=lambda: [live.call for live in calls],
        now=clock.now,
        link_up=link_up,
        on_refused=lambda refused: trail.note(_refusal(refused)),
    )
    event_maker = EventMaker(calls, lambda: dialplans.served.catalogue.plans, clock.now)
    feed = Feed(incarnation.epoch, event_maker, calls=calls, now=clock.now)
    listeners = Listeners(
        [recorder, fact_journal, metrics, fact_log, web_services.deliveries, journal, callbacks, feed]
    )
    places = Places(
        recordings_dir=str(settings.recordings_dir.absolute()),
        dial_pattern=settings.trunk_dial,
        directory=RosterDirectory(lambda: agents.roster),
        pause=pause,
    )
    switch = AsteriskSwitch(link, clock=clock, meter=metrics, places=places, region=settings.region, shift=shift)
    driver = Driver(
        switch,
        web_services.lookups,
        plans=dialplans.served,
        clock=clock,
        listeners=listeners,
        meter=metrics,
        calls=calls,
        pbx=settings.pbx,
        epoch=incarnation.epoch,
    )
    Consultations(link, switch, calls, places=places, tell=driver.tell, now=clock.now)
    agents = AgentsAtWork.of(
        link,
        lambda: dialplans.served.catalogue.crew,
        clock=clock,
        shift=shift,
        say=speech_of(settings).say,
        pins=PinBook(database),
        sessions=SessionLog(database, settings.data_dir / SPOOL, pbx=settings.pbx),
        note=trail.note,
        tasks=aside,
    )
    outgoing_calls.tells(callbacks.heard)  # after the switch, which is told of events first
    agent_watch = AgentWatch(link, feed, clock.now)
    observation = Observation(database, clock.now, pbx=settings.pbx, formerly=incarnation.formerly)
    queue_check = QueueCheck(
        link,
        lambda: dialplans.served.catalogue.plans,
        lambda: handover.teams or Teams(),
        due=queues_due,
        link_up=link_up,
        pending=lambda: handover.is_pending,
        on_checked=metrics.queues_checked,
        on_different=handover.again,
    )
    trunk_check = TrunkCheck(link, link_up=link_up, on_checked=metrics.trunk_checked)
    media_watch = MediaWatch(
        link,
        settings.media_timeout_seconds,
        link_up=link_up,
        on_ended=metrics.leg_vanished,
    )
    agent_ids = AgentIds(database, lambda: dialplans.served.catalogue.documents.get(AGENTS_FILE, b""), due=agents_due)
    refused = RefusedCalls(link, link_up=link_up, now=clock.now)
    telephony = Telephony(
        link,
        switch,
        driver,
        journal=journal,
        collecting=Collecting(
            journal,
            tell=lambda ended: listeners.tell([ended]),
            link_up=link_up,
            adopted=recorder.adopted,
        ),
        queue_check=queue_check,
        trunk_check=trunk_check,
        named_queues=NamedQueues(handover, lambda: dialplans.served.plans, calls, due=names_due),
        media_watch=media_watch,
        agent_watch=agent_watch,
        refused=refused,
        fallbacks=fallbacks,
        callbacks=callbacks,
        plans=dialplans.served,
        observation=observation,
        clock=clock,
        tasks=tasks,
        aside=aside,
    )
    metrics.watch(
        Sources(
            live_calls=lambda: len(calls),
            link_up=link_up,
            link=link.counters,
            writer=recorder,
            notifications=lambda: web_services.deliveries.backlog,
            refused=lambda: refused.by_client,
            callbacks=lambda: callbacks.outcomes,
            callbacks_under_way=lambda: callbacks.under_way,
        )
    )
    return Engine(
        settings=settings,
        lifetime=lifetime,
        tasks=tasks,
        aside=aside,
        records=Records(
            recorder=recorder,
            fact_journal=fact_journal,
            history=history,
            keeper=keeper,
            observation=observation,
            trail=trail,
            agent_ids=agent_ids,
            fact_log=fact_log,
            tasks=Tasks(lifetime.died),
        ),
        web_services=web_services,
        agents=agents,
        telephony=telephony,
        dialplans=dialplans,
        operations=EngineOperations(
            link=link,
            plans=dialplans.served,
            database=database,
            recorder=recorder,
            queue_check=queue_check,
            trunk_check=trunk_check,
            handover=handover,
            agent_ids=agent_ids,
            refused=refused,
            outgoing=outgoing,
            agents=AgentsHere(roster=agents.roster, note=trail.note),
            callbacks=callbacks,
            shown_numbers=metrics.shown_numbers,
            calls=calls,
            feed=feed,
            registry=registry,
            clock=clock,
            tasks=aside,
            watching=settings.watch,
            started_at=clock.now(),
        ),
    )


def _tell_safe(journal: EndedJournal, facts: FactJournal, call_ids: Sequence[str]) -> None:
    """These calls need neither journal any more, Asterisk's or ours."""
    journal.safe(call_ids)
    facts.safe(call_ids)


def _refusal(callback: OpenCallback) -> Deed:
    """Of a callback whose number may not be dialled any more: for the audit trail; the number stands in its row."""
    wish = "/".join(map(str, callback.wish))
    refused = AuditOutcome.REFUSED
    return Deed(principal=OURSELVES, action="callback.dial", object=wish, client=callback.client, outcome=refused)


def _address(settings: Settings) -> AmiAddress:
    return AmiAddress(
        host=settings.ami_host,
        port=settings.ami_port,
        username=settings.ami_user,
        secret=settings.required_ami_secret(),
    )


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What is started and stopped."""

    settings: Settings
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
