"""Who is told of messages, for a person: a policy as sentences."""

from __future__ import annotations

from collections.abc import Iterator

from callrouter.core.dispatch import Course, Means, Policy, Step
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import CALLED, listed

_TIMES = ("", "once", "twice")
_LISTED = "it stands on the agents' list"


def described(plan: Plan, policy: Policy) -> Iterator[str]:
    """Whole sentences: what becomes of an urgent message, of another one, and what leaves the house."""
    if policy.urgent == policy.ordinary:
        yield f"Every message: {course_in_words(plan, policy.urgent)}."
    else:
        yield f"Urgent: {course_in_words(plan, policy.urgent)}."
        yield f"Ordinary: {course_in_words(plan, policy.ordinary, policy.ages_seconds)}."
    if policy.last:
        yield f"Where nobody is on call by a rota: {_title(plan, policy.last)}, by the means of the step."
    if policy.confidential:
        opened = _opened_by(plan, policy)
        yield f"Confidential: what leaves the house holds a link, and nothing of the message; {opened}."


def course_in_words(plan: Plan, course: Course, ages_seconds: float = 0.0) -> str:
    """`at once Docteur Moreau, by SMS; after 10 minutes without an acknowledgement Docteur Noir, by e-mail; …`"""
    parts: list[str] = []
    wait = 0.0
    for index, step in enumerate(course.steps):
        whom = f"{people_in_words(plan, step)}{_by(plan, step)}"
        when = _begins(step)
        if index == 0:
            parts.append(f"{when or 'at once '}{whom}")
        elif wait:
            parts.append(f"after {span(wait)} without an acknowledgement {when}{whom}")
        else:
            parts.append(f"where nobody of these could be told {when}{whom}")
        wait = step.wait_seconds
    if not parts:
        return f"nobody is told, and {_LISTED}"
    if course.repeat:
        times = _TIMES[course.repeat] if course.repeat < len(_TIMES) else f"{course.repeat} times"
        parts.append(f"after {span(wait)} more all of it again, {times}")
    if ages_seconds:
        parts.append(f"after {span(ages_seconds)} without an acknowledgement it is urgent")
    elif wait:
        parts.append(f"then {_LISTED}" if course.repeat else f"after {span(wait)} more {_LISTED}")
    return "; ".join(parts)


def _opened_by(plan: Plan, policy: Policy) -> str:
    """`a PIN opens it for Docteur Moreau, and a code, sent by another way, for others`."""
    told = (name for course in (policy.urgent, policy.ordinary) for step in course.steps for name in step.to)
    rotas = ([one.name for one in plan.rotas[name].people()] if name in plan.rotas else [name] for name in told)
    people = dict.fromkeys((*(name for names in rotas for name in names), *([policy.last] if policy.last else [])))
    by_pin = [_title(plan, name) for name in people if name in plan.people and plan.people[name].pin]
    if not by_pin:
        return "a code opens it, which is sent by another way"
    pins = f"a PIN opens it for {listed(by_pin)}"
    return pins if len(by_pin) == len(people) else f"{pins}, and a code, which is sent by another way, for others"


def people_in_words(plan: Plan, step: Step) -> str:
    """`whoever is on call by on_duty and Docteur Moreau`."""
    names = [f"whoever is on call by {name}" if name in plan.rotas else _title(plan, name) for name in step.to]
    return listed(names) or "nobody"


def span(seconds: float) -> str:
    """How long, written out: `10 minutes`, `1 hour 30 minutes`."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    counted = ((hours, "hour"), (minutes, "minute"), (rest, "second"))
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counted if count) or "0 seconds"


def _title(plan: Plan, name: str) -> str:
    reach = plan.people.get(name)
    return reach.title if reach is not None and reach.title else name


def _by(plan: Plan, step: Step) -> str:
    """By what; where the document does not say it, by what costs nothing and somebody of these has."""
    if step.by:
        return f", by {listed([CALLED[means] for means in step.by])}"
    rotas = (plan.rotas[name].people() for name in step.to if name in plan.rotas)
    names = (*(name for name in step.to if name not in plan.rotas), *(one.name for people in rotas for one in people))
    free = dict.fromkeys(means for name in names if name in plan.people for means in plan.people[name].means)
    return f", by {listed([CALLED[means] for means in Means if means in free], 'or')}" if free else ""


def _begins(step: Step) -> str:
    """When a step begins that does not do so at once, with a blank after it."""
    if step.at:
        return f"at {listed([f'{clock:%H:%M}' for clock in step.at], 'or')} "
    return f"in hours {step.hours}, or when they begin, " if step.hours else ""


def for_what(plan: Plan, name: str) -> str:
    """Whose messages are a policy's: `for form night and node take_message`."""
    forms = [form.name for form in plan.forms if form.deliver == name]
    nodes = [node for node, about in plan.about.items() if about.uses.delivers == name]
    named = [
        f"{what}{'s' if len(of) > 1 else ''} {listed(of)}" for what, of in (("form", forms), ("node", nodes)) if of
    ]
    return f"for {' and '.join(named)}" if named else "which nothing names"
