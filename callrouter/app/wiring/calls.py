"""Calls: those in progress, those that we place ourselves, and who works on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from callrouter.app.dialplans import Dialplans, speech_of
from callrouter.app.folders import SPOOL
from callrouter.app.web_services import WebServices
from callrouter.app.wiring.ground import Ground
from callrouter.asterisk.agents.at_work import AgentsAtWork
from callrouter.asterisk.agents.derived_crew import DerivedCrew
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.pbx.callback_agents import CallbackAgents
from callrouter.asterisk.pbx.message_calls import MessageCalls
from callrouter.asterisk.pbx.outgoing import OutgoingCalls
from callrouter.asterisk.supervision.listening import Supervision
from callrouter.asterisk.supervision.recordings import Conversations
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.transfers.consultations import Consultations
from callrouter.asterisk.transfers.control import CallControl
from callrouter.core.inputs import RecordingTold, SupervisorTold
from callrouter.dispatch.spoken import Say, SpokenMessages
from callrouter.metrics import EngineMetrics
from callrouter.outgoing.callbacks import Callbacks
from callrouter.outgoing.dialler import PlanDialler
from callrouter.outgoing.ports import OpenCallback
from callrouter.outgoing.telling import TelephoneTellings
from callrouter.permissions import OURSELVES
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.ports import CallKeeper, Directory
from callrouter.speech import Speech
from callrouter.store.access.audit import Deed
from callrouter.store.access.trail import AuditTrail
from callrouter.store.agents.pins import PinBook
from callrouter.store.agents.sessions import SessionLog
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.outgoing.telling import MessageCallRows
from callrouter.store.tables import AuditOutcome
from callrouter.stream.feed import Feed
from callrouter.stream.making import EventMaker


def calls_of(
    ground: Ground,
    dialplans: Dialplans,
    web_services: WebServices,
    listeners: Listeners,
    metrics: EngineMetrics,
    directory: Directory,
    keeper: CallKeeper,
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
        keeper=keeper,
    )
    ground.clock.tells(driver.redate)
    ground.clock.tells(switch.redate)
    return switch, driver


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Calls that we place ourselves, and why."""

    calls: OutgoingCalls
    callbacks: Callbacks
    callback_agents: CallbackAgents
    tellings: TelephoneTellings

    def heard(self) -> None:
        """Something became of a call of ours."""
        self.callbacks.heard()
        self.tellings.heard()


def placed_of(ground: Ground, dialplans: Dialplans, trail: AuditTrail) -> Placed:
    """Callbacks, calls that tell of messages, and what places both."""
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
    tellings = TelephoneTellings(
        MessageCallRows(ground.database, settings.pbx, ground.incarnation.formerly, epoch=ground.incarnation.epoch),
        MessageCalls(ground.link, dial_pattern=settings.trunk_dial, shift=ground.shift),
        _spoken_of(ground, dialplans),
        PlanDialler(lambda: dialplans.served.catalogue.plans, ground.secrets),
        at_once=settings.message_calls,
        now=ground.clock.now,
        link_up=ground.link_up,
    )
    agents = CallbackAgents(ground.link)
    return Placed(calls=calls, callbacks=callbacks, callback_agents=agents, tellings=tellings)


def _spoken_of(ground: Ground, dialplans: Dialplans) -> SpokenMessages:
    settings = ground.settings

    def into(folder: Path) -> Say:
        return Speech(folder, engine=settings.speech_engine, voices=settings.speech_voices).say

    return SpokenMessages(
        ground.database,
        lambda client: dialplans.served.catalogue.plans.get(client),
        speech_of(settings).say,
        into,
        prompts=settings.prompts_dir,
        recordings=settings.recordings_dir,
        pbx=settings.pbx,
    )


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
class Overseen:
    """What supervisors do with conversations."""

    supervision: Supervision
    conversations: Conversations


def overseen_of(
    ground: Ground,
    switch: Callable[[], AsteriskSwitch],
    driver: Callable[[], Driver],
    directory: Directory,
) -> Overseen:
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
    return Overseen(supervision=supervision, conversations=conversations)


def control_of(ground: Ground, switch: AsteriskSwitch, driver: Driver, directory: Directory) -> CallControl:
    """What agents do with the callers they talk to."""
    consultations = Consultations(
        ground.link, switch, ground.calls, places=switch.places, tell=driver.tell, now=ground.clock.now
    )
    return CallControl(ground.link, ground.calls, consultations, directory, link_up=ground.link_up)


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


def _refusal(callback: OpenCallback) -> Deed:
    """Of a callback whose number may not be dialled any more: for the audit trail; the number stands in its row."""
    wish = "/".join(map(str, callback.wish))
    refused = AuditOutcome.REFUSED
    return Deed(principal=OURSELVES, action="callback.dial", object=wish, client=callback.client, outcome=refused)
