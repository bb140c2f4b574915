"""Openings: whoever is sent a link to what is confidential must be able to open it, by a PIN or by a second way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from callrouter.core.dispatch import Means
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.delivery import PolicyBlock, StepBlock
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.words import CALLED, listed
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.people import Person

Persons = Callable[[str], Iterable[tuple[str, Person]]]
"""A contact, or all who may be on call by a rota, with what a person calls them."""


def check_openings(scope: NameScope, name: str, block: PolicyBlock, persons: Persons) -> None:
    """Of a confidential policy, each person once; also those who are told where a rota has nobody."""
    blamed: set[str] = set()
    for step, called, path in _told(scope, block):
        for who, person in persons(called):
            closed = [means for means in _means_of(step, person) if _is_closed(person, means)]
            if closed and person.name not in blamed:
                blamed.add(person.name)
                wrong = f"policy {shown(name)} is confidential: {_unopened(who, person, closed)}"
                scope.fail(wrong, "delivery", name, *path)


def _told(scope: NameScope, block: PolicyBlock) -> Iterator[tuple[StepBlock, str, tuple[str | int, ...]]]:
    """Names of those who are told, each with the step, and where it stands."""
    for key, steps in (("urgent", block.urgent), ("ordinary", block.ordinary)):
        for index, step in enumerate(steps):
            for place, called in enumerate(step.to):
                yield step, called, (key, index, "to", place)
            if block.last is not None and any(isinstance(scope.whom(called), Rota) for called in step.to):
                yield step, block.last, ("last",)


def _means_of(step: StepBlock, person: Person) -> tuple[Means, ...]:
    """By which a step sends somebody a link."""
    return tuple(means for means in map(Means, step.by or person.reach.means) if person.reach.address(means))


def _is_closed(person: Person, means: Means) -> bool:
    """Whether nothing opens what comes to somebody by these means."""
    return not person.pin and person.reach.second_means(means) is None


def _unopened(who: str, person: Person, closed: Sequence[Means]) -> str:
    """What somebody lacks to open their links, and how that is mended."""
    by = listed([CALLED[means] for means in closed])
    lacks = "an email" if Means.SMS in closed else "a mobile number"
    if Means.WEBHOOK in closed:
        lacks = "a mobile number or an email"
    wrong = f"{who} is sent a link by {by}, and has neither a PIN that opens it nor {lacks} for a code"
    return f"{wrong}: write pin: env:NAME, or {lacks} ({person.source})"
