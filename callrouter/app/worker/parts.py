"""The worker's parts, by the operator's settings."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callrouter import __version__
from callrouter.app.web_services import channels_of, sender_of
from callrouter.core.dispatch import Means
from callrouter.core.plan import Plan
from callrouter.delivery.channel import Channels
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import body_of
from callrouter.dispatch.days import DayTeller, DayTelling
from callrouter.dispatch.due_clock import DueClock
from callrouter.dispatch.enclosing import Links
from callrouter.dispatch.heartbeat import Heartbeat
from callrouter.dispatch.parcels import KeptPlan, LivePlan
from callrouter.dispatch.receipts.noting import Reports
from callrouter.dispatch.reporting import Reporter
from callrouter.dispatch.reporting import Sender as ReportSender
from callrouter.dispatch.sending import Sender, Write
from callrouter.dispatch.sweeping import Sweeper
from callrouter.dispatch.telling import Teller, Telling
from callrouter.dispatch.working import Worker
from callrouter.errors import SettingsError
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.fence import boot_seconds
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.ports import Clock
from callrouter.settings import Settings, load_secrets
from callrouter.store.access.keeping import Keeper
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.dispatch.board import count_board
from callrouter.store.dispatch.lease import DISPATCH, Lease
from callrouter.store.figures.keeping import DayKeeper
from callrouter.store.retention.keeper import RetentionKeeper

if TYPE_CHECKING:
    from callrouter.app.versions import KeptPlans, PlansInService
    from callrouter.transcripts.port import Transcriber
    from callrouter.transcripts.scribe import Scribe

ALIVE: Final = "worker.alive"
"""In the data folder."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a worker process is made of."""

    worker: Worker
    channels: Channels
    http: GuardedHttp
    heartbeat: Heartbeat | None
    """None: nobody outside is told that it works."""
    reports: Reports
    scribe: Scribe | None
    """None: nothing is transcribed."""
    days: DayKeeper
    kept: RetentionKeeper
    trail: AuditTrail

    async def hear_reports(self, listening: socket.socket) -> None:
        """Take what the mail server says became of our mail, until cancelled."""
        from callrouter.dispatch.receipts.entrance import listen_for_reports

        await listen_for_reports(listening, self.reports.take)

    async def close(self) -> None:
        """After the worker's last attempt."""
        await self.worker.close()
        await self.channels.close()
        await self.http.close()


def parts_of(settings: Settings, database: Database, due: asyncio.Event) -> Parts:
    """They, by the operator's settings; `due` is set when there is something to do.

    Raises:
        SettingsError: a secret cannot be used.
    """
    clock, secrets_ = SystemClock(settings.clock_shift_seconds), load_secrets()
    due_clock = DueClock(clock)
    live, kept = _plans(settings, database, clock)
    lease = Lease(database, DISPATCH, f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}")
    trail = AuditTrail(database)
    http = GuardedHttp(settings.outgoing_hosts, secrets_, user_agent=f"callrouter/{__version__}")
    channels = channels_of(settings, secrets_, http)
    worker = Worker(
        database=database,
        lease=lease,
        sweeper=Sweeper(database, lease, live, due_clock, kept=kept),
        sender=Sender(
            database=database,
            lease=lease,
            plans=live,
            clock=due_clock,
            channels=channels,
            write=_writing(settings),
            links=Links(
                public_url=settings.public_url.rstrip("/"), hours=settings.link_hours, answerable=_answerable(settings)
            ),
            recordings=settings.recordings_dir,
            wake=due.set,
        ),
        clock=due_clock,
        due=due,
        seconds=boot_seconds,
        alive=partial(_touch, settings.data_dir / ALIVE),
        tellers=(*tellers_of(database, lease, live, clock), _reporter(settings, database, lease, live, clock).tell),
    )
    clock.tells(worker.clock_was_set)
    return Parts(
        worker=worker,
        channels=channels,
        http=http,
        heartbeat=_heartbeat(settings, worker, database, http),
        reports=Reports(database, clock, sender_of(settings)[1]),
        days=DayKeeper(database, lambda: worker.works),
        kept=keeper_of(settings, database, clock, trail, lambda: worker.works),
        trail=trail,
        scribe=_scribe(settings, worker, database, live, clock),
    )


def keeper_of(
    settings: Settings, database: Database, clock: Clock, trail: AuditTrail, works: Callable[[], bool]
) -> RetentionKeeper:
    """What looks after what is kept, and deletes what is over; `works`: whether it is its turn."""
    recordings = Recordings(database, settings.recordings_dir, trail)
    keep_days = settings.recordings_keep_days
    keeper = Keeper(database, settings.recordings_dir, recordings, keep_days=keep_days, now=clock.now)

    async def late() -> int:
        from callrouter.store.person.erasing import Eraser
        from callrouter.store.person.late import erase_late

        return await erase_late(database, Eraser(database, recordings), clock.now())

    return RetentionKeeper(database, recordings, keeper, settings.retention, works=works, now=clock.now, late=late)


def _answerable(settings: Settings) -> frozenset[Means]:
    """By what people's answers come to us."""
    ways = ((Means.EMAIL, settings.lmtp_port > 0), (Means.SMS, settings.sms_replies))
    return frozenset(means for means, comes in ways if comes)


def _plans(settings: Settings, database: Database, clock: SystemClock) -> tuple[LivePlan, KeptPlan]:
    """Plans that are live, and those of before. What makes plans is imported with the first message: a start has
    others waiting for it.
    """

    @cache
    def kept_plans() -> KeptPlans:
        from callrouter.app.versions import KeptPlans
        from callrouter.dialplan import PaperSpeech

        return KeptPlans(database, PaperSpeech(), settings.region)

    @cache
    def in_service() -> PlansInService:
        from callrouter.app.live.on_disk import plans_on_disk
        from callrouter.app.versions import PlansInService

        return PlansInService(database, kept_plans(), partial(plans_on_disk, settings, clock))

    async def live(client: str) -> Plan | None:
        return await in_service().live(client)

    async def kept(client: str, version: str) -> Plan | None:
        return (await kept_plans().find(client, version)).plan

    return live, kept


def tellers_of(
    database: Database, lease: Lease, live: LivePlan, clock: Clock, seconds: Callable[[], float] = boot_seconds
) -> tuple[Callable[[], Awaitable[int]], ...]:
    """What tells other systems what happens, and days. What writes it is imported with the first of them."""

    def write_happened(telling: Telling) -> str:
        from callrouter.api.schemas.happened import happened_body

        return happened_body(telling)

    def write_day(telling: DayTelling) -> str:
        from callrouter.api.schemas.happened import day_body

        return day_body(telling)

    teller = Teller(database, lease, live, clock, write_happened)
    days = DayTeller(database, lease, live, clock, write_day, seconds)
    return teller.tell, days.tell


def _reporter(settings: Settings, database: Database, lease: Lease, live: LivePlan, clock: Clock) -> Reporter:
    address, domain = sender_of(settings)
    return Reporter(database, lease, live, clock, ReportSender(address=address, domain=domain), boot_seconds)


def _heartbeat(settings: Settings, worker: Worker, database: Database, http: GuardedHttp) -> Heartbeat | None:
    if settings.heartbeat_url is None:
        return None
    clock = SystemClock(settings.clock_shift_seconds)

    async def overdue() -> int:
        return (await count_board(database, clock.now())).overdue

    return Heartbeat(http, settings.heartbeat_url.get_secret_value(), works=lambda: worker.works, overdue=overdue)


def _scribe(
    settings: Settings, worker: Worker, database: Database, live: LivePlan, clock: SystemClock
) -> Scribe | None:
    transcriber = transcriber_of(settings)
    if transcriber is None:
        return None
    from callrouter.transcripts.scribe import Scribe  # few have one

    return Scribe(database, transcriber, settings.recordings_dir, live, clock, lambda: worker.works)


def transcriber_of(settings: Settings) -> Transcriber | None:
    """What writes recordings down, by the operator's settings; None: nothing does.

    Raises:
        SettingsError: it is not there.
    """
    if settings.transcriber == "off":
        return None
    from callrouter.transcripts import whisper
    from callrouter.transcripts.program import ProgramTranscriber

    seconds = settings.transcribe_seconds
    if settings.transcriber == "command":
        command = shlex.split(settings.transcribe_command)
        if shutil.which(command[0]) is None:
            raise SettingsError(
                f"CALLROUTER_TRANSCRIBE_COMMAND: there is no program {command[0]}, or it may not be run"
            )
        return ProgramTranscriber(command, name=Path(command[0]).name, seconds=seconds)
    model = settings.whisper_model
    if not whisper.is_installed():
        raise SettingsError(
            "CALLROUTER_TRANSCRIBER=faster-whisper needs the extra whisper: pip install 'callrouter[whisper]'"
        )
    if model is None or not model.is_dir():
        raise SettingsError(
            f"CALLROUTER_WHISPER_MODEL: there is no folder {model}: bring the model, or write where it is"
        )
    command = [sys.executable, "-m", whisper.__name__, str(model.resolve()), "{language}"]
    return ProgramTranscriber(command, name=f"faster-whisper {model.name}", seconds=seconds)


def _touch(path: Path) -> None:
    """Show that it lives: a health check looks at the file's time. A disk that fails is no end of it."""
    with suppress(OSError):
        path.touch()


def _writing(settings: Settings) -> Write:
    sender, domain = sender_of(settings)

    def write(means: Means, parcel: Parcel) -> str:
        return body_of(means, parcel, sender=sender, domain=domain)

    return write
