"""What becomes of a message, instant by instant, while nobody acknowledges it and everybody can be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from callrouter.core.call import Call
from callrouter.core.dispatch import Policy, Reach, Step
from callrouter.core.forms import filled_of
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import CALLED, address_in_words, listed

_LISTED = "it stands on the agents' list"
_YEAR_DAYS = 366


def of_call(plan: Plan, call: Call) -> Iterator[str]:
    """What becomes of each message that a call has left, as `planned` says it."""
    for message in call.messages:
        complete_at = message.started_at + timedelta(seconds=message.seconds)
        urgent = filled_of(message.values, caller_number=None).urgent
        yield from planned(plan, message.deliver, urgent=urgent, at=complete_at)


def planned(plan: Plan, deliver: str, *, urgent: bool, at: datetime) -> Iterator[str]:
    """What becomes of a message that is complete at an aware instant, while nobody acknowledges and all can be told.

    Each line has the time by the client's clock, who is told, with whoever is on call then, and where.
    """
    if not deliver:
        yield f"delivery: nobody is named; {_LISTED}"
        return
    policy = plan.policy_for(deliver)
    if policy is None:
        yield f"delivery: {deliver} is neither a policy nor a contact; {_LISTED}"
        return
    kind = "urgent" if urgent else "ordinary"
    named = f"policy {deliver}, {kind}" if deliver in plan.policies else deliver
    yield f"delivery by {named}, while nobody acknowledges:"
    yield from (f"  {line}" for line in _going(plan, policy, urgent, at))


def _going(plan: Plan, policy: Policy, urgent: bool, at: datetime) -> Iterator[str]:
    zone, course = ZoneInfo(plan.timezone), policy.course(urgent=urgent)
    ages_at = at + timedelta(seconds=policy.ages_seconds) if policy.ages_seconds and not urgent else None
    now: datetime | None = at
    for index, step in enumerate(course.steps):
        assert now is not None
        begins = _start(plan, step, now)
        if ages_at is not None and (begins is None or begins >= ages_at):
            break
        told = [*_told(plan, step, begins)] if begins is not None else []
        if begins is None:
            yield f"hours {step.hours} do not open within a year: the step is passed over"
        elif not told:
            now = begins
            yield f"{_clock(begins, zone, at)}  nobody can be told: {_nobody(plan, step)}"
        else:
            yield from (f"{_clock(begins, zone, at)}  {line}" for line in told)
            if not step.wait_seconds:
                if index + 1 < len(course.steps):
                    yield f"{' ' * len(_clock(begins, zone, at))}  (the next step is for when nobody could be told)"
                now = None
                break
            now = begins + timedelta(seconds=step.wait_seconds)
    if ages_at is not None:
        yield f"{_clock(ages_at, zone, at)}  it goes the way of an urgent message:"
        yield from (f"  {line}" for line in _going(plan, policy, True, ages_at))
    elif now is not None and course.repeat:
        yield f"{_clock(now, zone, at)}  all of it again, {course.repeat} times at most; then {_LISTED}"
    elif now is not None:
        yield f"{_clock(now, zone, at)}  {_LISTED}"


def _told(plan: Plan, step: Step, at: datetime) -> Iterator[str]:
    """Who is told when a step begins, and where: each by all of its means."""
    for name in step.to:
        rota = plan.rotas.get(name)
        on_call = f" (on call by {name})" if rota is not None else ""
        for one in (one.name for one in rota.at(at)) if rota is not None else (name,):
            if (reach := plan.people.get(one)) is not None and (where := _where(step, reach)):
                yield f"{reach.title or one}{on_call}: {where}"


def _where(step: Step, reach: Reach) -> str:
    addresses = ((means, reach.address(means)) for means in step.by or reach.means)
    return listed([f"{CALLED[means]} to {address_in_words(address)}" for means, address in addresses if address])


def _nobody(plan: Plan, step: Step) -> str:
    rotas = [name for name in step.to if name in plan.rotas]
    return f"nobody is on call by {listed(rotas)}" if rotas else "there is no address for it"


def _start(plan: Plan, step: Step, at: datetime) -> datetime | None:
    """When a step begins that nothing else holds from an instant on; None: never."""
    if step.at:
        zone = ZoneInfo(plan.timezone)
        days = (at.astimezone(zone).date() + timedelta(days=days) for days in range(3))
        instants = [datetime.combine(day, clock, zone).astimezone(UTC) for day in days for clock in step.at]
        return min(one for one in instants if one > at)
    schedule = plan.schedules.get(step.hours) if step.hours else None
    if schedule is None or schedule.at(at).open:
        return at
    zone = ZoneInfo(schedule.timezone)
    for day in (at.astimezone(zone).date() + timedelta(days=days) for days in range(_YEAR_DAYS)):
        for part in schedule.open_parts(day):
            opens = datetime.combine(day, part.start, zone).astimezone(UTC)
            if opens > at and schedule.at(opens).open:
                return opens
    return None


def _clock(at: datetime, zone: ZoneInfo, since: datetime) -> str:
    """The time of day, with the day where it is another one."""
    local, first = at.astimezone(zone), since.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.date() == first.date() else f"{local:%a %d %b %H:%M}"
