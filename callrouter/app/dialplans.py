"""The clients' files as the engine serves them: loaded, kept by version, and passed to whoever acts on a change."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from callrouter.app.history import PlanHistory, revive
from callrouter.app.versions import PlanVersions
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.provision import Fallbacks
from callrouter.core.call import Call
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan import Catalogue, Loader
from callrouter.dialplan.folder.sound_files import sound_folders
from callrouter.errors import AmiError
from callrouter.metrics import DialplanMetrics
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.reload import ServedPlans, Swap
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.speech import Speech
from callrouter.store.database import Database


@dataclass(frozen=True, kw_only=True)
class PlanChanges:
    """Whoever must act when plans go live."""

    metrics: DialplanMetrics
    history: PlanHistory
    fallbacks: Fallbacks
    link: AmiLink
    queues_due: asyncio.Event
    """Set when the PBX's queues are to be compared with the plans'."""
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
            swapped=len(swap.live),
            seconds=swap.seconds,
        )
        self.history.note(swap)
        self.queues_due.set()
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


async def load_dialplans(
    settings: Settings, database: Database, clock: SystemClock, calls: LiveCalls, changes: PlanChanges
) -> Dialplans:
    """Load the folder; a client whose file is wrong has the plan that was in service last."""
    folder = settings.dialplans_dir if settings.dialplans_dir.is_dir() else settings.dialplans_dir.parent
    sounds_dirs = sound_folders(folder, settings.sounds_dirs)
    speech = Speech(settings.prompts_dir, sounds_dirs, engine=settings.speech_engine, voices=settings.speech_voices)
    loader = Loader(settings.dialplans_dir, speech, region=settings.region, sounds_dirs=sounds_dirs)
    catalogue = await revive(database, await asyncio.to_thread(loader.load, clock.now()), speech)
    served = ServedPlans(
        catalogue, loader, calls, now=clock.now, on_swap=changes.swapped, on_failure=changes.metrics.failed
    )
    versions = PlanVersions(served, database, speech)
    return Dialplans(loader=loader, served=served, versions=versions)
