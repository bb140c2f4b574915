"""A folder of documents in memory: written as YAML, read, compiled and proved as `check` does it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import yaml

from callrouter.app.outgoing_check import check_web_services
from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.compile.neighbours import Neighbours
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.folder.sound_files import PaperSpeech
from callrouter.dialplan.issues import Issue
from callrouter.dialplan.language.reader import Document, read
from callrouter.dialplan.shared.reading import Shared, shared_from

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""A Tuesday; all days of the documents are counted from it."""

Path = tuple[str | int, ...]


@dataclass
class Folder:
    """Documents by file, as values, and the settings they are checked with."""

    clients: dict[str, dict[str, Any]]
    shared: dict[str, dict[str, Any]]
    hosts: tuple[str, ...] = ()
    """Web servers that may be asked; with none and no secrets nothing is known of them."""
    secrets: dict[str, str] = field(default_factory=dict)

    def copied(self) -> Folder:
        """Another of its own, to make mistakes in."""
        return copy.deepcopy(self)

    @property
    def client(self) -> dict[str, Any]:
        """The first client."""
        return next(iter(self.clients.values()))

    @property
    def file(self) -> str:
        """Its file."""
        return next(iter(self.clients))


@dataclass(frozen=True)
class Judged:
    """What `check` says of a folder."""

    issues: tuple[Issue, ...]
    plans: Mapping[str, Plan]
    """By client's file, those that may be served."""
    documents: Mapping[str, Document]

    def line(self, file: str, path: Path) -> int:
        """Where a value is written."""
        return self.documents[file].line(*path)


def judge(folder: Folder) -> Judged:
    """Everything that is said of the documents, and of the settings where there are some."""
    contents = tuple((kind, _yaml(found)) for kind, found in folder.shared.items())
    shared, documents = _shared(contents)
    drafts = [draft(read(_yaml(found), file)) for file, found in folder.clients.items()]
    neighbours = Neighbours(drafts, shared.country)
    sounds = PaperSpeech()
    made = [compile_client(one, shared, sounds, NOW.date(), neighbours) for one in drafts]
    plans = {one.document.file: one.plan for one in made if one.plan is not None}
    issues = [*shared.issues, *(issue for one in made for issue in one.issues)]
    issues += check_web_services(tuple(plans.values()), folder.hosts, folder.secrets)
    return Judged(tuple(issues), plans, documents | {one.document.file: one.document for one in made})


@lru_cache(maxsize=64)
def _shared(contents: tuple[tuple[str, bytes], ...]) -> tuple[Shared, dict[str, Document]]:
    """Most folders have the same shared files."""
    read_ones = {kind: read(content, f"shared/{kind}.yaml") for kind, content in contents}
    return shared_from(read_ones, (), "FR", NOW.year), {one.file: one for one in read_ones.values()}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Without aliases, which no document may hold."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(found: Mapping[str, Any]) -> bytes:
    """As a person might have written it: each entry on a line of its own."""
    return yaml.dump(found, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000).encode()
