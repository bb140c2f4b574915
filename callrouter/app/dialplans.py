"""The clients' files as the engine serves them: loaded, kept by version, and passed to whoever acts on a change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from callrouter.app.history import PlanHistory
from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.expected_routes import ExpectedRoutes
from callrouter.app.live.first_load import FirstLoad
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.live.last_live import SoundsAway
from callrouter.app.live.live_plans import FOLDER as LIVE
from callrouter.app.live.live_plans import Version
from callrouter.app.live.made_ahead import MadeAhead
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.queues_ready import QueuesReady
from callrouter.app.versions import PlanVersions
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.call import Call
from callrouter.core.plan import Plan
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan import Catalogue, Loader
from callrouter.dialplan.folder.catalogue import unknown_plan
from callrouter.dialplan.folder.derived_bound import derived_of
from callrouter.dialplan.folder.look import folder_of
from callrouter.dialplan.folder.sound_files import sound_folders
from callrouter.dialplan.shared.reading import Shared
from callrouter.errors import AmiError
from callrouter.metrics import DialplanMetrics
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.giving_way import giving_way
from callrouter.runtime.reload import ServedPlans, Swap, Why
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.speech import Speech
from callrouter.store.database import Database


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
        self.tasks.start(self._look_at_outgoing(catalogue), "check of web services")
        self.queues_due.set()
        self.names_due.set()
        self.agents_due.set()
        if self.link.state is LinkState.UP:
            # The log-in was before the first load: what AstDB holds is not known yet.
            self.tasks.start(self._publish(catalogue, afresh=swap.why is Why.START), "fallbacks")

    async def _look_at_outgoing(self, catalogue: Catalogue) -> None:
        """Every node of every tree is asked: with 800 clients that is too long for the loop."""
        with giving_way():
            await asyncio.to_thread(self.outgoing.look, catalogue.plans.values())

    async def _publish(self, catalogue: Catalogue, *, afresh: bool) -> None:
        with contextlib.suppress(AmiError):  # the next log-in does it again
            await self.fallbacks.publish_all(catalogue, afresh=afresh)


@dataclass(frozen=True, kw_only=True)
class Dialplans:
    """The clients' files, and what is made of them."""

    loader: Loader
    served: ServedPlans
    disk: DiskPlans
    versions: PlanVersions
    first_load: FirstLoad

    def target_of(self, call: Call) -> ServiceLevelTarget | None:
        """What the call's client was promised, by the plan the call walks; None when that plan is not at hand."""
        plan = self.versions.at_hand(call.client, call.plan_version)
        return plan.service_level if plan else None

    @property
    def is_new_here(self) -> bool:
        """Whether nothing was ever live here, as far as the disk knows."""
        return self.disk.is_empty

    async def load(self) -> None:
        """Load the folder: what is served from then on is what it says, as far as it passes.

        Raises:
            DialplanError: there is no folder with clients' files, and none was ever live here.
        """
        await self.first_load.into(self.served)
        self.disk.all_loaded()


def speech_of(settings: Settings) -> Speech:
    """What speaks texts and finds sound files.

    Raises:
        SpeechError: its engine, or a voice, is none.
    """
    folders = sound_folders(folder_of(settings.dialplans_dir), settings.sounds_dirs)
    return Speech(settings.prompts_dir, folders, engine=settings.speech_engine, voices=settings.speech_voices)


def made_ahead_of(settings: Settings, now: Callable[[], datetime]) -> MadeAhead:
    """What an engine that waits makes of what is live."""

    def sounds() -> SoundsAway:
        folders = sound_folders(folder_of(settings.dialplans_dir), settings.sounds_dirs)
        return SoundsAway(speech_of(settings), folders[0])

    return MadeAhead(settings.data_dir / LIVE, sounds, region=settings.region, now=now)


def prepare_dialplans(
    settings: Settings,
    database: Database,
    clock: SystemClock,
    calls: LiveCalls,
    changes: PlanChanges,
    *,
    took_over: bool = False,
    ahead: Mapping[Version, Plan] | None = None,
) -> Dialplans:
    """Nothing is loaded yet, and plans of what was live last can be found, one by one. `took_over`: whether another
    engine led here until a moment ago; `ahead`: plans that were made meanwhile.

    Raises:
        SpeechError: what callers of unknown numbers hear cannot be spoken.
    """
    sounds_dirs = sound_folders(folder_of(settings.dialplans_dir), settings.sounds_dirs)
    speech = speech_of(settings)
    loop = asyncio.get_running_loop()
    loader = Loader(
        settings.dialplans_dir,
        speech,
        region=settings.region,
        sounds_dirs=sounds_dirs,
        on_shared=lambda shared: _in_loop(loop, changes.handover.folder_says, shared),
    )
    unknown = unknown_plan(speech)  # not in a thread: nothing else is to be done, and the sentence is there as a rule
    routes = ExpectedRoutes(settings.dialplans_dir, refuses=settings.expected_routes == "refuse", now=clock.now)
    served = ServedPlans(
        Catalogue(plans={}, unknown=unknown, loaded_at=clock.now(), region=settings.region),
        loader,
        calls,
        now=clock.now,
        is_loaded=False,
        judge=routes.judge,
        ready=changes.queues_ready,
        on_swap=changes.swapped,
        on_failure=changes.metrics.failed,
    )
    whatever = SoundsAway(speech, sounds_dirs[0])
    disk = DiskPlans(
        changes.keeper.disk,
        whatever,
        region=settings.region,
        now=clock.now,
        hurries=settings.realtime,
        ahead=ahead,
    )
    return Dialplans(
        loader=loader,
        served=served,
        disk=disk,
        versions=PlanVersions(served, disk, database, speech, on_found=changes.keeper.found),
        first_load=FirstLoad(
            loader,
            routes,
            database,
            changes.keeper,
            speech=speech,
            whatever=whatever,
            hurries=settings.realtime,
            took_over=took_over,
        ),
    )


def _in_loop(loop: asyncio.AbstractEventLoop, tell: Callable[[Shared], None], shared: Shared) -> None:
    """From the thread that loads; a loop that has ended serves nobody any more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(tell, shared)
