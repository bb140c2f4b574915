"""Whether those who are sent a link to what is confidential can open it: by a PIN of their own, or by a code that comes
by another way than the link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from callrouter.core.dispatch.policy import Means, Policy, Reach, Step
from callrouter.core.rota import Rota

_CALLED: Final[Mapping[Means, str]] = {Means.EMAIL: "e-mail", Means.SMS: "SMS", Means.WEBHOOK: "webhook"}


def unopened(
    policy: Policy, people: Mapping[str, Reach], rotas: Mapping[str, Rota], *, urgent: bool, at: datetime
) -> tuple[str, ...]:
    """Of a confidential message that goes by a policy from an instant on: who could not open it, a sentence for each,
    for a person. Of a rota that is who is on call then."""
    courses = (policy.course(urgent=urgent), *((policy.urgent,) if policy.ages_seconds else ()))
    found: dict[str, str] = {}
    for step in (step for course in courses for step in course.steps):
        for reach in _told(policy, step, people, rotas, at):
            closed = [means for means in step.by or reach.means if is_closed(reach, means)]
            if closed and reach.name not in found:
                found[reach.name] = _sentence(reach, closed)
    return tuple(found.values())


def is_closed(reach: Reach, means: Means) -> bool:
    """Whether nothing opens the link that comes to somebody by these means; by telephone none does."""
    if means is Means.PHONE or not reach.address(means):
        return False
    return not reach.pin and reach.second_means(means) is None


def _told(
    policy: Policy, step: Step, people: Mapping[str, Reach], rotas: Mapping[str, Rota], at: datetime
) -> Iterator[Reach]:
    for name in step.to:
        rota = rotas.get(name)
        named = [name] if rota is None else [one.name for one in rota.at(at)] or [policy.last]
        yield from (people[one] for one in dict.fromkeys(named) if one in people)


def _sentence(reach: Reach, closed: list[Means]) -> str:
    by = " and ".join(_CALLED[means] for means in closed)
    return (
        f"the message is confidential, and {reach.title} cannot open the link that comes by {by}: there is neither a "
        "PIN of theirs nor another way for a code. Tell them yourself, or give it to somebody else"
    )
