"""A week of a client's hours, day by day: what is open when, and which holidays and exceptions make it so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from callrouter.core.plan import Plan
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.questions.occasions import Calendar, calendar

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")


def monday_of(written: str) -> date:
    """The Monday of `2026-W52`, or of the week in which `2026-12-25` lies.

    Raises:
        ValueError: it is neither.
    """
    found = _WEEK.fullmatch(written.strip())
    try:
        if found:
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
        day = date.fromisoformat(written.strip())
    except ValueError:
        raise ValueError(f"{written!r} is no week: write 2026-W52, or a day such as 2026-12-25") from None
    return day - timedelta(days=day.weekday())


def hours_of_week(plan: Plan, monday: date) -> Iterator[str]:
    """Every set of hours the client has, and the rotas its tree rings, for seven days; lines for a person."""
    year, week, _ = monday.isocalendar()
    last = monday + timedelta(days=6)
    yield f"{plan.name} ({plan.source}), {year}-W{week:02}: {_day(monday)} to {_day(last)} {last.year}, {plan.timezone}"
    days = [monday + timedelta(days=offset) for offset in range(7)]
    for name, schedule in plan.schedules.items():
        yield f"  hours {name}"
        for day in days:
            yield f"    {_day(day)}  {_ranges(schedule, day)}"
    if not plan.schedules:
        yield "  no hours: the tree is the same at any time"
    looked_at = calendar(plan)
    for rota in looked_at.rotas:
        yield f"  rota {rota.name}"
        for day in days:
            yield f"    {_day(day)}  {_turns(looked_at, rota, day)}"


def _day(day: date) -> str:
    return f"{day:%a %d %b}"


def _ranges(schedule: Schedule, day: date) -> str:
    if exception := schedule.exception_on(day):
        span = f"{exception.first}" + (f"..{exception.last}" if exception.last != exception.first else "")
        holiday = f", {schedule.holidays[day]}" if day in schedule.holidays else ""
        return f"{_written(exception.ranges)}  (exception {span}{holiday})"
    if holiday := schedule.holidays.get(day, ""):
        return f"closed  ({holiday})"
    return _written(schedule.week[day.weekday()])


def _written(ranges: tuple[TimeRange, ...]) -> str:
    parts = [f"{part.start:%H:%M}-{f'{part.end:%H:%M}' if part.end else '24:00'}" for part in ranges]
    return ", ".join(parts) or "closed"


def _turns(looked_at: Calendar, rota: Rota, day: date) -> str:
    """Who is on call that day: one person, or two with the time at which they change."""
    edge = rota.at_clock.hour * 60 + rota.at_clock.minute
    before, after = rota.at(looked_at.instant(day, 0)), rota.at(looked_at.instant(day, edge))
    names = [one.name if one else "nobody" for one in (before, after)]
    return names[1] if names[0] == names[1] else f"{names[0]}, from {rota.at_clock:%H:%M} {names[1]}"
