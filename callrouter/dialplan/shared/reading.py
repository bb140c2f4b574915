"""The files beside the clients: contacts, agents, queues, calendars, prompts, snippets and what may be dialled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct, field
from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel

from callrouter.core.dialling import Dialling
from callrouter.core.dispatch import Reach
from callrouter.core.numbers import CallerList
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.calendar import CalendarBlock
from callrouter.dialplan.documents.people import AgentBlock, TeamQueueBlock
from callrouter.dialplan.documents.shared_files import (
    DAYS_AHEAD,
    SHARED_FILES,
    AgentsFile,
    CalendarsFile,
    ContactsFile,
    DiallingFile,
    ListsFile,
    PromptsFile,
    QueuesFile,
    SnippetsFile,
    TrunkFile,
)
from callrouter.dialplan.issues import Issue, closest, errors, shown
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.language.validation import validate, validate_part
from callrouter.dialplan.shared.calendars import rotas, wrong_calendars
from callrouter.dialplan.shared.dialling import allowance, beginnings
from callrouter.dialplan.shared.identities import Trunk, trunk_of
from callrouter.dialplan.shared.lists import shared_lists
from callrouter.dialplan.shared.people import Person, people
from callrouter.dialplan.shared.queues import TeamQueue, odd_times, strangers, team_queue
from callrouter.dialplan.shared.snippets import Snippet, read_snippets
from callrouter.dialplan.shared.telephones import (
    mixed_teams,
    phone_of,
    shared_phones,
    wrong_agents,
    wrong_phones,
    wrong_queues,
)

Model = TypeVar("Model", bound=BaseModel)

FOLDER = "shared"
DEFAULT_COUNTRY = "FR"
"""Where callrouter is at home: the default of the setting that says whose national numbers are understood."""


class Shared(Struct, frozen=True, kw_only=True):
    """What the clients of a folder have in common."""

    contacts: Mapping[str, Person] = field(default_factory=dict)
    people: Mapping[str, Reach] = field(default_factory=dict)
    """Where the contacts are reached, as plans say it: made once for all clients."""
    agents: Mapping[str, AgentBlock] = field(default_factory=dict)
    """Empty: nobody has written who they are."""
    telephones: tuple[str, ...] = ()
    """Every telephone, where they are listed; nobody's own too."""
    pauses: tuple[str, ...] = ()
    """Why an agent may pause."""
    queues: Mapping[str, TeamQueue] = field(default_factory=dict)
    prompts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Sentences by name and language."""
    calendars: Mapping[str, CalendarBlock] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    days_ahead: int = DAYS_AHEAD
    """For how many days it is proved that urgent messages reach somebody."""
    lists: Mapping[str, CallerList] = field(default_factory=dict)
    snippets: Mapping[str, Snippet] = field(default_factory=dict)
    dialling: Dialling = field(default_factory=Dialling)
    """What every client may have dialled, besides its own country."""
    trunk: Trunk | None = None
    """What the carrier shows of our calls; None: nobody has written it."""
    bad: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By kind (`contacts` …): entries that are wrong by themselves, and so refuse whoever uses them."""
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

    @property
    def phones(self) -> dict[str, str]:
        """By agent, members of queues too that `agents` does not hold: their telephone, by default of their name."""
        members = {agent: agent for team in self.queues.values() for agent in team.members}
        return members | {name: phone_of(name, agent) for name, agent in self.agents.items()}

    @property
    def wrong_teams(self) -> tuple[str, ...]:
        """The files of teams and agents that cannot be used whole: who went by them would take a team from the PBX."""
        kinds = ("queues", "agents")
        refused = [self.refused[kind] for kind in kinds if kind in self.refused]
        return (*refused, *(f"{FOLDER}/{kind}.yaml" for kind in kinds if self.bad.get(kind)))


def shared_from(documents: Mapping[str, Document], names: Collection[str], country: str, year: int) -> Shared:
    """What the shared files say: `documents` by kind (`contacts` …), those that are there.

    `names` are those of all documents in their folder, by their path in it; `country` is the operator's own. Days that
    come every year are looked up around `year`.
    """
    files = _Files(documents, names)
    contacts = files.read("contacts", ContactsFile)
    agents = files.read("agents", AgentsFile)
    queues = files.read("queues", QueuesFile)
    prompts = files.read("prompts", PromptsFile)
    calendars = files.read("calendars", CalendarsFile)
    lists = files.read("lists", ListsFile)
    snippets = files.read("snippets", SnippetsFile)
    dialling = files.read("dialling", DiallingFile)
    trunk = files.read("trunk", TrunkFile)
    # Looked at in this order: rotas name contacts, and an operator reads the findings from top to bottom.
    known_people = _people(files, contacts, country)
    _teams(files, queues, agents)
    known_rotas, bad_calendars = _calendars(files, calendars, known_people, year)
    known_lists = _lists(files, lists, country)
    known_snippets = _snippets(files, snippets)
    allowed = _dialling(files, dialling, country)
    return Shared(
        contacts=known_people,
        people={name: person.reach for name, person in known_people.items()},
        agents=agents.found.agents if agents.found else {},
        telephones=agents.found.phones if agents.found else (),
        pauses=agents.found.pauses if agents.found else (),
        queues={name: team_queue(name, block) for name, block in _good(files, queues)} if queues.found else {},
        prompts=prompts.found.prompts if prompts.found else {},
        calendars=calendars.found.calendars if calendars.found else {},
        rotas=known_rotas,
        days_ahead=calendars.found.days_ahead if calendars.found else DAYS_AHEAD,
        lists=known_lists,
        snippets=known_snippets,
        bad_snippets=frozenset((*(snippets.found.snippets if snippets.found else ()), *files.bad.get("snippets", ())))
        - frozenset(known_snippets),
        bad_calendars=bad_calendars,
        dialling=allowed,
        trunk=_trunk(files, trunk, country),
        bad={kind: frozenset(names) for kind, names in files.bad.items()},
        refused=files.refused,
        country=country,
        issues=tuple(files.issues),
        content=b"\0".join(files.contents),
    )


class _File(NamedTuple, Generic[Model]):
    """A shared file as it was read; `found` is None when it is absent, or wrong."""

    kind: str
    document: Document
    found: Model | None


class _Files:
    """Understands the files of the folder, and keeps what is wrong with them."""

    def __init__(self, documents: Mapping[str, Document], names: Collection[str]) -> None:
        self._documents = documents
        self.issues, self.refused = _unknown_files(names)
        self.contents: list[bytes] = []
        self.bad: dict[str, set[str]] = {}

    def read(self, kind: str, model: type[Model]) -> _File[Model]:
        """The file of a kind."""
        document = self._documents.get(kind)
        if document is None:
            return _File(kind, Document(file=f"{FOLDER}/{kind}.yaml"), None)
        self.contents.append(f"{kind}\0".encode() + document.content)
        found, wrong = validate(model, document) if document.value is not None else (None, [])
        wrong = [*document.issues, *wrong]
        # Of what stands twice outside of any entry nobody knows which one is meant.
        whole = any("." not in issue.field for issue in document.issues)
        if wrong and not whole and (rest := self._without_entries(kind, model, document, wrong)):
            return _File(kind, document, rest)
        if wrong:
            found = None
            self.issues.extend(wrong)
            self.refused[kind] = document.file
        return _File(kind, document, found)

    def _without_entries(self, kind: str, model: type[Model], document: Document, wrong: list[Issue]) -> Model | None:
        """The file without the entries that are wrong, where all that is wrong stands in entries."""
        value = document.value
        if not isinstance(value, dict):
            return None
        places = [issue.field.split(".") for issue in wrong]
        bad = {(place[0], place[1]) for place in places if len(place) > 1}
        # A key that is missing is known by its own name alone: its line says whose it is.
        bad |= {
            at for issue, place in zip(wrong, places, strict=True) if len(place) == 1 for at in _at(document, issue)
        }
        if not bad or any(name not in _entries(value, part) for part, name in bad):
            return None
        left = {
            part: {name: entry for name, entry in entries.items() if (part, name) not in bad}
            if isinstance(entries, dict)
            else entries
            for part, entries in value.items()
        }
        found, more = validate_part(model, document, left, ())
        if found is None or more:
            return None
        self.issues.extend(wrong)
        for part, name in bad:
            self.bad.setdefault(part, set()).add(name)
        return found

    def refuse_entries(self, part: str, wrong: Iterable[Issue]) -> None:
        """Keep what is wrong with entries of a file that could be read; they are refused, and not the file."""
        for issue in wrong:
            self.issues.append(issue)
            self.bad.setdefault(part, set()).add(issue.field.split(".")[1])

    def note(self, file: _File[Model], wrong: Iterable[Issue]) -> None:
        """Keep what is wrong with a file that could be read; an error refuses it."""
        wrong = tuple(wrong)
        self.issues.extend(wrong)
        if errors(wrong):
            self.refused[file.kind] = file.document.file


def _teams(files: _Files, queues: _File[QueuesFile], agents: _File[AgentsFile]) -> None:
    """What is wrong with teams and agents that could be read; an entry that is refused refuses who uses it."""
    known = agents.found.agents if agents.found else {}
    if agents.found:
        files.refuse_entries("agents", wrong_agents(agents.found, agents.document))
        files.note(agents, wrong_phones(agents.found, agents.document))
    if queues.found:
        if agents.found:
            unknown = strangers(queues.found, queues.document, known, files.bad.get("agents", ()))
            files.refuse_entries("queues", unknown)
        files.refuse_entries("queues", wrong_queues(queues.found, queues.document))
        files.refuse_entries("queues", mixed_teams(queues.found, queues.document))
        files.refuse_entries("queues", shared_phones(queues.found, queues.document, known))
        files.issues.extend(odd_times(queues.found, queues.document))


def _people(files: _Files, file: _File[ContactsFile], country: str) -> dict[str, Person]:
    if file.found is None:
        return {}
    written = (file.found.country or country).upper()
    if written not in SUPPORTED_REGIONS:
        # By which plan its numbers are to be read nobody knows: one error, and not one for each of them.
        wrong_country = f'country: {shown(written)} is no country: write an ISO code such as "FR"'
        files.note(file, [file.document.issue(wrong_country, "country")])
        return {}
    found, wrong = people(file.found.contacts, file.document, written)
    files.refuse_entries("contacts", wrong)
    return found


def _lists(files: _Files, file: _File[ListsFile], country: str) -> dict[str, CallerList]:
    if file.found is None:
        return {}
    found, wrong = shared_lists(file.found.lists, file.document, (file.found.country or country).upper())
    files.issues.extend(issue for issue in wrong if issue.name)
    files.refuse_entries("lists", errors(wrong))
    return found


def _calendars(
    files: _Files, file: _File[CalendarsFile], contacts: Mapping[str, Person], year: int
) -> tuple[dict[str, Rota], frozenset[str]]:
    """The rotas, and the calendars that are wrong."""
    if file.found is None:
        return {}, frozenset()
    unsure = files.bad.get("contacts", set())
    found, wrong = rotas(file.found.rotas, file.document, contacts, "contacts" in files.refused, unsure, year)
    more, bad = wrong_calendars(file.found.calendars, file.document)
    files.refuse_entries("rotas", wrong)
    files.refuse_entries("calendars", more)
    found = {name: rota for name, rota in found.items() if name not in files.bad.get("rotas", set())}
    return found, bad


def _good(files: _Files, queues: _File[QueuesFile]) -> list[tuple[str, TeamQueueBlock]]:
    assert queues.found is not None
    bad = files.bad.get("queues", set())
    return [(name, block) for name, block in queues.found.queues.items() if name not in bad]


def _entries(value: Mapping[str, object], part: str) -> Collection[str]:
    """The names of what a part of a file holds; none of what is no mapping."""
    entries = value.get(part)
    return entries if isinstance(entries, dict) else ()


def _at(document: Document, issue: Issue) -> Iterator[tuple[str, str]]:
    """The entry in which an issue's line lies."""
    for part in document.value:
        for name in _entries(document.value, part):
            if document.line(part, name) == issue.line:
                yield part, name


def _snippets(files: _Files, file: _File[SnippetsFile]) -> dict[str, Snippet]:
    """A snippet that is wrong refuses itself, not the file."""
    if file.found is None:
        return {}
    found, wrong = read_snippets(file.found.snippets, file.document)
    files.issues.extend(wrong)
    return found


def _dialling(files: _Files, file: _File[DiallingFile], country: str) -> Dialling:
    if file.found is None:
        return Dialling()
    written = (file.found.country or country).upper()
    allowed, wrong = allowance(file.found, file.document, written)
    refused, more = beginnings(file.found.refused, file.document, written, "refused")
    files.note(file, [*wrong, *more])
    return Dialling(countries=allowed.countries, prefixes=allowed.prefixes, refused=refused)


def _trunk(files: _Files, file: _File[TrunkFile], country: str) -> Trunk | None:
    if file.found is None:
        return None
    found, wrong = trunk_of(file.found, file.document, country)
    files.note(file, wrong)
    return found


def _unknown_files(names: Collection[str]) -> tuple[list[Issue], dict[str, str]]:
    """Files that look like shared ones and would be ignored without a word, and which kind each was meant to be."""
    issues: list[Issue] = []
    meant: dict[str, str] = {}
    known = [f"{kind}.yaml" for kind in SHARED_FILES]
    for name in names:
        if name in known:
            continue
        stem = closest(name.lower().partition("/")[0].partition(".")[0], SHARED_FILES)
        hint = f"{stem}.yaml" if stem else ""
        message = f"is not read: the files here are {', '.join(sorted(known))}"
        issues.append(Issue(file=f"{FOLDER}/{name}", line=0, message=message, suggestion=hint))
        if hint and hint not in names:
            meant[stem] = f"{FOLDER}/{name}"
    return issues, meant
