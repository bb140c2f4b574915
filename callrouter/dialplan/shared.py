"""The files beside the clients: contacts, team queues and prompts that several of them use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from callrouter.core import numbers
from callrouter.dialplan.issues import Issue, shown
from callrouter.dialplan.reader import Document, read_file
from callrouter.dialplan.schema import (
    ContactBlock,
    ContactsFile,
    PromptsFile,
    QueuesFile,
    TeamQueueBlock,
)
from callrouter.dialplan.validation import validate

File = TypeVar("File", bound=BaseModel)

FOLDER = "shared"
DEFAULT_COUNTRY = "FR"
"""Where callrouter is at home: the default of the setting that says whose national numbers are understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamQueue:
    """A team's line, as the switch is to hold it."""

    name: str
    title: str
    members: tuple[str, ...]
    strategy: str
    ring_seconds: float
    retry_seconds: float
    wrap_up_seconds: float
    max_callers: int
    """0: no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of a client's, as the documents know him."""

    name: str
    title: str = ""
    number: str | None = None
    """E.164."""
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the clients of a folder have in common."""

    contacts: Mapping[str, Person] = field(default_factory=dict)
    queues: Mapping[str, TeamQueue] = field(default_factory=dict)
    prompts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Sentences by name and language."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """By kind (`contacts` …): the file that could not be used, so that what it held is not called unknown."""
    issues: tuple[Issue, ...] = ()
    country: str = DEFAULT_COUNTRY
    """Whose national numbers are understood where neither a document nor a zone says more."""
    content: bytes = b""
    """All of the files, for the hash of a plan's version."""


def load_shared(folder: Path, country: str = DEFAULT_COUNTRY) -> Shared:
    """Read the shared files beside the clients in `folder`; each may be absent. `country` is the operator's own."""
    issues: list[Issue] = []
    refused: dict[str, str] = {}
    content: list[bytes] = []

    def load(kind: str, model: type[File]) -> tuple[File | None, Document]:
        path, name = folder / FOLDER / f"{kind}.yaml", f"{FOLDER}/{kind}.yaml"
        if not path.exists():
            return None, Document(file=name)
        document = read_file(path, name)
        content.append(f"{kind}\0".encode() + document.content)
        found, wrong = (None, list(document.issues)) if document.issues else validate(model, document)
        if wrong:
            issues.extend(wrong)
            refused[kind] = name
        return found, document

    contacts_file, contacts_document = load("contacts", ContactsFile)
    queues_file, _ = load("queues", QueuesFile)
    prompts_file, _ = load("prompts", PromptsFile)
    contacts: dict[str, Person] = {}
    if contacts_file:
        written = (contacts_file.country or country).upper()
        contacts, wrong = people(contacts_file.contacts, contacts_document, written)
        issues.extend(wrong)
        if wrong:
            refused["contacts"] = contacts_document.file
    return Shared(
        contacts=contacts,
        queues={name: _team_queue(name, block) for name, block in queues_file.queues.items()} if queues_file else {},
        prompts=prompts_file.prompts if prompts_file else {},
        refused=refused,
        country=country,
        issues=tuple(issues),
        content=b"\0".join(content),
    )


def people(
    blocks: Mapping[str, ContactBlock], document: Document, country: str
) -> tuple[dict[str, Person], list[Issue]]:
    """Contacts with their numbers in E.164, and what is wrong with those that have none."""
    found: dict[str, Person] = {}
    issues: list[Issue] = []
    for name, block in blocks.items():
        number = numbers.normalise(block.number, country) if block.number else None
        if block.number and number is None:
            issues.append(
                Issue(
                    file=document.file,
                    line=document.line("contacts", name, "number"),
                    field=f"contacts.{name}.number",
                    message=f'contact "{name}": {shown(block.number)} is no telephone number of {country}',
                )
            )
            continue
        found[name] = Person(name=name, title=block.name or name, number=number, email=block.email)
    return found, issues


def _team_queue(name: str, block: TeamQueueBlock) -> TeamQueue:
    return TeamQueue(
        name=name,
        title=block.title or name,
        members=block.members,
        strategy=block.strategy,
        ring_seconds=block.ring,
        retry_seconds=block.retry,
        wrap_up_seconds=block.wrap_up,
        max_callers=block.max_callers,
    )
