"""The parts of the engine that belong together, one function each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from callrouter.api.supervision.here import OverseenHere
from callrouter.app.dialplans import Dialplans, PlanChanges, load_dialplans, speech_of
from callrouter.app.folders import SPOOL
from callrouter.app.history import PlanHistory
from callrouter.app.live.agent_ids import FILE as AGENTS_FILE
from callrouter.app.live.agent_ids import AgentIds
from callrouter.app.live.last_live import FOLDER as LIVE
from callrouter.app.live.last_live import LiveKeeper
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.observation import Observation
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.queues_ready import QueuesReady
from callrouter.app.records import Records
from callrouter.app.web_services import WebServices
from callrouter.app.wiring.ground import Ground
from callrouter.asterisk.agents.at_work import AgentsAtWork
from callrouter.asterisk.agents.derived_crew import DerivedCrew
from callrouter.asterisk.journal import EndedJournal, PlanLookup
from callrouter.asterisk.line.recordings import recorded_in
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.pbx.media_watch import MediaWatch
from callrouter.asterisk.pbx.outgoing import OutgoingCalls
from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.pbx.refused import RefusedCalls
from callrouter.asterisk.pbx.trunk_check import TrunkCheck
from callrouter.asterisk.supervision.listening import Supervision
from callrouter.asterisk.supervision.recordings import Conversations
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.teams.document import Teams
from callrouter.core.inputs import RecordingTold, SupervisorTold
from callrouter.metrics import DialplanMetrics, EngineMetrics
from callrouter.outgoing.callbacks import Callbacks
from callrouter.outgoing.ports import OpenCallback
from callrouter.permissions import OURSELVES
from callrouter.runtime.driver import Driver
from callrouter.runtime.fact_log import FactLog
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.ports import Directory
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.audit import Deed
from callrouter.store.access.trail import AuditTrail
from callrouter.store.agents.pins import PinBook
from callrouter.store.agents.sessions import SessionLog
from callrouter.store.calls import recorded_calls
from callrouter.store.incarnation import renamed
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.recorder import Recorder
from callrouter.store.tables import AuditOutcome
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.writer import Writer
from callrouter.stream.feed import Feed
from callrouter.stream.making import EventMaker


async def dialplans_of(ground: Ground) -> tuple[Dialplans, PlanHistory, LiveKeeper, OutgoingCheck]:
    """The clients' plans in service, and who is told when others are."""
    settings, database = ground.settings, ground.database
    history = PlanHistory(database, settings.dialplans_dir)
    outgoing = OutgoingCheck(settings.outgoing_hosts, ground.secrets)
    keeper = LiveKeeper(LivePlans(settings.data_dir / LIVE))
    changes = PlanChanges(
        metrics=DialplanMetrics(ground.registry),
        history=history,
        keeper=keeper,
        outgoing=outgoing,
        fallbacks=ground.fallbacks,
        link=ground.link,
        queues_due=ground.queues_due,
        names_due=ground.names_due,
        agents_due=ground.agents_due,
        handover=ground.handover,
        queues_ready=QueuesReady(ground.handover, members_due=ground.members_due, members_seen=ground.members_seen),
        tasks=ground.aside,
    )
    dialplans = await load_dialplans(settings, database, ground.clock, ground.calls, changes)
    return dialplans, history, keeper, outgoing


def records_of(
    ground: Ground, dialplans: Dialplans, history: PlanHistory, keeper: LiveKeeper
) -> tuple[Records, EndedJournal]:
    """What is kept of what happens; and what Asterisk keeps of it until we have."""
    settings, database = ground.settings, ground.database
    journal = EndedJournal(
        ground.link,
        PlanLookup(by_version=dialplans.versions.find, by_did=dialplans.served.for_did),
        settings.region,
        live=ground.calls.__contains__,
        known=partial(recorded_calls, database),
        listen=partial(recorded_in, settings.recordings_dir),
        shift=ground.shift,
        pbx=settings.pbx,
    )
    fact_journal = FactJournal(Writer(database), settings.data_dir / SPOOL)
    records = Records(
        recorder=Recorder(database, settings.data_dir / SPOOL, on_durable=partial(_tell_safe, journal, fact_journal)),
        fact_journal=fact_journal,
        history=history,
        keeper=keeper,
        observation=Observation(
            database,
            ground.clock.now,
            pbx=settings.pbx,
            formerly=ground.incarnation.formerly,
            on_taken_up=partial(renamed, settings.data_dir, ground.incarnation),
        ),
        trail=AuditTrail(database),
        agent_ids=AgentIds(database, partial(_agents_file, dialplans), due=ground.agents_due),
        fact_log=FactLog(),
        tasks=Tasks(ground.lifetime.died),
    )
    return records, journal


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Calls that we place ourselves, and why."""

    calls: OutgoingCalls
    callbacks: Callbacks


def placed_of(ground: Ground, dialplans: Dialplans, trail: AuditTrail) -> Placed:
    """Callbacks, and the calls that they take."""
    settings = ground.settings
    calls = OutgoingCalls(ground.link, dial_pattern=settings.trunk_dial, pause=ground.pause, shift=ground.shift)
    callbacks = Callbacks(
        CallbackRows(ground.database, settings.pbx, ground.incarnation.formerly, epoch=ground.incarnation.epoch),
        calls,
        plans=lambda: dialplans.served.catalogue.plans,
        live=lambda: [live.call for live in ground.calls],
        now=ground.clock.now,
        link_up=ground.link_up,
        on_refused=lambda refused: trail.note(_refusal(refused)),
    )
    return Placed(calls=calls, callbacks=callbacks)


def overseen_of(
    ground: Ground,
    trail: AuditTrail,
    switch: Callable[[], AsteriskSwitch],
    driver: Callable[[], Driver],
    directory: Directory,
) -> OverseenHere:
    """Who records conversations and listens to them; `switch` and `driver` are made later, and asked at each deed."""

    def channel_of(call_id: str) -> str:
        return switch().channel_of(call_id)

    def tell(call_id: str, told: RecordingTold | SupervisorTold) -> None:
        driver().tell(call_id, told)

    conversations = Conversations(
        ground.link,
        ground.calls,
        channel_of=channel_of,
        tell=tell,
        now=ground.clock.now,
        folder=ground.settings.recordings_dir,
        tasks=ground.aside,
    )
    supervision = Supervision(
        ground.link,
        ground.calls,
        channel_of=channel_of,
        follow=lambda channel, call_id: switch().follow(channel, call_id),
        tell=tell,
        now=ground.clock.now,
        directory=directory,
    )
    return OverseenHere(
        calls=ground.calls,
        supervision=supervision,
        conversations=conversations,
        clock=ground.clock,
        note=trail.note,
    )


def feed_of(ground: Ground, dialplans: Dialplans, web_services: WebServices) -> Feed:
    """What readers of the stream are told."""
    clock, epoch = ground.clock, ground.incarnation.epoch
    event_maker = EventMaker(ground.calls, lambda: dialplans.served.catalogue.plans, clock.now)
    return Feed(
        epoch,
        event_maker,
        calls=ground.calls,
        now=clock.now,
        also_tell=web_services.event_webhook(ground.settings, epoch),
    )


def calls_of(
    ground: Ground,
    dialplans: Dialplans,
    web_services: WebServices,
    listeners: Listeners,
    metrics: EngineMetrics,
    directory: Directory,
) -> tuple[AsteriskSwitch, Driver]:
    """Calls in progress: Asterisk's side of them, and what decides."""
    settings = ground.settings
    places = Places(
        recordings_dir=str(settings.recordings_dir.absolute()),
        dial_pattern=settings.trunk_dial,
        directory=directory,
        pause=ground.pause,
    )
    switch = AsteriskSwitch(
        ground.link,
        clock=ground.clock,
        meter=metrics,
        places=places,
        region=settings.region,
        shift=ground.shift,
        derived=ground.handover.derived_from,
    )
    driver = Driver(
        switch,
        web_services.lookups,
        plans=dialplans.served,
        clock=ground.clock,
        listeners=listeners,
        meter=metrics,
        calls=ground.calls,
        pbx=settings.pbx,
        epoch=ground.incarnation.epoch,
    )
    ground.clock.tells(driver.redate)
    ground.clock.tells(switch.redate)
    return switch, driver


def agents_of(ground: Ground, dialplans: Dialplans, trail: AuditTrail) -> AgentsAtWork:
    """Who answers callers, and where they are."""
    settings, database = ground.settings, ground.database
    return AgentsAtWork.of(
        ground.link,
        DerivedCrew(lambda: dialplans.served.catalogue.crew, lambda: ground.handover.derived),
        due=ground.members_due,
        seen=ground.members_seen,
        clock=ground.clock,
        shift=ground.shift,
        say=speech_of(settings).say,
        pins=PinBook(database),
        sessions=SessionLog(database, settings.data_dir / SPOOL, pbx=settings.pbx),
        note=trail.note,
        tasks=ground.aside,
    )


@dataclass(frozen=True, kw_only=True)
class Watches:
    """What looks, again and again, whether Asterisk is as we need it."""

    queues: QueueCheck
    trunk: TrunkCheck
    media: MediaWatch
    refused: RefusedCalls


def watches_of(ground: Ground, dialplans: Dialplans, metrics: EngineMetrics) -> Watches:
    """All of them."""
    link, link_up, handover = ground.link, ground.link_up, ground.handover
    return Watches(
        queues=QueueCheck(
            link,
            lambda: dialplans.served.catalogue.plans,
            lambda: handover.teams or Teams(),
            due=ground.queues_due,
            link_up=link_up,
            pending=lambda: handover.is_pending,
            on_checked=metrics.queues_checked,
            on_different=handover.again,
        ),
        trunk=TrunkCheck(link, link_up=link_up, on_checked=metrics.trunk_checked),
        media=MediaWatch(
            link,
            ground.settings.media_timeout_seconds,
            link_up=link_up,
            on_ended=metrics.leg_vanished,
        ),
        refused=RefusedCalls(link, link_up=link_up, now=ground.clock.now),
    )


def _agents_file(dialplans: Dialplans) -> bytes:
    """What the clients' folder says of agents, as it stands there."""
    return dialplans.served.catalogue.documents.get(AGENTS_FILE, b"")


def _tell_safe(journal: EndedJournal, facts: FactJournal, call_ids: Sequence[str]) -> None:
    """These calls need neither journal any more, Asterisk's or ours."""
    journal.safe(call_ids)
    facts.safe(call_ids)


def _refusal(callback: OpenCallback) -> Deed:
    """Of a callback whose number may not be dialled any more: for the audit trail; the number stands in its row."""
    wish = "/".join(map(str, callback.wish))
    refused = AuditOutcome.REFUSED
    return Deed(principal=OURSELVES, action="callback.dial", object=wish, client=callback.client, outcome=refused)
