"""Saving a file makes it live: watches the folder of clients' files, and loads what has changed when it has settled.

What the notifications say is not used: after any of them the folder is looked at as a whole, so that editors that
rename, links that are switched and a pull of 300 files are all the same. A change is loaded when

    nothing was written for QUIET_SECONDS (a steady stream of changes is loaded after BUSY_SECONDS all the same),
    no changed file is empty or open for writing (or has been so for WRITING_SECONDS),
    neither git nor `callrouter dialplan publish` is in the middle of its work (or has been for LOCKED_SECONDS),
    and all changed files pass, and none has gone; otherwise it is looked at again for PATIENCE_SECONDS first.

Where notifications do not reach (network file systems, no inotify left), the folder is looked at every
SWEEP_SECONDS.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Final

import structlog
from watchfiles import awatch

from callrouter.dialplan import Catalogue
from callrouter.dialplan.folder import GIT, PUBLISHING, Look, being_written, places, stamp_of
from callrouter.dialplan.loader import Loader
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

Place = tuple[Path, int, int]
"""A folder by its path and what stands there: another one may be put in its place."""


class Watcher:
    """Reloads plans when their folder changes."""

    def __init__(self, loader: Loader, plans: ServedPlans) -> None:
        self._loader = loader
        self._plans = plans
        self._held: Look | None = None
        """What was loaded last and refused for the moment."""

    async def run(self) -> None:
        """Watch until cancelled."""
        complained = False
        while True:
            watched = await asyncio.to_thread(self._places)
            try:
                await self._watch(watched)
                complained = False
            except (OSError, RuntimeError) as error:  # watchfiles' own error is a RuntimeError
                if not complained:
                    log.warning(
                        "the folder of dialplans cannot be watched; it is looked at from time to time instead",
                        reason=str(error),
                        every_seconds=SWEEP_SECONDS,
                    )
                complained = True
                await self.look()
                await asyncio.sleep(SWEEP_SECONDS)

    async def _watch(self, watched: frozenset[Place]) -> None:
        """Look after every notification and every sweep, as long as it is these folders that are to be watched."""
        changes = awatch(
            *(path for path, _, _ in watched),
            watch_filter=None,
            debounce=int(QUIET_SECONDS * 1000),
            step=int(STEP_SECONDS * 1000),
            rust_timeout=int(SWEEP_SECONDS * 1000),
            yield_on_timeout=True,
            recursive=False,
        )
        async with aclosing(changes):
            # What changed before the watch stood would be noticed by the first sweep only.
            await self.look()
            async for _ in changes:
                await self.look()
                if await asyncio.to_thread(self._places) != watched:
                    return

    async def look(self) -> None:
        """Load what has changed since the last load, when it has settled; wait for that."""
        began = time.monotonic()
        while True:
            seen = await asyncio.to_thread(self._loader.look)
            if seen == self._plans.seen:
                self._held = None
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

    async def _load(self, seen: Look, *, patient: bool) -> None:
        present = self._plans.catalogue
        gone = bool((self._plans.seen.documents.keys() if self._plans.seen else set()) - seen.documents.keys())

        def is_doubtful(fresh: Catalogue | None) -> bool:
            return patient and (gone or fresh is None or bool(_wrong(fresh) - _wrong(present)))

        swap = await self._plans.reload(Why.SAVED, hold=is_doubtful)
        self._held = seen if swap is None else None
        if swap is None and not patient:
            self._plans.seen = seen  # the folder cannot be loaded at all: until it changes

    def _is_settled(self, seen: Look, waited_seconds: float) -> bool:
        age_seconds = (time.time_ns() - seen.newest_ns) / 1e9
        if 0 <= age_seconds < QUIET_SECONDS and waited_seconds < BUSY_SECONDS:
            return False
        busy = being_written(self._loader.path, sorted(seen.changed(self._plans.seen)))
        return not busy or waited_seconds >= (LOCKED_SECONDS if busy in (GIT, PUBLISHING) else WRITING_SECONDS)

    def _places(self) -> frozenset[Place]:
        return frozenset((place, *stamp_of(place)[:2]) for place in places(self._loader.path))


def _wrong(catalogue: Catalogue) -> set[tuple[str, bytes]]:
    """Files with errors, and what they say: one that stays as wrong as it was is no news."""
    files = catalogue.refused | {issue.file for issue in catalogue.issues if issue.severity == "error"}
    return {(file, catalogue.documents.get(file, b"")) for file in files}
