"""A client's document into a plan, or into the complete list of what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from msgspec import Struct, field
from phonenumbers import SUPPORTED_REGIONS

from callrouter.core import numbers
from callrouter.core.call import replace
from callrouter.core.nodes import HangupNode, Node, QueueNode, RedirectNode
from callrouter.core.numbers import ANONYMOUS, CallerList
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan import hours, timezones
from callrouter.dialplan.allowances import allowance
from callrouter.dialplan.assembly import MAX_SNIPPETS_DEEP, Assembly, Growth
from callrouter.dialplan.calendar_blocks import UNNAMED_HOURS
from callrouter.dialplan.client_file import ClientFile, ServiceLevelBlock
from callrouter.dialplan.fields import Block
from callrouter.dialplan.issues import Issue, Severity, closest, errors, shown
from callrouter.dialplan.neighbours import Neighbours
from callrouter.dialplan.node_block import NodeBlock
from callrouter.dialplan.people import people
from callrouter.dialplan.proof import Tree, check_dialled, prove
from callrouter.dialplan.reader import Document
from callrouter.dialplan.scope import Scope
from callrouter.dialplan.sentences import FALLBACK_BYE, LANGUAGES
from callrouter.dialplan.shared import Shared
from callrouter.dialplan.sounds import SoundSource
from callrouter.dialplan.validation import broken_nodes, validate_part
from callrouter.dialplan.verbs import PromptBlock

FORMAT = 1
"""Raised by one when the same document compiles to something else: it is part of every version."""

FALLBACK = "(fallback)"
FALLBACK_BYE_NODE = "(fallback bye)"
"""Names no document can write."""

ONLY_HOURS = "open"
"""What a client's hours are called when there is one set of them, without a name."""

FALLBACK_WAIT_SECONDS = 180.0
UNKNOWN_CLIENT = "unknown-did"
"""Client of the calls nobody's numbers hold."""


class Draft(Struct, frozen=True, kw_only=True, dict=True):
    """A document as far as it could be understood: what is still to be compiled, and what is wrong so far."""

    document: Document
    file: ClientFile | None
    broken: frozenset[str] = frozenset()
    """Nodes that have errors of their own: they exist, but nothing more is said of them."""
    issues: tuple[Issue, ...] = ()

    @cached_property
    def claim(self) -> Claim:
        """What it claims, even when it is wrong elsewhere: whoever leads there is told so."""
        value = self.document.value if isinstance(self.document.value, dict) else {}
        written = value.get("numbers")
        client, zone, country = (
            found if isinstance(found := value.get(key), str) else "" for key in ("client", "timezone", "country")
        )
        numbers = written if isinstance(written, list) else [written]
        return Claim(client, tuple(one for one in numbers if isinstance(one, str)), zone, country)


class Claim(NamedTuple):
    """Client and numbers of a document, as they are written, and where their national form belongs."""

    client: str
    numbers: tuple[str, ...]
    timezone: str
    country: str


class Compiled(Struct, frozen=True, kw_only=True):
    """What became of a document: a plan if nothing is wrong, and what was found."""

    document: Document
    client: str
    plan: Plan | None
    issues: tuple[Issue, ...]
    uses: frozenset[str] = frozenset()
    """Other clients' documents it was compiled from; the shared ones go without saying."""
    dialled: Mapping[str, str] = field(default_factory=dict)
    """Numbers it has dialled, and the client's document each is a number of; empty: of none."""


def draft(document: Document) -> Draft:
    """Validate a document; nodes that are wrong are set aside, so that the rest of the tree is still judged."""
    if document.value is None:
        return Draft(document=document, file=None, issues=document.issues)
    found, issues = validate_part(ClientFile, document, document.value, ())
    broken = broken_nodes(issues)
    if found is None and broken and all(issue.node for issue in issues):
        nodes = {name: node for name, node in document.value["nodes"].items() if name not in broken}
        if nodes:
            found, _ = validate_part(ClientFile, document, {**document.value, "nodes": nodes}, ())
    return Draft(document=document, file=found, broken=broken, issues=(*document.issues, *issues))


def sentences(drafted: Draft, shared: Shared, sounds: SoundSource) -> Iterator[tuple[str, str]]:
    """Every text (text, language) the client will have spoken, so that all can be rendered at once."""
    file = drafted.file
    if file is None or file.language not in LANGUAGES:
        return
    scope = _scope(drafted, file, shared, sounds)
    languages = _languages(file)
    scopes = [replace(scope, language=language) for language in languages if language in LANGUAGES]
    for node in _with_snippets(file.nodes.values(), shared):
        for prompt in _prompts(node.verb[1]):
            for spoken in scopes:
                if (text := spoken.text(prompt)) is not None:
                    yield text, spoken.language
    yield FALLBACK_BYE[file.language], file.language


def _languages(file: ClientFile) -> tuple[str, ...]:
    """The client's languages, the first one first."""
    return tuple(dict.fromkeys((file.language, *file.languages)))


def _with_snippets(nodes: Iterable[NodeBlock], shared: Shared, depth: int = 0) -> Iterator[NodeBlock]:
    """Nodes, and those of the snippets they include, as far as the snippets can be filled in."""
    for node in nodes:
        if node.include is None:
            yield node
        elif (snippet := shared.snippets.get(node.include.snippet)) and depth < MAX_SNIPPETS_DEEP:
            defaults = {name: block.default for name, block in snippet.block.parameters.items()}
            filled, _ = snippet.filled({**defaults, **node.include.with_})
            yield from _with_snippets(filled.values(), shared, depth + 1)


def _prompts(block: object) -> Iterator[PromptBlock]:
    """The prompts anywhere in a block."""
    if isinstance(block, PromptBlock):
        yield block
    elif isinstance(block, tuple):
        for item in block:
            yield from _prompts(item)
    elif isinstance(block, Block):
        for value in vars(block).values():
            if isinstance(value, tuple | Block):
                yield from _prompts(value)


def compile_client(
    drafted: Draft, shared: Shared, sounds: SoundSource, today: date, neighbours: Neighbours | None = None
) -> Compiled:
    """The plan of a document that was read and validated; holidays are looked up around `today`.

    `neighbours` are the other clients of the folder, for a tree that leads to one; what is wrong with such a client is
    wrong with this one too.
    """

    def alone(one: Draft) -> Compiled:
        return _compile_alone(one, shared, sounds, today, neighbours)[0]

    compiled, assembly = _compile_alone(drafted, shared, sounds, today, neighbours)
    if assembly is None or neighbours is None or not assembly.leads:
        return compiled
    issues = [*compiled.issues, *_wrong_neighbours(drafted, assembly, neighbours, alone)]
    if compiled.plan and not errors(issues):
        issues += _lost_exits(compiled.plan)
    return replace(compiled, plan=None if errors(issues) else compiled.plan, issues=tuple(sorted(issues, key=_by_line)))


def _lost_exits(plan: Plan) -> Iterator[Issue]:
    """Exits that lead to nothing, though all documents are right by themselves: the last door before service."""
    for name, node in plan.nodes.items():
        for way, target in node.exits.items():
            if target not in plan.nodes:
                wrong = f"exit {shown(way)} leads to {shown(target)}, which is no node of the whole tree"
                yield Issue(file=node.source or plan.source, line=node.line, node=name, message=wrong)


def _by_line(issue: Issue) -> int:
    return issue.line


def _wrong_neighbours(
    drafted: Draft, assembly: Assembly, neighbours: Neighbours, alone: Callable[[Draft], Compiled]
) -> Iterator[Issue]:
    """What is wrong with the clients this one leads to, or with those they lead to in turn."""
    for lead in assembly.leads:
        if lead.scope.hours_prefix or lead.draft is drafted:
            continue
        first = neighbours.alone(lead.draft, alone)
        files = [lead.draft.document.file, *sorted(first.uses - {drafted.document.file, lead.draft.document.file})]
        for file in files:
            other = neighbours.file(file)
            wrong = errors(neighbours.alone(other, alone).issues) if other else ()
            if wrong:
                scope = replace(lead.scope, issues=[])
                scope.fail(f"leads to {file}, which is refused; mend that first: {wrong[0]}", *lead.path)
                yield scope.issues[0]
                break


def _compile_alone(
    drafted: Draft, shared: Shared, sounds: SoundSource, today: date, neighbours: Neighbours | None
) -> tuple[Compiled, Assembly | None]:
    """The plan as far as this document says it, whatever else is wrong with the clients it leads to."""
    file, document = drafted.file, drafted.document
    if file is None:
        client = _client_of(document.value)
        return Compiled(document=document, client=client, plan=None, issues=drafted.issues), None
    scope = _scope(drafted, file, shared, sounds)
    scope.issues.extend(drafted.issues)
    plan, assembly, dialled = None, None, dict[str, str]()
    if _check_frame(scope, file):
        plan, assembly, dialled = _compile(scope, drafted, file, today, neighbours)
    issues = tuple(sorted(dict.fromkeys(scope.issues), key=_by_line))
    compiled = Compiled(
        document=document,
        client=file.client,
        plan=None if errors(issues) else plan,
        issues=issues,
        uses=frozenset(assembly.uses if assembly else ()) - {document.file},
        dialled=dialled,
    )
    return compiled, assembly


def _client_of(value: Any) -> str:
    client = value.get("client") if isinstance(value, dict) else None
    return client if isinstance(client, str) else ""


def _scope(drafted: Draft, file: ClientFile, shared: Shared, sounds: SoundSource) -> Scope:
    country = (file.country or timezones.country_of(file.timezone, shared.country)).upper()
    return Scope(
        document=drafted.document,
        shared=shared,
        sounds=sounds,
        name=file.name or file.client,
        country=country,
        language=file.language,
        timezone=file.timezone,
        first_language=file.language,
    )


def _check_frame(scope: Scope, file: ClientFile) -> bool:
    """What everything else stands on; without it nothing more is compiled."""
    before = len(scope.issues)
    if file.client == UNKNOWN_CLIENT:
        scope.fail(f"client: {shown(file.client)} is kept for calls to numbers no client has", "client")
    if not timezones.known_timezone(file.timezone):
        meant = timezones.closest_timezone(file.timezone)
        scope.fail(f"timezone: {shown(file.timezone)} is no time zone", "timezone", suggestion=meant)
    if file.language not in LANGUAGES:
        meant = closest(file.language, LANGUAGES)
        known = "" if meant else f": the languages are {', '.join(LANGUAGES)}"
        scope.fail(f"language: {shown(file.language)} is not spoken here{known}", "language", suggestion=meant)
    for index, language in enumerate(file.languages):
        if language not in LANGUAGES:
            meant = closest(language, LANGUAGES)
            scope.fail(f"languages: {shown(language)} is not spoken here", "languages", index, suggestion=meant)
    if file.languages and file.language not in file.languages:
        scope.fail(f"languages: {shown(file.language)}, the client's first language, is missing", "languages")
    if scope.country not in SUPPORTED_REGIONS:
        scope.fail(f'country: {shown(scope.country)} is no country: write an ISO code such as "FR"', "country")
    return len(scope.issues) == before


def _name_all(scope: Scope, file: ClientFile, today: date) -> None:
    """Put into the scope what the client's nodes name."""
    scope.schedules = _schedules(scope, file, today)
    scope.lists = {name: _caller_list(scope, name, entries) for name, entries in file.lists.items()}
    scope.contacts, wrong = people(file.contacts, scope.document, scope.country)
    scope.issues.extend(wrong)
    own, wrong = allowance(file.dialling, scope.document, scope.country)
    scope.issues.extend(wrong)
    general = scope.shared.dialling.plus(countries=(scope.country,))
    scope.dialling = general.plus(countries=own.countries, prefixes=own.prefixes)


def _compile(
    scope: Scope, drafted: Draft, file: ClientFile, today: date, neighbours: Neighbours | None
) -> tuple[Plan, Assembly, dict[str, str]]:
    _name_all(scope, file, today)
    dids = _numbers(scope, file)
    schedules = dict(scope.schedules)

    def open_client(other: Draft, prefix: str) -> Growth | None:
        if other.file is None:
            return None
        beyond = replace(_scope(other, other.file, scope.shared, scope.sounds), hours_prefix=prefix)
        if not _check_frame(beyond, other.file):
            return None
        _name_all(beyond, other.file, today)
        schedules.update({prefix + name: hours_ for name, hours_ in beyond.schedules.items()})
        return Growth(scope=beyond, blocks=other.file.nodes, prefix=prefix, languages=_languages(other.file))

    root = Growth(scope=scope, blocks=file.nodes, languages=_languages(file))
    assembly = Assembly(root, neighbours, open_client, file.client)
    written = {*file.nodes, *drafted.broken}
    fallback, extra = _fallback(scope, file, written)
    if file.start not in written:
        meant = closest(file.start, written)
        scope.fail(f"start: {shown(file.start)} does not exist", "start", suggestion=meant)
    starts = assembly.grow([file.start] if not fallback or extra else [file.start, fallback])
    start, fallback = starts[0], fallback if len(starts) == 1 else starts[1]
    tree = Tree(
        nodes={**assembly.nodes, **extra},
        written=(written - assembly.aliases) | assembly.broken | assembly.nodes.keys(),
        start=start,
        fallback=fallback,
        foreign=assembly.foreign,
    )
    prove(scope, file, tree, today)

    def owner(number: str) -> str:
        if number in dids:
            return scope.document.file
        found = neighbours.owner(number) if neighbours else None
        return found.document.file if found else ""

    _check_languages(scope, file, assembly)
    dialled = check_dialled(scope, tree, owner)
    plan = Plan(
        client=file.client,
        name=file.name or file.client,
        version=version_of(
            scope.document.content,
            scope.shared.content,
            *(other.document.content for _, other in sorted(assembly.uses.items()) if other is not drafted),
        ),
        numbers=dids,
        timezone=file.timezone,
        language=file.language,
        start=start,
        nodes=tree.nodes,
        fallback=fallback,
        schedules=schedules,
        service_level=_service_level(file.service_level),
        source=scope.document.file,
    )
    return plan, assembly, dialled


def _check_languages(scope: Scope, file: ClientFile, assembly: Assembly) -> None:
    """Warn of languages that no call ever comes to hear."""
    if len(file.languages) > 1 and not errors(scope.issues):
        own = (name for name in assembly.nodes if "@" in name and not name.startswith(assembly.foreign))
        spoken = {file.language, *(name.rpartition("@")[2] for name in own)}
        for index, language in enumerate(file.languages):
            if language not in spoken:
                wrong = (
                    f"languages: {shown(language)} is never spoken: no call comes to a set with language: {language}"
                )
                scope.fail(wrong, "languages", index, severity=Severity.WARNING)


def version_of(*parts: bytes) -> str:
    """Changes with every byte of the documents, and with what the compiler makes of them."""
    digest = hashlib.sha256(f"callrouter dialplan {FORMAT}\0".encode())
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]


def _schedules(scope: Scope, file: ClientFile, today: date) -> Mapping[str, Schedule]:
    found: dict[str, Schedule] = {}
    for written, block in file.hours.items():
        name = ONLY_HOURS if written == UNNAMED_HOURS else written
        calendar = scope.shared.calendars.get(block.calendar) if block.calendar else None
        if block.calendar and calendar is None:
            scope.calendar(block.calendar, "hours", written, "calendar")
        if block.calendar in scope.shared.bad_calendars:
            mend = f"calendar {shown(block.calendar)} cannot be used: mend it in shared/calendars.yaml first"
            scope.fail(mend, "hours", written, "calendar")
        wrong: list[hours.WrongHours] = []
        # The name is known whatever is wrong: nodes that use it are not blamed.
        found[name] = hours.schedule(name, block, scope.timezone, scope.language, today, wrong=wrong, calendar=calendar)
        for one in wrong:
            scope.fail(f"hours.{one.place}: {one.message}", "hours", written, *one.path)
    return found


def _caller_list(scope: Scope, name: str, entries: tuple[str, ...]) -> CallerList:
    whole: set[str] = set()
    prefixes: list[str] = []
    anonymous = False
    if name == "otherwise":
        scope.fail('lists.otherwise: "otherwise" cannot be the name of a list', "lists", name)
    for index, entry in enumerate(entries):
        if entry == ANONYMOUS:
            anonymous = True
        elif entry.endswith("*"):
            prefix = numbers.normalise_prefix(entry.removesuffix("*"), scope.country)
            if prefix is None:
                wrong = f'{shown(entry)} is no beginning of a number: write "08*" or "+338*"'
                scope.fail(f"lists.{name}: {wrong}", "lists", name, index)
            else:
                prefixes.append(prefix)
        elif (number := numbers.normalise(entry, scope.country)) is not None:
            whole.add(number)
        else:
            meant = closest(entry, (ANONYMOUS,))
            wrong = f"{shown(entry)} is no telephone number of {scope.country}"
            scope.fail(f"lists.{name}: {wrong}", "lists", name, index, suggestion=meant)
    return CallerList(name=name, numbers=frozenset(whole), prefixes=tuple(prefixes), anonymous=anonymous)


def _numbers(scope: Scope, file: ClientFile) -> tuple[str, ...]:
    found: dict[str, int] = {}
    for index, written in enumerate(file.numbers):
        number = numbers.normalise(written, scope.country)
        if number is None:
            scope.fail(f"numbers: {shown(written)} is no telephone number of {scope.country}", "numbers", index)
        elif number in found:
            scope.fail(f"numbers: {shown(written)} stands here twice (first on line {found[number]})", "numbers", index)
        else:
            found[number] = scope.document.line("numbers", index)
    return tuple(found)


def _service_level(block: ServiceLevelBlock) -> ServiceLevelTarget:
    return ServiceLevelTarget(
        within_seconds=block.within,
        target=block.target,
        short_abandon_seconds=block.short_abandon,
        formula=block.formula,
    )


def _fallback(scope: Scope, file: ClientFile, written: set[str]) -> tuple[str, dict[str, Node]]:
    """The node a call goes to when something cannot be done, and the nodes that are made for it."""
    block = file.fallback
    if block is None:
        scope.fail(
            '"fallback" is missing: without it a caller hears nothing more when something fails;'
            " write { queue: … }, { number: … } or { node: … }",
            severity=Severity.WARNING,
        )
        return "", {}
    line = scope.document.line("fallback")
    if block.node is not None:
        if block.node not in written:
            wrong = f"fallback: node {shown(block.node)} does not exist"
            scope.fail(wrong, "fallback", "node", suggestion=closest(block.node, written))
        return block.node, {}
    sounds = scope.voices((PromptBlock(say=FALLBACK_BYE[file.language]),), "fallback")
    bye = HangupNode(name=FALLBACK_BYE_NODE, line=line, sounds=sounds)
    if block.queue is not None:
        scope.queue(block.queue, "fallback", "queue")
        queue = QueueNode(
            name=FALLBACK,
            line=line,
            exits={"overflow": bye.name},
            queue=block.queue,
            max_wait_seconds=FALLBACK_WAIT_SECONDS,
        )
        return FALLBACK, {queue.name: queue, bye.name: bye}
    number = numbers.normalise(block.number or "", scope.country)
    if number is None:
        wrong = f"fallback: {shown(block.number)} is no telephone number of {scope.country}"
        scope.fail(wrong, "fallback", "number")
        return "", {}
    scope.may_dial(number, "fallback", "number", who="fallback")
    redirect = RedirectNode(name=FALLBACK, line=line, exits={"failed": bye.name}, number=number)
    return FALLBACK, {redirect.name: redirect, bye.name: bye}
