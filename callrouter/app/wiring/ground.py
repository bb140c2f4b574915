"""What nearly every part of the engine stands on: settings, clock, the link to Asterisk, the calls in progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from callrouter.app.leading.place import Place
from callrouter.app.lifetime import Lifetime
from callrouter.asterisk.line.first_sound import pause_before_first_sound
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.effects import Sound
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings, load_secrets
from callrouter.store.database import Database
from callrouter.store.incarnation import Incarnation, next_incarnation

STOP_SECONDS: Final = 30.0
"""What a stop may take beyond the grace for live calls."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What nearly everything stands on."""

    settings: Settings
    started_at: datetime
    secrets: Mapping[str, str]
    database: Database
    clock: SystemClock
    incarnation: Incarnation
    lifetime: Lifetime
    tasks: Tasks
    """The engine ends with any of them."""
    aside: Tasks
    """What may fail once."""
    calls: LiveCalls
    place: Place
    made_ahead: Mapping[tuple[str, str], Plan]
    """Plans of what is live, by client and version, that were made while another engine led."""
    link: AmiLink
    fallbacks: Fallbacks
    handover: Handover
    queues_due: asyncio.Event
    """Set whenever plans went live, or Asterisk may have other queues than before."""
    members_due: asyncio.Event
    """Set when Asterisk may have queues that agents are no members of yet."""
    members_seen: asyncio.Event
    """Set whenever agents were compared with Asterisk's members."""
    names_due: asyncio.Event
    agents_due: asyncio.Event
    """Set whenever plans went live."""
    taken_over: asyncio.Event
    """Set once the calls that lived at the first log-in are known."""
    pause: Sound | None
    """What callers hear before anything else."""
    registry: CollectorRegistry

    @property
    def shift(self) -> timedelta:
        """By how much our clock is set otherwise than Asterisk's."""
        return timedelta(seconds=self.settings.clock_shift_seconds)

    def walked(self) -> set[tuple[str, str]] | None:
        """Client and version of each plan that a live call walks; None while it is not known which calls live."""
        if not self.taken_over.is_set():
            return None
        return {(live.plan.client, live.plan.version) for live in self.calls}

    def link_up(self) -> bool:
        """Whether Asterisk can be asked."""
        return self.link.state is LinkState.UP


def ground_of(
    settings: Settings,
    database: Database,
    place: Place,
    lifetime: Lifetime,
    made_ahead: Mapping[tuple[str, str], Plan],
) -> Ground:
    """The first things that are made, once the engine has its place.

    Raises:
        SettingsError: a setting is missing, or a file that it names cannot be written.
        OSError: the data folder cannot be written.
    """
    link = place.link
    queues_due, members_due = asyncio.Event(), asyncio.Event()
    key = settings.pbx_key.get_secret_value() if settings.pbx_key else ""
    clock = SystemClock(settings.clock_shift_seconds)
    return Ground(
        settings=settings,
        started_at=clock.now(),
        secrets=load_secrets(),
        database=database,
        clock=clock,
        incarnation=next_incarnation(settings.data_dir, settings.pbx, time.time()),
        lifetime=lifetime,
        tasks=Tasks(lifetime.died),
        aside=Tasks(),
        calls=LiveCalls(),
        place=place,
        made_ahead=made_ahead,
        link=link,
        fallbacks=Fallbacks(
            link,
            settings.region,
            client_calls=settings.client_calls,
            recordings_dir=str(settings.recordings_dir.absolute()),
            now=clock.now,
            shift=timedelta(seconds=settings.clock_shift_seconds),
        ),
        handover=Handover(key, on_applied=partial(_set, queues_due, members_due)),
        queues_due=queues_due,
        members_due=members_due,
        members_seen=asyncio.Event(),
        names_due=asyncio.Event(),
        agents_due=asyncio.Event(),
        taken_over=asyncio.Event(),
        pause=pause_before_first_sound(settings.prompts_dir, settings.first_sound_seconds),
        registry=CollectorRegistry(),
    )


def _set(*events: asyncio.Event) -> None:
    for event in events:
        event.set()
