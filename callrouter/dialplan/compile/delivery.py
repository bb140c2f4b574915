"""A client's policies, as its file says them under `delivery`, and all whom a message of its plan may be told to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from callrouter.core.call import replace
from callrouter.core.dispatch import Course, Means, Policy, Reach, Step
from callrouter.core.numbers import is_fixed_line
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.calendar import ONLY_HOURS
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.delivery import PolicyBlock, StepBlock
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.people import Person

Path = tuple[str | int, ...]


class Delivery(Struct, frozen=True, kw_only=True):
    """What a plan holds of it."""

    policies: Mapping[str, Policy]
    people: Mapping[str, Reach]
    rotas: Mapping[str, Rota]


def policies_of(scope: NameScope, file: ClientFile) -> Mapping[str, Policy]:
    """The client's policies by the names its document gives them; what is wrong with what they name is noted."""
    # What contacts and policies are called in the plan depends on which policies there are.
    known = replace(scope, policies=dict.fromkeys(file.delivery, _NO_POLICY))
    return {name: _policy(known, name, block) for name, block in file.delivery.items()}


def delivery_of(scope: NameScope, beyond: Iterable[NameScope]) -> Delivery:
    """What a plan holds of the delivery of its messages; `beyond` are the clients whose trees are part of it.

    Of those it has what messages of their trees are for, under names that cannot be mistaken for the client's own.
    """
    policies = dict(scope.policies)
    own = {name: person.reach for name, person in scope.contacts.items()}
    people: Mapping[str, Reach] = {**scope.shared.people, **own} if own else scope.shared.people
    rotas = dict(_rotas(scope, policies.values()))
    for other in beyond:
        named = [policy for name, policy in other.policies.items() if name in other.named_for]
        policies |= {policy.name: policy for policy in named}
        rotas |= _rotas(other, named)
        people = {**people, **_people(other, named)}
    _check_on_call(scope, people, rotas)
    return Delivery(policies=policies, people=people, rotas=rotas)


_BY_NUMBER = frozenset({Means.SMS, Means.PHONE})
_NO_POLICY = Policy(name="", urgent=Course(steps=()), ordinary=Course(steps=()))


def _rotas(scope: NameScope, policies: Iterable[Policy]) -> Iterator[tuple[str, Rota]]:
    """Those that policies tell, as the plan calls them."""
    for called in _told(policies):
        if isinstance(whom := scope.whom(called.removeprefix(scope.hours_prefix)), Rota):
            yield called, whom


def _people(other: NameScope, policies: Iterable[Policy]) -> dict[str, Reach]:
    """Of another client whose tree is part of the plan: contacts who are told, where the plan calls them otherwise."""
    named = (name for name in other.named_for if name not in other.policies)
    called = {*_told(policies), *(other.called(name) for name in named)}
    found = {name: other.whom(name.removeprefix(other.hours_prefix)) for name in called}
    return {
        name: replace(person.reach, name=name)
        for name, person in found.items()
        if isinstance(person, Person) and name.startswith(other.hours_prefix)
    }


def _told(policies: Iterable[Policy]) -> dict[str, None]:
    """Whom policies name, each once."""
    known = tuple(policies)
    courses = (course for policy in known for course in (policy.urgent, policy.ordinary))
    named = [name for course in courses for step in course.steps for name in step.to]
    return dict.fromkeys((*named, *(policy.last for policy in known if policy.last)))


def _check_on_call(scope: NameScope, people: Mapping[str, Reach], rotas: Mapping[str, Rota]) -> None:
    """A rota names shared contacts, and the plan knows people by their names."""
    for rota in rotas.values():
        for one in rota.people():
            if one.name in scope.contacts and people[one.name] != scope.shared.people.get(one.name):
                wrong = f"rota {shown(rota.name)}, which is told of messages, names {shown(one.name)} of"
                mend = "shared/contacts.yaml, and this is somebody else: give the one here another name"
                scope.fail(f"{wrong} {mend}", "contacts", one.name)


# Of one policy


def _policy(scope: NameScope, name: str, block: PolicyBlock) -> Policy:
    if isinstance(whom := scope.whom(name), Person | Rota):
        what = f"a contact ({whom.source})" if isinstance(whom, Person) else "a rota of shared/calendars.yaml"
        wrong = f"policy {shown(name)} has the name of {what}, and deliver: {name} could mean either"
        scope.fail(f"{wrong}: give the policy another one", "delivery", name)
    steps = {
        key: _steps(scope, written, "delivery", name, key)
        for key, written in (("urgent", block.urgent), ("ordinary", block.ordinary))
        if written
    }
    urgent = Course(steps=steps.get("urgent") or steps["ordinary"], repeat=block.repeat)
    ordinary = Course(steps=steps["ordinary"]) if "ordinary" in steps else urgent
    return Policy(
        name=scope.called(name),
        urgent=urgent,
        ordinary=ordinary,
        ages_seconds=block.ages or 0.0,
        last=_last(scope, block, "delivery", name, "last"),
        confidential=block.confidential,
    )


def _last(scope: NameScope, block: PolicyBlock, *path: str | int) -> str:
    """Who is told where nobody is on call, as the plan calls them; empty: nobody is, as was noted or is not written."""
    if block.last is None:
        return ""
    if isinstance(scope.whom(block.last), Rota):
        wrong = f"{shown(block.last)} is a rota, and last is told where a rota has nobody"
        scope.fail(f"{wrong}: name a contact", *path)
        return ""
    found = scope.contact(block.last, *path)
    by_number = _BY_NUMBER & {Means(word) for step in (*block.urgent, *block.ordinary) for word in step.by}
    if found is not None and by_number:
        _check_numbers(scope, block.last, found, *path, texts=Means.SMS in by_number)
    return scope.called(block.last) if found is not None else ""


def _steps(scope: NameScope, blocks: Sequence[StepBlock], *path: str | int) -> tuple[Step, ...]:
    return tuple(_step(scope, block, *path, index) for index, block in enumerate(blocks))


def _step(scope: NameScope, block: StepBlock, *path: str | int) -> Step:
    found = {name: _whom(scope, name, *path, "to", place) for place, name in enumerate(block.to)}
    by = tuple(Means(word) for word in block.by)
    if by_number := _BY_NUMBER & {*by}:
        for place, (name, whom) in enumerate(found.items()):
            _check_numbers(scope, name, whom, *path, "to", place, texts=Means.SMS in by_number)
    return Step(
        to=tuple(scope.called(name) for name, whom in found.items() if whom is not None),
        by=by,
        wait_seconds=block.wait or 0.0,
        at=tuple(sorted(block.at)),
        hours=_hours(scope, block.hours, *path, "hours") if block.hours else "",
    )


def _whom(scope: NameScope, name: str, *path: str | int) -> Person | Rota | None:
    """Whom a step names; None: nobody, as was noted."""
    if name in scope.policies and scope.whom(name) is None:
        scope.fail(f"{shown(name)} is a policy, and a step tells contacts and rotas: name those", *path)
        return None
    return scope.on_call(name, *path)


def _reaches(scope: NameScope, whom: Person | Rota | None) -> tuple[Reach, ...]:
    """A contact, or everybody whom a rota may name."""
    if isinstance(whom, Rota):
        # Those who are refused are blamed with the rota.
        return tuple(scope.shared.people[one.name] for one in whom.people() if one.name in scope.shared.people)
    return (whom.reach,) if whom is not None else ()


def _check_numbers(scope: NameScope, name: str, whom: Person | Rota | None, *path: str | int, texts: bool) -> None:
    """Who is rung, or sent a text message (`texts`), must have a number that may be dialled; on a fixed line nobody
    reads one."""
    for one in _reaches(scope, whom):
        if not one.number:
            continue  # As is said with the means that others lack.
        who = f"rota {shown(name)}, {shown(one.name)}" if isinstance(whom, Rota) else f"contact {shown(name)}"
        scope.may_dial(one.number, *path, who=who)
        if texts and is_fixed_line(one.number):
            wrong = f"{who}: {one.number} is a fixed line's, on which few people read text messages"
            scope.fail(f"{wrong}: name a mobile, or other means", *path, name="fixed-line-sms")


def _hours(scope: NameScope, name: str, *path: str | int) -> str:
    """A set of hours as the plan calls it; empty where there is none, as was noted."""
    if name in scope.schedules:
        return scope.hours_prefix + name
    if not scope.schedules:
        scope.fail('the client has no hours: write them under "hours"', *path)
    elif name == ONLY_HOURS and len(scope.schedules) == 1:
        return scope.hours_prefix + next(iter(scope.schedules))
    elif name == ONLY_HOURS:
        scope.fail(f"the client has several hours ({', '.join(scope.schedules)}): write which", *path)
    else:
        meant = closest(name, scope.schedules)
        scope.fail(f"the client has no hours called {shown(name)}", *path, suggestion=meant)
    return ""
