"""The worker's parts, by the operator's settings."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from callrouter import __version__
from callrouter.app.versions import KeptPlans, PlansInService
from callrouter.app.web import plans_on_disk
from callrouter.core.dispatch import Means
from callrouter.delivery.channel import Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.delivery.parcel import Parcel
from callrouter.dialplan import PaperSpeech
from callrouter.dispatch.sending import Links, Sender
from callrouter.dispatch.sweeping import Sweeper
from callrouter.dispatch.working import Worker
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.fence import boot_seconds
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.settings import Settings, load_secrets
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease

LEASE: Final = "dispatch"
ALIVE: Final = "worker.alive"
"""In the data folder."""


def worker_of(settings: Settings, database: Database, due: asyncio.Event) -> Worker:
    """It, by the operator's settings; `due` is set when there is something to do.

    Raises:
        SettingsError: a secret cannot be used.
    """
    clock = SystemClock(settings.clock_shift_seconds)
    kept = KeptPlans(database, PaperSpeech(), settings.region)
    plans = PlansInService(database, kept, partial(plans_on_disk, settings, clock))
    lease = Lease(database, LEASE, f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}")
    http = GuardedHttp(settings.outgoing_hosts, load_secrets(), user_agent=f"callrouter/{__version__}")
    return Worker(
        database=database,
        lease=lease,
        sweeper=Sweeper(database, lease, plans.live, clock),
        sender=Sender(
            database=database,
            lease=lease,
            plans=plans.live,
            clock=clock,
            channels=Channels(CHANNELS, Tools(http=http)),
            write=partial(_body, settings),
            links=Links(public_url="", hours=72.0),
            recordings=settings.recordings_dir,
            wake=due.set,
        ),
        clock=clock,
        due=due,
        seconds=boot_seconds,
        alive=partial(_touch, settings.data_dir / ALIVE),
    )


def _touch(path: Path) -> None:
    """Show that it lives: a health check looks at the file's time. A disk that fails is no end of it."""
    with suppress(OSError):
        path.touch()


def _body(settings: Settings, means: Means, parcel: Parcel) -> str:
    raise NotImplementedError
