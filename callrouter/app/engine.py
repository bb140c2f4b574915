"""The engine's process: the link to Asterisk, the calls, the recorder, and a small HTTP side.

Read `run_engine` from top to bottom: that is the order in which things start, and the reverse of how they stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api.engine_app import Operations, create_engine_app
from callrouter.api.readiness import failed_checks
from callrouter.api.status import DialplansOut, StatusOut
from callrouter.app.collecting import Collecting
from callrouter.app.folders import prepare_folders
from callrouter.app.history import PlanHistory, revive
from callrouter.app.http import HttpServer, listen
from callrouter.app.lifetime import Lifetime
from callrouter.app.observation import Observation
from callrouter.app.realtime import take_precedence
from callrouter.app.storage import open_database
from callrouter.app.versions import PlanVersions
from callrouter.app.watch import Watcher
from callrouter.app.web_services import Outside
from callrouter.asterisk.journal import EndedJournal, PlanLookup
from callrouter.asterisk.link import AmiAddress, AmiLink, LinkState
from callrouter.asterisk.media_watch import MediaWatch
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.queue_check import QueueCheck
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.translate import Places
from callrouter.core.call import Call
from callrouter.core.facts import CallEnded
from callrouter.core.inputs import CallerHungUp, ControlLost
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan import Loader
from callrouter.errors import AmiError, AmiRefused
from callrouter.logs import configure_logs
from callrouter.metrics import EngineMetrics, Sources
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver
from callrouter.runtime.fact_log import FactLog
from callrouter.runtime.ports import Observer
from callrouter.runtime.reload import ServedPlans, Swap, Why
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings, load_secrets
from callrouter.speech import Speech
from callrouter.store.calls import recorded_calls
from callrouter.store.database import Database
from callrouter.store.recorder import Recorder

log = structlog.get_logger(__name__)

COLLECT_AFTER = (20_000, 20, 20)
"""Thresholds of the garbage collector (`gc.set_threshold`)."""
FIRST_LOGIN_SECONDS = 10.0
"""How long a start waits for the first log-in, to tell a wrong secret from an Asterisk that is not up yet."""
STOP_SECONDS = 30.0
"""What a stop may take beyond the grace for live calls."""
RECORDER_SECONDS = 10.0
"""How long a stop waits for PostgreSQL; what it has not taken by then waits on disk for the next start."""


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
        async with open_database(settings) as database:
            engine = await _build(settings, database)
            server = HttpServer(engine.http_app(token), listening)
            await engine.serve(server, settings.grace_seconds)
    finally:
        listening.close()


async def _build(settings: Settings, database: Database) -> Engine:
    """Every object, once."""
    clock = SystemClock(settings.clock_shift_seconds)
    calls = LiveCalls()
    registry = CollectorRegistry()
    versions: PlanVersions | None = None

    def target_of(call: Call) -> ServiceLevelTarget | None:
        plan = versions.at_hand(call.client, call.plan_version) if versions else None
        return plan.service_level if plan else None

    metrics = EngineMetrics(registry, version=__version__, target_of=target_of)

    folder = settings.dialplans_dir if settings.dialplans_dir.is_dir() else settings.dialplans_dir.parent
    sounds_dirs = (folder / "sounds", *settings.sounds_dirs)
    speech = Speech(settings.prompts_dir, sounds_dirs, engine=settings.speech_engine, voices=settings.speech_voices)
    loader = Loader(settings.dialplans_dir, speech, region=settings.region, sounds_dirs=sounds_dirs)
    catalogue = await revive(database, await asyncio.to_thread(loader.load, clock.now()), speech)
    history = PlanHistory(database, settings.dialplans_dir)
    changes = PlanChanges(metrics=metrics, history=history)
    plans = ServedPlans(
        catalogue, loader, calls, now=clock.now, on_swap=changes.swapped, on_failure=metrics.dialplans_failed
    )
    versions = PlanVersions(plans, database, speech)
    # Hundreds of plans live as long as we do: the collector need not look through them while calls wait.
    gc.collect()
    gc.freeze()
    # A call's values are no concern of the collector's (callrouter.core.call): what is left makes circles but rarely.
    gc.set_threshold(*COLLECT_AFTER)
    recorder = Recorder(database, settings.data_dir / "spool")
    outside = Outside.of(settings, load_secrets(), database, clock, metrics)
    fact_log = FactLog()
    observers: list[Observer] = [recorder, metrics, fact_log, outside.deliveries]
    driver = Driver(plans=plans, clock=clock, observers=observers, meter=metrics, calls=calls, web=outside.lookups)
    outside.lookups.inbox = driver
    places = Places(recordings_dir=str(settings.recordings_dir.absolute()), dial_pattern=settings.trunk_dial)
    switch = AsteriskSwitch(inbox=driver, clock=clock, meter=metrics, places=places, region=settings.region)
    driver.switch = switch
    engine = Engine(
        settings=settings,
        clock=clock,
        calls=calls,
        registry=registry,
        metrics=metrics,
        plans=plans,
        versions=versions,
        loader=loader,
        history=history,
        recorder=recorder,
        fact_log=fact_log,
        outside=outside,
        driver=driver,
        switch=switch,
        database=database,
    )
    engine.connect()
    changes.live = engine.fallbacks_changed
    return engine


@dataclass(kw_only=True)
class PlanChanges:
    """Whoever must act when plans go live."""

    metrics: EngineMetrics
    history: PlanHistory
    live: Callable[[], None] = lambda: None
    """Told that the PBX's fallbacks may have changed; until there is a link nobody needs to."""

    def swapped(self, swap: Swap) -> None:
        """Count it, keep it, and have the PBX told the fallbacks."""
        catalogue = swap.catalogue
        self.metrics.dialplans_loaded(
            complete=catalogue.ok,
            plans=len(catalogue.plans),
            issues=len(catalogue.issues),
            at_seconds=catalogue.loaded_at.timestamp(),
            refused=len(catalogue.refused),
            swapped=len(swap.live),
            seconds=swap.seconds,
        )
        self.history.note(swap)
        self.live()


@dataclass(kw_only=True)
class Engine:
    """All parts, and how they are started and stopped."""

    settings: Settings
    clock: SystemClock
    calls: LiveCalls
    registry: CollectorRegistry
    metrics: EngineMetrics
    plans: ServedPlans
    versions: PlanVersions
    loader: Loader
    history: PlanHistory
    recorder: Recorder
    fact_log: FactLog
    outside: Outside
    driver: Driver
    switch: AsteriskSwitch
    database: Database

    def connect(self) -> None:
        """Give the switch its link, and the metrics what they watch."""
        settings = self.settings
        address = AmiAddress(
            host=settings.ami_host,
            port=settings.ami_port,
            username=settings.ami_user,
            secret=settings.required_ami_secret(),
        )
        self.started_at = self.clock.now()
        self.lifetime = Lifetime(stop_seconds=settings.grace_seconds + STOP_SECONDS)
        self.tasks = Tasks(self.lifetime.died)
        self.aside = Tasks()  # what may fail once without ending the engine
        self.observation = Observation(self.database, self.clock.now)
        self.link = AmiLink(address, on_event=self.switch.on_event, on_state=self._on_link_state)
        self.switch.link = self.link
        self.fallbacks = Fallbacks(self.link, settings.region)
        shift = timedelta(seconds=settings.clock_shift_seconds)
        self.switch.shift = shift
        self.journal = EndedJournal(
            self.link,
            PlanLookup(by_version=self.versions.find, by_did=self.plans.for_did),
            settings.region,
            tell=self._tell_collected,
            live=lambda call_id: call_id in self.calls,
            known=partial(recorded_calls, self.database),
            shift=shift,
        )
        self.collecting = Collecting(
            self.journal, link_up=lambda: self.link.state is LinkState.UP, adopted=self.recorder.adopted
        )
        self.queue_check = QueueCheck(
            self.link,
            lambda: self.plans.catalogue.plans,
            link_up=lambda: self.link.state is LinkState.UP,
            on_checked=self.metrics.queues_checked,
        )
        self.media_watch = MediaWatch(
            self.link,
            settings.media_timeout_seconds,
            link_up=lambda: self.link.state is LinkState.UP,
            on_ended=self.metrics.leg_vanished,
        )
        self.driver.also_tell(self.journal)
        self.recorder.on_durable = self.journal.safe
        self.metrics.watch(
            Sources(
                live_calls=lambda: len(self.calls),
                link_up=lambda: self.link.state is LinkState.UP,
                link=self.link.counters,
                writer=self.recorder,
                notifications=lambda: self.outside.deliveries.backlog,
            )
        )

    def http_app(self, token: str) -> FastAPI:
        """The engine's own pages."""
        checks = {"asterisk": self._check_link, "dialplans": self._check_dialplans, "database": self._check_database}
        return create_engine_app(
            self.calls,
            self.registry,
            checks,
            token=token,
            now=self.clock.now,
            operations=Operations(status=self._status, reload=self._reload),
            notes={"dialplans": self._note_dialplans, "queues": self._note_queues},
        )

    async def serve(self, server: HttpServer, grace_seconds: float) -> None:
        """Start in order, live, and stop in the reverse order."""
        lifetime, tasks = self.lifetime, self.tasks
        lifetime.catch_signals(on_reload=self._reload_soon)
        recording = Tasks(lifetime.died)
        recording.start(self.recorder.run(), "recorder")
        recording.keep(self.history.run, "history of plans")
        self.outside.start(tasks)
        tasks.keep(self.observation.run, "observation")
        tasks.start(self.link.run(), "link to Asterisk")
        tasks.keep(self.collecting.run, "journal")
        tasks.keep(self.media_watch.run, "watch over media")
        tasks.keep(self.queue_check.run, "check of the queues")
        if self.settings.watch:
            tasks.keep(Watcher(self.loader, self.plans).run, "watch over the dialplans")
        web = tasks.start(server.run_until_stopped(), "http")
        if self.settings.realtime:  # now: a start may take its time, and calls that wait may not
            take_precedence()
        await self._first_login()
        await lifetime.stopping.wait()

        self.switch.draining = True
        await self._calls_finish(grace_seconds)
        if self.link.state is not LinkState.UP and not isinstance(self.link.failure, AmiRefused):
            # Who refuses us lives, and so do its channels: its journal will tell, or the engine that holds our place.
            self._conclude_unseen()
        # The recorder first: what it commits is struck off Asterisk's journal, and what ends after it is found there.
        await self.recorder.close(RECORDER_SECONDS)
        self.observation.ends(self.clock.now(), "the engine was stopped")
        self.journal.flush()
        await self.link.close()
        server.stop()
        await asyncio.wait([web], timeout=3.0)
        await tasks.stop()
        await self.aside.stop()
        await self.outside.stop()
        await recording.stop()
        await self.observation.flush()
        await self.history.flush()
        self.fact_log.flush()
        if lifetime.fatal is not None:
            raise lifetime.fatal

    async def _first_login(self) -> None:
        """A wrong secret ends the start; an Asterisk that is not there yet is waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FIRST_LOGIN_SECONDS
        while loop.time() < deadline and not self.lifetime.stopping.is_set():
            if self.link.state is LinkState.UP:
                return
            refused = self.link.failure
            if isinstance(refused, AmiRefused) and not refused.in_use:
                self.lifetime.died("the log-in to Asterisk", refused)
                return
            await asyncio.sleep(0.02)

    async def _calls_finish(self, grace_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_seconds
        while len(self.calls) and loop.time() < deadline:
            await asyncio.sleep(0.05)
        if len(self.calls):
            log.warning("calls are left to Asterisk", calls=len(self.calls))

    def _conclude_unseen(self) -> None:
        """Asterisk is gone, and so are its channels and perhaps its journal: the calls ended when the link did."""
        at = self.switch.lost_at or self.clock.now()
        for live in self.calls:
            lost = ControlLost(reason="the link to Asterisk was lost, and the engine stopped", at=at)
            self.driver.tell(live.call.call_id, lost)
            self.driver.tell(live.call.call_id, CallerHungUp(at=at))

    def _tell_collected(self, ended: CallEnded) -> None:
        for observer in (self.recorder, self.metrics, self.fact_log):
            observer.observe([ended])

    def _on_link_state(self, state: LinkState, reason: str) -> None:
        if state is LinkState.UP:
            self.observation.begins(self.clock.now())
            self.tasks.start(self._after_login(), "after log-in")
        elif state is not LinkState.CONNECTING:
            if self.observation.watching:
                self.switch.lost_at = self.clock.now()
            self.observation.ends(self.clock.now(), reason)

    async def _after_login(self) -> None:
        """Whatever may have happened while nobody watched."""
        try:
            await self.switch.resync()
            await self._publish_fallbacks(afresh=True)
            self.queue_check.look_soon()
            self.aside.start(self._collect(), "journal after log-in")
        except AmiError as error:
            log.warning("the link went away right after the log-in; the next one does it again", reason=str(error))

    async def _collect(self) -> None:
        with contextlib.suppress(AmiError):  # the next round, or the next log-in, does it again
            await self.collecting.once()

    def fallbacks_changed(self) -> None:
        """Plans went live: the PBX is told, if it is there; if not, after the next log-in."""
        self.queue_check.look_soon()
        if self.link.state is LinkState.UP:
            self.aside.start(self._republish_fallbacks(), "fallbacks")

    async def _republish_fallbacks(self) -> None:
        with contextlib.suppress(AmiError):  # the next log-in does it again
            await self._publish_fallbacks(afresh=False)

    async def _publish_fallbacks(self, *, afresh: bool) -> None:
        catalogue = self.plans.catalogue
        plans = catalogue.plans.values()
        # Whose file is wrong and who has no good plan any more: his fallback of before is all there is.
        complete = catalogue.refused <= {plan.source for plan in plans}
        await self.fallbacks.publish(list(plans), complete=complete, afresh=afresh)

    def _reload_soon(self) -> None:
        self.aside.start(self._reload(), "reload")

    async def _reload(self) -> None:
        await self.plans.reload(Why.ASKED)
        self.queue_check.look_soon()  # also when no file has changed: whoever asks may have mended Asterisk's

    async def _check_link(self) -> str | None:
        return None if self.link.state is LinkState.UP else self.link.reason

    async def _check_dialplans(self) -> str | None:
        return None if self.plans.catalogue.plans else "no client's file can be served: run `callrouter check`"

    async def _note_dialplans(self) -> str | None:
        return self.plans.trouble or None

    async def _note_queues(self) -> str | None:
        return self.queue_check.trouble

    async def _status(self) -> StatusOut:
        checks = {"asterisk": self._check_link, "dialplans": self._check_dialplans, "database": self._check_database}
        failed = await failed_checks(checks | {"dialplan files": self._note_dialplans, "queues": self._note_queues})
        walked = Counter((live.plan.client, live.plan.version) for live in self.calls)
        return StatusOut(
            version=__version__,
            at=self.clock.now(),
            started_at=self.started_at,
            problems=[f"{name}: {reason}" for name, reason in failed.items()],
            asterisk=failed.get("asterisk", "up"),
            database=failed.get("database", "up"),
            live_calls=len(self.calls),
            backlog=self.recorder.backlog,
            backlog_seconds=self.recorder.oldest_seconds,
            dialplans=DialplansOut.of(self.plans, walked, watching=self.settings.watch),
        )

    async def _check_database(self) -> str | None:
        return self.recorder.away_because
