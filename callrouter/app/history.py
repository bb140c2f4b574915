"""Keeps every version that goes live, with its documents, its promise and who made it, as soon as PostgreSQL takes it.

Who wrote the client's own file, or, where that is as it was, the shared ones that made it another version: as the note
of `callrouter dialplan publish` and `rollback` says; else, for a file that is committed as it stands in a git checkout,
the author of its last commit; else the owner of the file.
"""

from __future__ import annotations

import asyncio
import pwd
import subprocess
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from callrouter.app.live.compiling import compile_again, stored_plan
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech
from callrouter.dialplan.folder.look import folder_of
from callrouter.dialplan.folder.publish import Note, read_note
from callrouter.errors import StoreError
from callrouter.runtime.reload import Swap, Why
from callrouter.store.database import Database
from callrouter.store.plans import (
    WentLive,
    content_hash,
    find_plan,
    hashes_of,
    known_versions,
    last_live,
    remember_live,
)
from callrouter.store.promises import keep_promise, versions_without_promise

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 1.0
MAX_WAITING: Final = 1000
"""Swaps kept while PostgreSQL is away; beyond that the oldest are forgotten."""
_GIT_SECONDS: Final = 10.0
_GIT_COMMITS: Final = 5000


class PlanHistory:
    """Writes swaps in the order they happened."""

    def __init__(self, database: Database, dialplans: Path) -> None:
        self._database = database
        self._folder = folder_of(dialplans)
        self._waiting: deque[Swap] = deque(maxlen=MAX_WAITING)
        self._work = asyncio.Event()

    def note(self, swap: Swap) -> None:
        """Something went live."""
        if swap.live or swap.withdrawn or swap.why is Why.START:
            self._waiting.append(swap)
            self._work.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self.flush(retry=True)

    async def flush(self, *, retry: bool = False) -> None:
        """Write what waits; without `retry`, what PostgreSQL does not take is only logged."""
        while self._waiting:
            swap = self._waiting[0]
            try:
                await self._write(swap)
            except StoreError as error:
                if not retry:
                    log.warning(
                        "versions that went live could not be kept", swaps=len(self._waiting), reason=str(error)
                    )
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                if self._waiting and self._waiting[0] is swap:
                    self._waiting.popleft()

    async def _write(self, swap: Swap) -> None:
        if swap.why is Why.START:
            await self._give_promises(swap.catalogue)
        last = await last_live(self._database)
        # Only what these documents made: a plan that was kept, or revived, stands on others, and is in the record.
        made_now = [plan for plan in swap.live if plan.client in swap.catalogue.uses]
        live = [plan for plan in made_now if last.get(plan.client) != plan.version]
        withdrawn = {plan.client for plan in swap.withdrawn}
        if swap.why is Why.START:
            withdrawn |= {client for client, version in last.items() if version} - swap.catalogue.plans.keys()
        if not live and not withdrawn:
            return
        changed = await self._changed(live, last, swap.catalogue)
        files = {name for names in changed.values() for name in names}
        said = await asyncio.to_thread(
            who_wrote, self._folder, {name: swap.catalogue.documents[name] for name in files}
        )
        known = await known_versions(self._database, {plan.client for plan in live})
        made = [stored_plan(plan, swap) for plan in live if (plan.client, plan.version) not in known]
        went = [
            WentLive(
                client=plan.client,
                version=plan.version,
                live_at=swap.at,
                why=next((said[name][0] for name in changed[plan.client] if said[name][0]), swap.why.value),
                by=", ".join(dict.fromkeys(said[name][1] for name in changed[plan.client] if said[name][1])),
            )
            for plan in live
        ]
        went += [
            WentLive(client=client, version=None, live_at=swap.at, why=swap.why.value)
            for client in sorted(withdrawn)
            if last.get(client)
        ]
        await remember_live(self._database, made, went)

    async def _changed(
        self, live: Collection[Plan], last: Mapping[str, str | None], catalogue: Catalogue
    ) -> dict[str, tuple[str, ...]]:
        """By client: the documents that made it another version: its own file, or else the shared ones."""
        before = await hashes_of(self._database, {plan.client: last.get(plan.client) for plan in live})
        return {plan.client: _made_it_new(plan, catalogue, before.get(plan.client, {})) for plan in live}

    async def _give_promises(self, catalogue: Catalogue) -> None:
        """To versions that a release before 0005 kept while the schema was this one's already."""
        for client, version in await versions_without_promise(self._database):
            plan = catalogue.plan(client, version) or await self._made_again(client, version, catalogue)
            if plan is not None and plan.version == version:
                await keep_promise(self._database, client, version, plan.promise)

    async def _made_again(self, client: str, version: str, catalogue: Catalogue) -> Plan | None:
        stored = await find_plan(self._database, client, version)
        if stored is None or not stored.documents:
            return None
        return await asyncio.to_thread(
            compile_again, stored, PaperSpeech(), region=catalogue.region, now=stored.first_live_at
        )


def _made_it_new(plan: Plan, catalogue: Catalogue, before: Mapping[str, str]) -> tuple[str, ...]:
    """`before`: the hash of each document of the version before; empty where that is not known."""
    uses = [name for name in sorted(catalogue.uses[plan.client]) if name in catalogue.documents]
    other = [name for name in uses if content_hash(catalogue.documents[name]) != before.get(name)]
    return (plan.source,) if not before or not other or plan.source in other else tuple(other)


def who_wrote(folder: Path, contents: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    """By file: how it was put in place, as far as a note says so, and who wrote it; empty where nothing is known."""
    note = read_note(folder)
    noted = [name for name, content in contents.items() if note and note.matches(name, content)]
    others = [name for name in contents if name not in noted]
    authors = _authors(folder, others)
    said = {name: ("", authors.get(name) or _owner(folder / name)) for name in others}
    return said | {name: _by_note(note, folder / name) for name in noted if note}


def _by_note(note: Note, path: Path) -> tuple[str, str]:
    return note.how, note.by or _owner(path)


def _owner(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (OSError, KeyError):
        return ""


def _authors(folder: Path, files: Collection[str]) -> dict[str, str]:
    """By file: who committed it last, for those that stand as they were committed."""
    if not files or (changed := _git(folder, ["status", "--porcelain", "-z", "--no-renames", "--", "."])) is None:
        return {}
    prefix = (_git(folder, ["rev-parse", "--show-prefix"]) or "").strip()
    dirty = {entry[3:].removeprefix(prefix) for entry in changed.split("\0") if entry}
    history = _git(
        folder,
        ["-c", "core.quotePath=off", "log", f"--max-count={_GIT_COMMITS}", "--relative", "--name-only",
         "--format=%x00%an <%ae>", "--", *files],
    )  # fmt: skip
    found: dict[str, str] = {}
    for commit in (history or "").split("\0")[1:]:
        author, *names = (line for line in commit.splitlines() if line)
        for name in names:
            found.setdefault(name, author)
    return {name: author for name, author in found.items() if name not in dirty}


def _git(folder: Path, arguments: Sequence[str]) -> str | None:
    """What git says; None when there is no git, no checkout, or no answer."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the files' names stand after "--"
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],  # noqa: S607 - whichever git there is
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
