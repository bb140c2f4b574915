"""The clients' files as the engine serves them: loaded, kept by version, and passed to whoever acts on a change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from callrouter.app.history import PlanHistory
from callrouter.app.live.expected_routes import ExpectedRoutes
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.live.last_live import (
    LastLive,
    SoundsAway,
    admitted_as_before,
    last_live,
    nothing_loaded,
    revive,
)
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.queues_ready import QueuesReady
from callrouter.app.versions import PlanVersions
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.call import Call, replace
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan import Catalogue, Loader
from callrouter.dialplan.folder.derived_bound import derived_of
from callrouter.dialplan.folder.look import folder_of
from callrouter.dialplan.folder.sound_files import sound_folders
from callrouter.dialplan.shared.reading import Shared
from callrouter.errors import AmiError, DialplanError
from callrouter.metrics import DialplanMetrics
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.reload import KeptPlans, ServedPlans, Swap
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.speech import Speech
from callrouter.store.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class PlanChanges:
    """Whoever must act when plans go live."""

    metrics: DialplanMetrics
    history: PlanHistory
    keeper: LiveKeeper
    outgoing: OutgoingCheck
    fallbacks: Fallbacks
    link: AmiLink
    queues_due: asyncio.Event
    """Set when the PBX's queues are to be compared with the plans'."""
    names_due: asyncio.Event
    """Set when plans may name other queues than before."""
    agents_due: asyncio.Event
    """Set when there may be other agents than before."""
    handover: Handover
    queues_ready: QueuesReady
    tasks: Tasks
    """What may fail once without ending the engine."""

    def swapped(self, swap: Swap) -> None:
        """Count it, keep it, compare the queues, and publish the fallbacks; if the PBX is away, after the log-in."""
        catalogue = swap.catalogue
        self.metrics.loaded(
            complete=catalogue.ok,
            plans=len(catalogue.plans),
            issues=len(catalogue.issues),
            at_seconds=catalogue.loaded_at.timestamp(),
            refused=len(catalogue.refused),
            overdue=len(catalogue.overdue),
            derived=len(derived_of(catalogue.plans)),
            swapped=len(swap.live),
            seconds=swap.seconds,
            renamed=[(plan.client, name) for plan in catalogue.plans.values() for name in plan.formerly],
        )
        self.history.note(swap)
        self.keeper.note(swap)
        self.outgoing.look(catalogue.plans.values())
        self.queues_due.set()
        self.names_due.set()
        self.agents_due.set()
        if self.link.state is LinkState.UP:
            self.tasks.start(self._publish(catalogue), "fallbacks")

    async def _publish(self, catalogue: Catalogue) -> None:
        with contextlib.suppress(AmiError):  # the next log-in does it again
            await self.fallbacks.publish_all(catalogue, afresh=False)


@dataclass(frozen=True, kw_only=True)
class Dialplans:
    """The clients' files, and what is made of them."""

    loader: Loader
    served: ServedPlans
    versions: PlanVersions

    def target_of(self, call: Call) -> ServiceLevelTarget | None:
        """What the call's client was promised, by the plan the call walks; None when that plan is not at hand."""
        plan = self.versions.at_hand(call.client, call.plan_version)
        return plan.service_level if plan else None


def speech_of(settings: Settings) -> Speech:
    """What speaks texts and finds sound files.

    Raises:
        SpeechError: its engine, or a voice, is none.
    """
    folders = sound_folders(folder_of(settings.dialplans_dir), settings.sounds_dirs)
    return Speech(settings.prompts_dir, folders, engine=settings.speech_engine, voices=settings.speech_voices)


async def load_dialplans(
    settings: Settings, database: Database, clock: SystemClock, calls: LiveCalls, changes: PlanChanges
) -> Dialplans:
    """Load the folder; a client whose file is wrong has the plan that was live last, and so have all without a folder.

    Raises:
        DialplanError: there is no folder with clients' files, and none was ever live here.
    """
    folder = folder_of(settings.dialplans_dir)
    sounds_dirs = sound_folders(folder, settings.sounds_dirs)
    speech = speech_of(settings)
    loop = asyncio.get_running_loop()
    loader = Loader(
        settings.dialplans_dir,
        speech,
        region=settings.region,
        sounds_dirs=sounds_dirs,
        on_shared=lambda shared: _in_loop(loop, changes.handover.folder_says, shared),
    )
    routes = ExpectedRoutes(settings.dialplans_dir, refuses=settings.expected_routes == "refuse", now=clock.now)
    last = await last_live(database, changes.keeper.disk)
    catalogue, failure = await _load_first(loader, routes, last, speech, clock.now())
    started = await revive(last, catalogue, SoundsAway(speech, sounds_dirs[0]) if failure else speech)
    if failure:
        log.error("the engine starts with the plans it kept", reason=failure, clients=len(started.plans))
        started = replace(started, refused=frozenset())
    revived = await last.fetch([client for client in started.plans if client not in started.uses])
    changes.keeper.revived(revived)
    served = ServedPlans(
        started,
        loader,
        calls,
        now=clock.now,
        kept=KeptPlans(
            since={one.client: last.versions[one.client].live_at for one in revived},
            changed_at=last.changed_at,
            failure=failure,
        ),
        judge=routes.judge,
        ready=changes.queues_ready,
        on_swap=changes.swapped,
        on_failure=changes.metrics.failed,
    )
    versions = PlanVersions(served, database, speech)
    return Dialplans(loader=loader, served=served, versions=versions)


def _in_loop(loop: asyncio.AbstractEventLoop, tell: Callable[[Shared], None], shared: Shared) -> None:
    """From the thread that loads; a loop that has ended serves nobody any more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(tell, shared)


async def _load_first(
    loader: Loader, routes: ExpectedRoutes, last: LastLive, speech: Speech, now: datetime
) -> tuple[Catalogue, str]:
    """The folder's catalogue; without a folder an empty one, and why.

    Raises:
        DialplanError: there is no folder with clients' files, and none was ever live here.
    """
    try:
        loaded = await asyncio.to_thread(loader.load, now)
    except DialplanError as error:
        if not last.versions:
            raise
        return nothing_loaded(last, speech, loader.region, now), str(error)
    loaded = await admitted_as_before(loader, loaded, last, now)
    live = {client: one.version for client, one in last.versions.items()}
    return await asyncio.to_thread(routes.judge, loaded, live), ""
