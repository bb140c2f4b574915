"""Saving a file makes it live: watches the folder of clients' files, and loads what has changed when it has settled.

What the notifications say is not used: after any of them the folder is looked at as a whole, so that editors that
rename, links that are switched and a pull of 300 files are all the same. A change is loaded when

    nothing was written for QUIET_SECONDS (a steady stream of changes is loaded after BUSY_SECONDS all the same),
    no changed file is empty or open for writing (or has been so for WRITING_SECONDS),
    neither git nor `callrouter dialplan publish` is in the middle of its work (or has been for LOCKED_SECONDS),
    and all changed files pass, and none has gone; otherwise it is looked at again for PATIENCE_SECONDS first.

Where notifications do not reach (network file systems, no inotify left; the sounds, of which none are asked for), the
folder is looked at every SWEEP_SECONDS.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Final

import structlog
from watchfiles import Change, awatch

from callrouter.dialplan import Catalogue
from callrouter.dialplan.folder.loader import Loader
from callrouter.dialplan.folder.look import GIT, PUBLISHING, Look, being_written, places, stamp_of
from callrouter.logs import Outage
from callrouter.runtime.reload import ServedPlans, Why

log = structlog.get_logger(__name__)

STEP_SECONDS: Final = 0.01
HELD_SECONDS: Final = 0.03
QUIET_SECONDS: Final = 0.03
BUSY_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 0.5
WRITING_SECONDS: Final = 2.0
LOCKED_SECONDS: Final = 10.0
SWEEP_SECONDS: Final = 2.0

Place = tuple[Path, frozenset[str], int, int]
"""A folder, the names in it that count (`folder.places`), and what stands there: it may be replaced by another."""


class Watcher:
    """Reloads plans when their folder changes."""

    def __init__(self, loader: Loader, plans: ServedPlans) -> None:
        self._loader = loader
        self._plans = plans
        self._held: Look | None = None
        """What was loaded last and refused for the moment."""
        self._unwatched = Outage(
            log,
            "the folder of dialplans cannot be watched; it is looked at from time to time instead",
            "the folder of dialplans is watched again",
            level="warning",
        )
        self._day = plans.catalogue.loaded_at.date()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            watched = await asyncio.to_thread(self._places)
            try:
                await self._watch(watched)
            except* (OSError, RuntimeError) as errors:  # watchfiles' own error is a RuntimeError
                self._unwatched.failed(str(errors.exceptions[0]), every_seconds=SWEEP_SECONDS)
                await self.look()
                await asyncio.sleep(SWEEP_SECONDS)

    async def _watch(self, watched: frozenset[Place]) -> None:
        """Look after every notification and every sweep, as long as it is these folders that are to be watched."""
        changes = awatch(
            *(place for place, *_ in watched),
            watch_filter=_concerns({str(place): names for place, names, *_ in watched if names}),
            debounce=int(QUIET_SECONDS * 1000),
            step=int(STEP_SECONDS * 1000),
            rust_timeout=int(SWEEP_SECONDS * 1000),
            yield_on_timeout=True,
            recursive=False,
        )
        async with aclosing(changes), asyncio.TaskGroup() as group:
            # awatch watches from its first step on, so that is taken before the look: what changes after the look
            # must not have to wait for the first sweep.
            noticed = group.create_task(_next(changes), name="first change")
            await asyncio.sleep(0)
            await self.look()
            while await noticed:
                self._unwatched.ended()
                await self.look()
                if await asyncio.to_thread(self._places) != watched:
                    return
                noticed = group.create_task(_next(changes), name="next change")

    async def look(self) -> None:
        """Load what has changed since the last load, when it has settled; wait for that."""
        began = time.monotonic()
        while True:
            seen = await asyncio.to_thread(self._loader.look)
            if seen == self._plans.seen:
                self._held = None
                await self._look_at_the_day()
                return
            waited = time.monotonic() - began
            patient = waited < PATIENCE_SECONDS
            if patient and seen == self._held:
                await asyncio.sleep(HELD_SECONDS)
                continue
            if not await asyncio.to_thread(self._is_settled, seen, waited):
                await asyncio.sleep(STEP_SECONDS)
                continue
            await self._load(seen, patient=patient)
            if not patient:
                return

    async def _look_at_the_day(self) -> None:
        """On another day, find what is over since: nothing goes out of service by it, but people hear of it."""
        if (day := self._plans.now().date()) != self._day:
            self._day = day
            await self._plans.reload(Why.ANOTHER_DAY)

    async def _load(self, seen: Look, *, patient: bool) -> None:
        present = self._plans.catalogue
        gone = bool((self._plans.seen.documents.keys() if self._plans.seen else set()) - seen.documents.keys())

        def is_doubtful(fresh: Catalogue | None) -> bool:
            return patient and (gone or fresh is None or bool(_wrong(fresh) - _wrong(present)))

        swap = await self._plans.reload(Why.SAVED, hold=is_doubtful)
        self._held = seen if swap is None else None
        if swap is None and not patient:
            self._plans.saw(seen)  # the folder cannot be loaded at all: until it changes

    def _is_settled(self, seen: Look, waited_seconds: float) -> bool:
        age_seconds = (time.time_ns() - seen.newest_ns) / 1e9
        if 0 <= age_seconds < QUIET_SECONDS and waited_seconds < BUSY_SECONDS:
            return False
        busy = being_written(self._loader.path, sorted(seen.changed(self._plans.seen)))
        return not busy or waited_seconds >= (LOCKED_SECONDS if busy in (GIT, PUBLISHING) else WRITING_SECONDS)

    def _places(self) -> frozenset[Place]:
        found = places(self._loader.path)
        return frozenset((place, names, *stamp_of(place)[:2]) for place, names in found.items())


def _concerns(few: Mapping[str, frozenset[str]]) -> Callable[[Change, str], bool]:
    """Whether a notification is about the documents; `few`: the folders in which only some names are.

    A log that grows beside the folder would otherwise have it looked at again and again.
    """

    def is_concerned(_kind: Change, changed: str) -> bool:
        folder, _, name = changed.rpartition("/")
        return folder not in few or name in few[folder]

    return is_concerned


async def _next(changes: AsyncIterator[object]) -> bool:
    """Wait for the next notification or sweep; False when there will be none."""
    return await anext(changes, None) is not None


def _wrong(catalogue: Catalogue) -> set[tuple[str, bytes]]:
    """Files with errors, and what they say: one that stays as wrong as it was is no news."""
    files = catalogue.refused | {issue.file for issue in catalogue.issues if issue.severity == "error"}
    return {(file, catalogue.documents.get(file, b"")) for file in files}
