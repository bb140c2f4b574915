"""A client's document into a plan, or into the complete list of what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from callrouter.core.agents.standing import WrapUp
from callrouter.core.call import replace
from callrouter.core.identity import Identity
from callrouter.core.plan import Plan
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan.compile.assembly import Assembly, Growth
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.delivery import delivery_of
from callrouter.dialplan.compile.fallbacks import fallback_of
from callrouter.dialplan.compile.forms import forms_of, lists_of
from callrouter.dialplan.compile.frame import check_frame, languages_of, named, scope_of, transfer_rules
from callrouter.dialplan.compile.neighbours import Neighbours
from callrouter.dialplan.compile.preferences import check_waited_in
from callrouter.dialplan.compile.reports import reports_of
from callrouter.dialplan.compile.subscriptions import subscriptions_of
from callrouter.dialplan.documents.client_file import ClientFile, ServiceLevelBlock, WrapUpBlock
from callrouter.dialplan.documents.drafts import Draft
from callrouter.dialplan.documents.retention import retention_of
from callrouter.dialplan.issues import Issue, Severity, closest, errors, lasting, shown
from callrouter.dialplan.proof import Tree, check_dialled, prove
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.reading import Shared
from callrouter.dialplan.sounds import SoundSource

FORMAT = 5
"""Raised by one when the same document compiles to something else: it is part of every version."""


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
    if (plan := compiled.plan or compiled.overdue) and not lasting(issues):
        issues += _lost_exits(plan)
    return _judged(compiled, compiled.plan or compiled.overdue, tuple(sorted(issues, key=_by_line)))


def _judged(compiled: Compiled, plan: Plan | None, issues: tuple[Issue, ...]) -> Compiled:
    """The plan as one to be served, as one that may only stay, or not at all."""
    fresh = None if errors(issues) else plan
    overdue = None if fresh or lasting(issues) else plan
    return replace(compiled, plan=fresh, overdue=overdue, issues=issues)


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
                first_wrong = (lasting(wrong) or wrong)[0]
                message = f"leads to {file}, which is refused; mend that first: {first_wrong}"
                scope.fail(message, *lead.path, dated=first_wrong.dated)
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
    scope = scope_of(drafted, file, shared, sounds)
    scope.issues.extend(drafted.issues)
    plan, assembly, dialled = None, None, dict[str, str]()
    if check_frame(scope, file):
        plan, assembly, dialled = _compile(scope, drafted, file, today, neighbours)
    found = _accepting(scope, file) if file.accepted else scope.issues
    issues = tuple(sorted(dict.fromkeys(found), key=_by_line))
    compiled = Compiled(
        document=document,
        client=file.client,
        plan=None,
        issues=issues,
        uses=frozenset(assembly.uses if assembly else ()) - {document.file},
        dialled=dialled,
    )
    return _judged(compiled, plan, issues), assembly


def _accepting(scope: NameScope, file: ClientFile) -> list[Issue]:
    """The issues without those that the file accepts; a name that accepts nothing is said to."""
    found = {issue.name for issue in scope.issues}
    kept = [issue for issue in scope.issues if issue.name not in file.accepted]
    idle = replace(scope, issues=[])
    # Where errors hide the rest of the tree, nobody knows what would be found.
    for name in file.accepted if not errors(scope.issues) else ():
        if name not in found:
            wrong = f"accepted: nothing here is warned of as {name} any more: take it out"
            idle.fail(wrong, "accepted", name, severity=Severity.WARNING)
    return [*kept, *idle.issues]


def _client_of(value: Any) -> str:
    client = value.get("client") if isinstance(value, dict) else None
    return client if isinstance(client, str) else ""


def _compile(
    scope: NameScope, drafted: Draft, file: ClientFile, today: date, neighbours: Neighbours | None
) -> tuple[Plan, Assembly, dict[str, str]]:
    """The plan, what it was assembled of, and the numbers it dials that are a client's (`Compiled.dialled`)."""
    scope = named(scope, file, today)
    dids = scope.numbers
    schedules = dict(scope.schedules)
    beyond: list[NameScope] = []

    def open_client(other: Draft, prefix: str, included_at: str) -> Growth | None:
        growth = _other_client(scope, other, prefix, included_at, today)
        if growth:
            beyond.append(growth.scope)
            schedules.update({prefix + name: hours for name, hours in growth.scope.schedules.items()})
        return growth

    def owner(number: str) -> str:
        if number in dids:
            return scope.document.file
        found = neighbours.owner(number) if neighbours else None
        return found.document.file if found else ""

    root = Growth(scope=scope, blocks=file.nodes, languages=languages_of(file))
    assembly = Assembly(root, neighbours, open_client, file.client)
    tree = _grown(scope, file, assembly)
    prove(scope, file, tree, today, dids)
    _check_languages(scope, file, assembly)
    if not errors(scope.issues):
        check_waited_in(scope, file)
    forms = forms_of(scope, file, tree) if file.forms else ()
    dialled = check_dialled(scope, tree, owner)
    delivery = delivery_of(scope, beyond)
    subscriptions = subscriptions_of(scope, file)
    reports = reports_of(scope, file, delivery.people)
    plan = Plan(
        client=file.client,
        formerly=file.formerly,
        name=file.name or file.client,
        version=_version(scope, drafted, assembly),
        numbers=dids,
        timezone=file.timezone,
        language=file.language,
        holidays=scope.almanac.codes,
        start=tree.start,
        nodes=tree.nodes,
        fallback=tree.fallback,
        schedules=schedules,
        service_level=_service_level(file.service_level),
        identity=_identity(scope, file),
        max_calls=file.max_calls or 0,
        source=scope.document.file,
        answer_phrase=file.answer_phrase,
        phrase_sounds=scope.spoken(file.answer_phrase, "answer_phrase") if file.answer_phrase else (),
        wrap_up=_wrap_up(file.wrap_up),
        team_wrap_ups={
            queue.name: queue.wrap_up_seconds for queue in scope.shared.queues.values() if queue.wrap_up_seconds
        },
        preferences=scope.preferences,
        # An agent may give a caller to any team, which the tree need not know.
        derived={**scope.derived, **{one.queue: one for one in scope.preferences.values()}},
        transfers=transfer_rules(scope),
        contacts={name: one.title for name, one in {**scope.shared.contacts, **scope.contacts}.items()},
        forms=forms,
        form_lists=lists_of(scope, forms) if forms else {},
        dialling=scope.dialling,
        policies=delivery.policies,
        people=delivery.people,
        rotas=delivery.rotas,
        subscriptions=subscriptions,
        reports=reports,
        retention=retention_of(file.retention),
    )
    return plan, assembly, dialled


def _other_client(scope: NameScope, other: Draft, prefix: str, included_at: str, today: date) -> Growth | None:
    """The tree of a client that this one leads to from there; None when it cannot be entered."""
    if other.file is None:
        return None
    beyond = replace(
        scope_of(other, other.file, scope.shared, scope.sounds),
        hours_prefix=prefix,
        shadowed=scope.contacts.keys() | scope.policies.keys(),
        included_at=included_at,
        places=scope.places,
        derived=scope.derived,
        objections=scope.objections,
    )
    if not check_frame(beyond, other.file):
        return None
    return Growth(
        scope=named(beyond, other.file, today),
        blocks=other.file.nodes,
        prefix=prefix,
        languages=languages_of(other.file),
    )


def _grown(scope: NameScope, file: ClientFile, assembly: Assembly) -> Tree:
    """All nodes that a call can reach, from the start and from the fallback."""
    written = scope.written
    fallback, extra = fallback_of(scope, file, written)
    if file.start not in written:
        meant = closest(file.start, written)
        scope.fail(f"start: {shown(file.start)} does not exist", "start", suggestion=meant)
    starts = assembly.grow([file.start] if not fallback or extra else [file.start, fallback])
    start, fallback = starts[0], fallback if len(starts) == 1 else starts[1]
    return Tree(
        nodes={**assembly.nodes, **extra},
        written=(written - assembly.aliases) | assembly.broken | assembly.nodes.keys(),
        start=start,
        fallback=fallback,
        foreign=assembly.foreign,
    )


def _version(scope: NameScope, drafted: Draft, assembly: Assembly) -> str:
    """Of all documents the plan stands on."""
    others = (other for _, other in sorted(assembly.uses.items()) if other is not drafted)
    contents = (scope.document.content, *(other.document.content for other in others))
    own, *beyond = (hashlib.sha256(content).digest() for content in contents)
    return _version_of(own, _shared_digest(scope.shared.content), *beyond)


def _check_languages(scope: NameScope, file: ClientFile, assembly: Assembly) -> None:
    """Warn of languages that no call ever hears."""
    if len(file.languages) > 1 and not errors(scope.issues):
        own = (name for name in assembly.nodes if "@" in name and not name.startswith(assembly.foreign))
        spoken = {file.language, *(name.rpartition("@")[2] for name in own)}
        for index, language in enumerate(file.languages):
            if language not in spoken:
                wrong = f"languages: {shown(language)} is never spoken: no call reaches a set with language: {language}"
                scope.fail(wrong, "languages", index, severity=Severity.WARNING)


def _identity(scope: NameScope, file: ClientFile) -> Identity | None:
    """Who calls when somebody outside is rung; None where that is not declared, or wrong."""
    if "trunk" in scope.shared.refused:
        scope.fail(f"{scope.shared.refused['trunk']} says who we are when we call out: mend that first", "identity")
        return None
    return scope.identity(file.identity, "identity")


def _service_level(block: ServiceLevelBlock) -> ServiceLevelTarget:
    return ServiceLevelTarget(
        within_seconds=block.within,
        target=block.target,
        short_abandon_seconds=block.short_abandon,
        formula=block.formula,
    )


def _wrap_up(block: WrapUpBlock | None) -> WrapUp | None:
    if block is None:
        return None
    transferred = block.answered if block.transferred is None else block.transferred
    return WrapUp(answered_seconds=block.answered, transferred_seconds=transferred)


def version_of(*parts: bytes) -> str:
    """Changes with every byte of the documents, and with what the compiler makes of them."""
    return _version_of(*(hashlib.sha256(part).digest() for part in parts))


def _version_of(*digests: bytes) -> str:
    return hashlib.sha256(b"".join((f"callrouter dialplan {FORMAT}\0".encode(), *digests))).hexdigest()[:12]


@lru_cache(maxsize=4)
def _shared_digest(content: bytes) -> bytes:
    """Every client stands on the same shared files, which may be longer than all that is its own."""
    return hashlib.sha256(content).digest()
