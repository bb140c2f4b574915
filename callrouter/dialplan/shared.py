"""The files beside the clients: contacts, agents, queues, calendars, prompts, snippets and what may be dialled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field
from phonenumbers import SUPPORTED_REGIONS, country_code_for_region
from pydantic import BaseModel

from callrouter.core import numbers
from callrouter.core.dialling import Dialling, with_territories
from callrouter.core.rota import Contact, Duty, Rota
from callrouter.dialplan import values
from callrouter.dialplan.calendar_blocks import CalendarBlock, RotaBlock
from callrouter.dialplan.client_file import DiallingBlock
from callrouter.dialplan.issues import Issue, Severity, closest, errors, shown
from callrouter.dialplan.people_blocks import AgentBlock, ContactBlock, TeamQueueBlock
from callrouter.dialplan.reader import Document, read_file
from callrouter.dialplan.shared_files import (
    SHARED_FILES,
    AgentsFile,
    CalendarsFile,
    ContactsFile,
    DiallingFile,
    PromptsFile,
    QueuesFile,
    SnippetsFile,
)
from callrouter.dialplan.snippets import Snippet, read_snippets
from callrouter.dialplan.timezones import known_timezone
from callrouter.dialplan.validation import validate

File = TypeVar("File", bound=BaseModel)

FOLDER = "shared"
DEFAULT_COUNTRY = "FR"
"""Where callrouter is at home: the default of the setting that says whose national numbers are understood."""


class TeamQueue(Struct, frozen=True, kw_only=True):
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


class Person(Struct, frozen=True, kw_only=True):
    """Somebody of a client's, as the documents know him."""

    name: str
    title: str = ""
    number: str | None = None
    """E.164."""
    email: str | None = None
    url: str | None = None
    source: str = ""
    """`file:line` where it is written."""


class Shared(Struct, frozen=True, kw_only=True):
    """What the clients of a folder have in common."""

    contacts: Mapping[str, Person] = field(default_factory=dict)
    agents: Mapping[str, AgentBlock] = field(default_factory=dict)
    """Empty: nobody has written who they are."""
    queues: Mapping[str, TeamQueue] = field(default_factory=dict)
    prompts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Sentences by name and language."""
    calendars: Mapping[str, CalendarBlock] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    snippets: Mapping[str, Snippet] = field(default_factory=dict)
    dialling: Dialling = field(default_factory=Dialling)
    """What every client may have dialled, besides its own country."""
    bad_snippets: frozenset[str] = frozenset()
    """Snippets that are wrong by themselves."""
    bad_calendars: frozenset[str] = frozenset()
    """Calendars that are wrong by themselves."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """By kind (`contacts` …): the file that could not be used, so that what it held is not called unknown."""
    issues: tuple[Issue, ...] = ()
    country: str = DEFAULT_COUNTRY
    """Whose national numbers are understood where neither a document nor a zone says more."""
    content: bytes = b""
    """All of the files, for the hash of a plan's version."""


def load_shared(folder: Path, country: str = DEFAULT_COUNTRY) -> Shared:
    """Read the shared files beside the clients in `folder`; each may be absent. `country` is the operator's own."""
    issues, refused = _unknown_files(folder / FOLDER)
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
    agents_file, _ = load("agents", AgentsFile)
    queues_file, queues_document = load("queues", QueuesFile)
    prompts_file, _ = load("prompts", PromptsFile)
    calendars_file, calendars_document = load("calendars", CalendarsFile)
    snippets_file, snippets_document = load("snippets", SnippetsFile)
    dialling_file, dialling_document = load("dialling", DiallingFile)

    def kept(kind: str, wrong: list[Issue], document: Document) -> None:
        issues.extend(wrong)
        if errors(wrong):
            refused[kind] = document.file

    contacts: dict[str, Person] = {}
    if contacts_file:
        written = (contacts_file.country or country).upper()
        contacts, wrong = people(contacts_file.contacts, contacts_document, written)
        kept("contacts", wrong, contacts_document)
    if queues_file and agents_file:
        kept("queues", _wrong_members(queues_file, queues_document, agents_file.agents), queues_document)
    rotas: dict[str, Rota] = {}
    bad_calendars: set[str] = set()
    if calendars_file:
        rotas, wrong = _rotas(calendars_file.rotas, calendars_document, contacts, "contacts" in refused)
        bad, bad_calendars = _wrong_calendars(calendars_file.calendars, calendars_document)
        wrong += bad
        kept("calendars", wrong, calendars_document)
    snippets: dict[str, Snippet] = {}
    if snippets_file:
        snippets, wrong = read_snippets(snippets_file.snippets, snippets_document)
        issues.extend(wrong)
    dialling = Dialling()
    if dialling_file:
        written = (dialling_file.country or country).upper()
        allowed, wrong = allowance(dialling_file, dialling_document, written)
        refusals, more = _beginnings(dialling_file.refused, dialling_document, written, "refused")
        dialling = Dialling(countries=allowed.countries, prefixes=allowed.prefixes, refused=refusals)
        kept("dialling", [*wrong, *more], dialling_document)
    return Shared(
        contacts=contacts,
        agents=agents_file.agents if agents_file else {},
        queues={name: _team_queue(name, block) for name, block in queues_file.queues.items()} if queues_file else {},
        prompts=prompts_file.prompts if prompts_file else {},
        calendars=calendars_file.calendars if calendars_file else {},
        rotas=rotas,
        snippets=snippets,
        bad_snippets=frozenset(snippets_file.snippets if snippets_file else ()) - frozenset(snippets),
        bad_calendars=frozenset(bad_calendars),
        dialling=dialling,
        refused=refused,
        country=country,
        issues=tuple(issues),
        content=b"\0".join(content),
    )


def _unknown_files(place: Path) -> tuple[list[Issue], dict[str, str]]:
    """Files that look like shared ones and would be ignored without a word, and which kind each was meant to be."""
    issues: list[Issue] = []
    meant: dict[str, str] = {}
    known = [f"{kind}.yaml" for kind in SHARED_FILES]
    for name in _documents(place):
        if name in known:
            continue
        stem = closest(name.lower().partition("/")[0].partition(".")[0], SHARED_FILES)
        hint = f"{stem}.yaml" if stem else ""
        message = f"is not read: the files here are {', '.join(sorted(known))}"
        issues.append(Issue(file=f"{FOLDER}/{name}", line=0, message=message, suggestion=hint))
        if hint and not (place / hint).exists():
            meant[hint.removesuffix(".yaml")] = f"{FOLDER}/{name}"
    return issues, meant


def _documents(place: Path) -> list[str]:
    """What looks like a document in the folder, and in those below it; hidden files are editors' and git's."""
    found = place.rglob("*") if place.is_dir() else ()
    names = (one.relative_to(place) for one in found if one.suffix.lower() in (".yaml", ".yml"))
    return sorted(str(name) for name in names if not any(part.startswith(".") for part in name.parts))


def _wrong_members(file: QueuesFile, document: Document, agents: Mapping[str, AgentBlock]) -> list[Issue]:
    """Members of queues who are no agents."""
    issues: list[Issue] = []
    for name, queue in file.queues.items():
        for index, member in enumerate(queue.members):
            if member not in agents:
                path = ("queues", name, "members", index)
                issues.append(
                    Issue(
                        file=document.file,
                        line=document.line(*path),
                        field=".".join(str(part) for part in path),
                        message=f"queue {shown(name)}: agent {shown(member)} is not in shared/agents.yaml",
                        suggestion=closest(member, agents),
                    )
                )
    return issues


def _wrong_calendars(blocks: Mapping[str, CalendarBlock], document: Document) -> tuple[list[Issue], set[str]]:
    """What no client's hours could be made of, and the names of the calendars it stands in."""
    from callrouter.dialplan import hours

    issues: list[Issue] = []
    bad: set[str] = set()
    for name, block in blocks.items():
        wrong: list[hours.WrongHours] = []
        hours.schedule(name, block, "UTC", "en", date(2026, 1, 1), wrong=wrong)
        for one in wrong:
            path = ("calendars", name, *one.path)
            field = ".".join(str(part) for part in path)
            message = f"calendar {shown(name)}: {one.message}"
            issues.append(Issue(file=document.file, line=document.line(*path), field=field, message=message))
            bad.add(name)
    return issues, bad


def _rotas(
    blocks: Mapping[str, RotaBlock], document: Document, contacts: Mapping[str, Person], unsure: bool
) -> tuple[dict[str, Rota], list[Issue]]:
    """Rotas with their people's numbers; `unsure`: contacts could not be read, so none is called unknown."""
    found: dict[str, Rota] = {}
    issues: list[Issue] = []

    def wrong(message: str, *path: str | int, suggestion: str = "") -> None:
        full = ("rotas", *path)
        issues.append(
            Issue(
                file=document.file,
                line=document.line(*full),
                field=".".join(str(part) for part in full),
                message=f'rota "{path[0]}": {message}',
                suggestion=suggestion,
            )
        )

    def person(who: str, *path: str | int) -> Contact:
        known = contacts.get(who)
        if known is None and not unsure:
            wrong(f"contact {shown(who)} is not in shared/contacts.yaml", *path, suggestion=closest(who, contacts))
        elif known is not None and known.number is None:
            wrong(f"contact {shown(who)} has no number to ring", *path)
        return Contact(name=who, number=(known.number if known else None) or "")

    for name, block in blocks.items():
        if not known_timezone(block.timezone):
            wrong(f"{shown(block.timezone)} is no time zone", name, "timezone")
            continue
        weekday, at_clock = values.weekly_instant(block.change)
        found[name] = Rota(
            name=name,
            timezone=block.timezone,
            weekday=weekday,
            at_clock=at_clock,
            cycle=tuple(person(who, name, "cycle", index) for index, who in enumerate(block.cycle)),
            starting=values.day(block.starting) if block.starting else None,
            weeks={values.iso_week(week): person(who, name, "weeks", week) for week, who in block.weeks.items()},
            exceptions=tuple(
                Duty(first=first, last=last, contact=person(who, name, "exceptions", written))
                for written, who in block.exceptions.items()
                for first, last in (values.days(written),)
            ),
        )
    return found, issues


def allowance(block: DiallingBlock | DiallingFile, document: Document, country: str) -> tuple[Dialling, list[Issue]]:
    """What a document allows to dial, and what is wrong with it."""
    path = () if isinstance(block, DiallingFile) else ("dialling",)
    issues = [
        Issue(
            file=document.file,
            line=document.line(*path, "countries", index),
            field="countries",
            message=f'countries: {shown(code)} is no country: write an ISO code such as "BE"',
        )
        for index, code in enumerate(block.countries)
        if code not in SUPPORTED_REGIONS
    ]
    prefixes, wrong = _beginnings(block.prefixes, document, country, *path, "prefixes")
    home = f"+{country_code_for_region(country)}"
    for index, text in enumerate(block.prefixes):
        if home.startswith(numbers.normalise_prefix(text.removesuffix("*"), country) or "-"):
            message = (
                f"prefixes: {shown(text)} allows every number of {country}, those that cost most too: write more of it"
            )
            line = document.line(*path, "prefixes", index)
            issues.append(
                Issue(file=document.file, line=line, field="prefixes", message=message, severity=Severity.WARNING)
            )
    return Dialling(countries=with_territories(block.countries), prefixes=prefixes), [*issues, *wrong]


def _beginnings(
    written: tuple[str, ...], document: Document, country: str, *path: str
) -> tuple[tuple[str, ...], list[Issue]]:
    """Beginnings of numbers in E.164."""
    found: list[str] = []
    issues: list[Issue] = []
    for index, text in enumerate(written):
        prefix = numbers.normalise_prefix(text.removesuffix("*"), country)
        if prefix is None or len(prefix) < 2:
            message = f'{path[-1]}: {shown(text)} is no beginning of a number: write "0892" or "+377"'
            line = document.line(*path, index)
            issues.append(Issue(file=document.file, line=line, field=".".join(path), message=message))
        else:
            found.append(prefix)
    return tuple(found), issues


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
        found[name] = Person(
            name=name,
            title=block.name or name,
            number=number,
            email=block.email,
            url=block.url,
            source=f"{document.file}:{document.line('contacts', name)}",
        )
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
