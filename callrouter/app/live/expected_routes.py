"""A tree that fails its own expected routes does not go live on a save either.

`check` and `publish` play the tables beside the clients; so does the engine, for every plan that is not in service yet.
A plan that was live stays: some routes depend on the day, and a restart must take nobody out of service. What it fails
is said all the same, and so it is where the operator lets such trees go live (CALLROUTER_EXPECTED_ROUTES=report), or
went back to an older file by `callrouter dialplan rollback`: the table beside it may be of the newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from callrouter.core.call import replace
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, Issue
from callrouter.dialplan.documents.expected_file import client_files_of
from callrouter.dialplan.folder.files import read_tables
from callrouter.dialplan.folder.publish import read_note
from callrouter.dialplan.issues import errors
from callrouter.dialplan.language.reader import Document
from callrouter.questions.expected import run_expected

MOST_OF_A_TABLE: Final = 20
"""Routes of one table that are reported one by one."""


class ExpectedRoutes:
    """Plays the tables of a folder against what was loaded of it; a route that was played is not played again."""

    def __init__(self, path: Path, *, refuses: bool, now: Callable[[], datetime]) -> None:
        """`path`: what is served; `refuses`: whether a plan that fails stays out of service."""
        self._path = path
        self._refuses = refuses
        self._now = now
        self._played: dict[str, tuple[bytes, str, tuple[Issue, ...]]] = {}
        """By table: its content, the version of the plan, and what was wrong."""

    def judge(self, fresh: Catalogue, live: Mapping[str, str]) -> Catalogue:
        """What was loaded, without the plans that fail; their clients keep what they had. It takes its time.

        Args:
            fresh: what stands in the folder.
            live: by client, the version that was live before.
        """
        tables = read_tables(self._path)
        plans = {plan.source: plan for plan in fresh.plans.values()}
        wrong: dict[str, tuple[Issue, ...]] = {}
        for table in tables:
            plan = next((plans[file] for file in client_files_of(table.file) if file in plans), None)
            if found := self._wrong(table, plan, fresh, live):
                wrong[table.file] = found
        self._forget(tables)
        refused = dict(self._refused(wrong, plans, fresh, live)) if self._refuses else {}
        judged = fresh.without(refused)
        told = (issue for issues in wrong.values() for issue in issues if issue not in judged.issues)
        contents = {table.file: table.content for table in tables}
        return replace(judged, issues=(*judged.issues, *told), documents={**judged.documents, **contents})

    def _wrong(
        self, table: Document, plan: Plan | None, fresh: Catalogue, live: Mapping[str, str]
    ) -> tuple[Issue, ...]:
        """What fails; of a plan that was live before anybody asked here, nothing is known."""
        version = plan.version if plan else ""
        known = self._played.get(table.file)
        if known is None and plan is not None and live.get(plan.client) == version:
            known = (table.content, version, ())
        if plan is None or known is None or known[:2] != (table.content, version):
            found = errors(run_expected([table], fresh, self._now()))
            known = (table.content, version, found[:MOST_OF_A_TABLE])
        self._played[table.file] = known
        return known[2]

    def _refused(
        self,
        wrong: Mapping[str, tuple[Issue, ...]],
        plans: Mapping[str, Plan],
        fresh: Catalogue,
        live: Mapping[str, str],
    ) -> Iterator[tuple[str, tuple[Issue, ...]]]:
        """The clients' files that do not go live because of it."""
        note = read_note(self._path if self._path.is_dir() else self._path.parent)
        for table, issues in wrong.items():
            for file in client_files_of(table):
                plan = plans.get(file)
                if plan is None or live.get(plan.client) == plan.version:
                    continue
                content = fresh.documents.get(file, b"")
                if note is None or not note.came_back(file, content):
                    yield file, issues

    def _forget(self, tables: list[Document]) -> None:
        for name in self._played.keys() - {table.file for table in tables}:
            del self._played[name]
