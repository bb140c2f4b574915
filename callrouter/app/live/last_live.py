"""What was live when the last engine stopped: a start changes none of it but by what stands in the folder.

It is known from the record (`plan_history`) and from the engine's own disk (`store.live_plans`); where both are there,
from the one that changed last: the record misses what went live while PostgreSQL was away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from callrouter.app.live.compiling import compile_all
from callrouter.app.live.live_plans import LivePlans
from callrouter.core.effects import Sound
from callrouter.dialplan import Catalogue, Loader, SoundSource
from callrouter.dialplan.folder.catalogue import unknown_plan
from callrouter.dialplan.folder.sound_files import playable
from callrouter.errors import SpeechError, StoreError
from callrouter.store.database import Database
from callrouter.store.plans import LiveVersion, StoredPlan, find_plan, live_versions

log = structlog.get_logger(__name__)

ABSENT_SECONDS: Final = 5.0
"""How long a sound is taken to be that is not there."""


@dataclass(frozen=True, kw_only=True)
class LastLive:
    """By client, the version that was live last; its documents are fetched when they are needed."""

    versions: Mapping[str, LiveVersion]
    changed_at: datetime | None
    """When any of it changed last; None when nothing was ever live here."""
    database: Database
    disk: LivePlans
    _fetched: dict[str, StoredPlan] = field(default_factory=dict)

    async def fetch(self, clients: Collection[str]) -> list[StoredPlan]:
        """The plans of these clients, with all their documents; what cannot be had is left out, and logged."""
        for client in clients:
            if client in self.versions and client not in self._fetched:
                stored = await self._stored(self.versions[client])
                if stored is not None:
                    self._fetched[client] = stored
        return [self._fetched[client] for client in clients if client in self._fetched]

    async def _stored(self, live: LiveVersion) -> StoredPlan | None:
        kept = self.disk.plans.get(live.client)
        if kept is not None and kept.version == live.version:
            stored = await asyncio.to_thread(self.disk.stored, live.client)
            if stored is not None:
                return stored
        try:
            return await find_plan(self.database, live.client, live.version)
        except StoreError as error:
            log.warning("a last good version cannot be read", client=live.client, reason=str(error))
            return None


async def last_live(database: Database, disk: LivePlans) -> LastLive:
    """What was live last, as far as PostgreSQL or the disk knows."""
    versions: Mapping[str, LiveVersion] = {}
    changed_at: datetime | None = None
    try:
        versions, changed_at = await live_versions(database)
    except StoreError as error:
        log.warning("PostgreSQL does not say what was live last: the engine goes by its own disk", reason=str(error))
    if disk.changed_at is not None and (changed_at is None or disk.changed_at > changed_at):
        changed_at = disk.changed_at
        versions = {
            plan.client: LiveVersion(client=plan.client, version=plan.version, source=plan.source, live_at=plan.live_at)
            for plan in disk.plans.values()
        }
    return LastLive(versions=versions, changed_at=changed_at, database=database, disk=disk)


async def admitted_as_before(loader: Loader, catalogue: Catalogue, last: LastLive, now: datetime) -> Catalogue:
    """The folder's catalogue, where each client and number is that of the file which had it before the stop.

    Of two files that claim the same, a loader that has loaded nothing yet takes the one whose name comes first: a copy
    that somebody left in the folder would take the calls of the one it was made of.
    """
    if not catalogue.refused or not last.versions:
        return catalogue
    held = await last.fetch(last.versions)
    await asyncio.to_thread(loader.remember, {_file_of(stored, catalogue): stored.document.encode() for stored in held})
    return await asyncio.to_thread(loader.load, now)


def _file_of(stored: StoredPlan, catalogue: Catalogue) -> str:
    """The file that holds what was live: under its own name, or the one it was given since, word for word."""
    content = stored.document.encode()
    same = (name for name, found in catalogue.documents.items() if found == content)
    return stored.source if stored.source in catalogue.documents else next(same, stored.source)


async def revive(last: LastLive, catalogue: Catalogue, sounds: SoundSource) -> Catalogue:
    """At a start: clients whose file is wrong, or whose whole folder is away, are given the plan that was live last.

    The documents of that version are compiled again, all of them as they were. What cannot be had is logged and left
    out: a start does not fail because of it. A file against which time alone speaks is served where that very version
    was live, or nothing else is known: no day leaves a client without a plan.
    """
    catalogue = catalogue.with_overdue(_live_as_they_stand(last, catalogue))
    missing = _missing(last.versions.values(), catalogue)
    if not missing:
        return catalogue.with_overdue()
    stored = await last.fetch(missing)
    plans = await asyncio.to_thread(compile_all, stored, sounds, region=catalogue.region, now=catalogue.loaded_at)
    for one in stored:
        if one.client in plans:
            log.warning(
                "a file is not served; its last good version stays in service", file=one.source, client=one.client
            )
        else:
            log.warning("a kept version no longer passes", client=one.client, version=one.version)
    previous = Catalogue(plans=plans, unknown=catalogue.unknown, loaded_at=catalogue.loaded_at)
    return catalogue.replace_from(previous).with_overdue()


def _live_as_they_stand(last: LastLive, catalogue: Catalogue) -> frozenset[str]:
    """Files that time has overtaken, and whose very version was live."""
    return frozenset(
        file
        for file, one in catalogue.overdue.items()
        if (live := last.versions.get(one.plan.client)) is not None and live.version == one.plan.version
    )


def _missing(live: Collection[LiveVersion], catalogue: Catalogue) -> list[str]:
    """Clients that were live, and whose file is refused now, under whatever name it stands."""
    return [
        one.client
        for one in live
        if one.client not in catalogue.plans
        and (one.source in catalogue.refused or one.client in catalogue.meant_clients)
    ]


def nothing_loaded(last: LastLive, sounds: SoundSource, region: str, now: datetime) -> Catalogue:
    """What is made of a folder that cannot be loaded: every client that was live is still to be revived."""
    return Catalogue(
        plans={},
        unknown=unknown_plan(sounds),
        loaded_at=now,
        region=region,
        refused=frozenset(live.source for live in last.versions.values()),
    )


class SoundsAway:
    """Sounds, where the folder of the operator's own may be away: a name is taken to be there again in time.

    Asterisk skips a file that is missing, and the rest of the tree serves the caller.
    """

    def __init__(self, sounds: SoundSource, folder: Path) -> None:
        self._sounds = sounds
        self._folder = folder

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """As the others do."""
        self._sounds.prepare(texts)

    def say(self, text: str, language: str) -> Sound:
        """As the others do."""
        return self._sounds.say(text, language)

    def sound(self, name: str, language: str) -> Sound:
        """The file; where it is missing, its place in the folder."""
        try:
            return self._sounds.sound(name, language)
        except SpeechError:
            return Sound(file=playable(self._folder / name), seconds=ABSENT_SECONDS)
