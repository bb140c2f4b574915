"""What differs between two versions in who is told of messages, by what and when."""

from __future__ import annotations

from collections.abc import Iterator

from callrouter.core.dispatch import Means, Policy, Reach
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import CALLED, address_in_words, listed
from callrouter.dialplan.show.delivery import course_in_words, described


def changed_policies(old: Plan, new: Plan) -> Iterator[str]:
    """Sentences about one client's policies, and the rotas that they tell."""
    for name, policy in new.policies.items():
        if name not in old.policies:
            yield f"Policy {name} is new. {' '.join(described(new, policy))}"
        else:
            yield from (f"Policy {name}: {told}." for told in _of_policy(old, new, old.policies[name], policy))
    for name in old.policies:
        if name not in new.policies:
            yield f"Policy {name} is gone."
    for name in sorted(old.rotas.keys() & new.rotas.keys()):
        if old.rotas[name] != new.rotas[name]:
            yield f"Rota {name}, by which people are told of messages, has changed."
    for name in sorted(_told(old) & _told(new)):
        yield from _of_person(old.people[name], new.people[name])


def _told(plan: Plan) -> set[str]:
    """Whom policies tell, those on call too."""
    courses = (course for policy in plan.policies.values() for course in (policy.urgent, policy.ordinary))
    named = {name for course in courses for step in course.steps for name in step.to}
    named |= {policy.last for policy in plan.policies.values()}
    on_call = {one.name for rota in plan.rotas.values() for one in rota.people()}
    return (named | on_call) & plan.people.keys()


def _of_person(was: Reach, reach: Reach) -> Iterator[str]:
    changed: dict[tuple[str, str], list[str]] = {}
    for means in Means:
        before, now = (address_in_words(one.address(means)) for one in (was, reach))
        if before != now:
            changed.setdefault((before, now), []).append(CALLED[means])
    for (before, now), by in changed.items():
        where = f"at {now or 'no address'} instead of {before or 'none'}"
        yield f"{reach.name} is now told by {listed(by)} {where}."
    if was.pin != reach.pin:
        before, now = (f"the PIN env:{one.pin}" if one.pin else "a code that is sent" for one in (was, reach))
        yield f"{reach.name} now opens confidential messages by {now} instead of {before}."


def _of_policy(old: Plan, new: Plan, was: Policy, policy: Policy) -> Iterator[str]:
    ages = (0.0, 0.0), (was.ages_seconds, policy.ages_seconds)
    courses = (was.urgent, policy.urgent), (was.ordinary, policy.ordinary)
    for kind, (before, now), (aged, ages_now) in zip(("urgent", "ordinary"), courses, ages, strict=True):
        words = course_in_words(old, before, aged), course_in_words(new, now, ages_now)
        if words[0] != words[1]:
            yield f"{kind} messages go now: {words[1]}; before: {words[0]}"
    if was.last != policy.last:
        yield f"where nobody is on call it tells now {policy.last or 'nobody'}, before {was.last or 'nobody'}"
    if was.confidential != policy.confidential:
        holds = "a link, and nothing of the message" if policy.confidential else "the message"
        yield f"what leaves the house now holds {holds}"
