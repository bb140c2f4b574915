"""What the engine keeps on its disk of the plans that are live, for the other processes of the machine."""

from __future__ import annotations

from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.live_plans import FOLDER as LIVE
from callrouter.app.live.live_plans import LivePlans
from callrouter.dialplan import PaperSpeech
from callrouter.runtime.clock import SystemClock
from callrouter.settings import Settings


def plans_on_disk(settings: Settings, clock: SystemClock) -> DiskPlans:
    """What the engine keeps of the plans that are live, where it runs on this machine."""
    disk = LivePlans(settings.data_dir / LIVE)
    return DiskPlans(disk, PaperSpeech(), region=settings.region, now=clock.now)
