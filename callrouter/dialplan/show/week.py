"""A week of a client's hours, day by day: what is open when, and which holidays and exceptions make it so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callrouter.core.plan import Plan
from callrouter.core.rota import Rota
from callrouter.core.schedule import Ranges, Schedule, seen_elsewhere

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
    rotas = {rota.name: rota for about in plan.about.values() for rota in about.reads.rotas}
    for name, rota in rotas.items():
        yield f"  rota {name}"
        for day in days:
            yield f"    {_day(day)}  {_turns(rota, day, ZoneInfo(plan.timezone))}"


def _day(day: date) -> str:
    return f"{day:%a %d %b}"


def _ranges(schedule: Schedule, day: date) -> str:
    """When it is open that day, and why where it is not by the week."""
    remarks = [*_remarks(schedule, day)]
    return _written(schedule.open_parts(day)) + (f"  ({'; '.join(remarks)})" if remarks else "")


def _remarks(schedule: Schedule, day: date) -> Iterator[str]:
    rule = schedule.rule_on(day)
    idle = next((one for one in schedule.exceptions if one.first <= day <= one.last), None)
    if rule.exception:
        holiday = f", {schedule.holidays[day]}" if day in schedule.holidays else ""
        closed = "" if rule.exception.closes or schedule.opens_by_week(day) else f", no {day:%A} of the week's is open"
        yield f"exception {rule.exception.called}{holiday}{closed}"
    elif rule.holiday:
        yield rule.holiday + (f", which exception {idle.called} leaves closed" if idle else "")
    elif idle:
        yield f"exception {idle.called} opens no {day:%A}"
    before = day - timedelta(days=1)
    if nights := schedule.rule_on(before).nights:
        yield f"{_written(nights)} since {before:%a}"


def _written(ranges: Ranges) -> str:
    parts = [f"{part.start:%H:%M}-{f'{part.end:%H:%M}' if part.end else '24:00'}" for part in ranges]
    return ", ".join(parts) or "closed"


def _turns(rota: Rota, day: date, zone: ZoneInfo) -> str:
    """Who is on call that day: one after the other, with the times, by the client's clock, at which they change."""
    words: list[str] = []
    last = ""
    for instant in (datetime.combine(day, time(), zone), *_changes(rota, day, zone)):
        people = " + ".join(one.name for one in rota.at(instant)) or "nobody"
        if people != last:
            words.append(f"from {instant:%H:%M} {people}" if words else people)
        last = people
    midnight = datetime.combine(day, time())
    # A day of exception that began at 08:00 goes on until 08:00 of the day after.
    begun = (day - timedelta(days=1), day) if rota.at_clock > time() else (day,)
    exceptions = dict.fromkeys(duty.called for one in begun if (duty := rota.duty_on(one)))
    swaps = [one.written for one in rota.swaps if one.begins < midnight + timedelta(days=1) and midnight < one.ends]
    named = [f"exception {one}" for one in (*exceptions, *swaps)]
    return ", ".join(words) + (f"  ({'; '.join(named)})" if named else "")


def _changes(rota: Rota, day: date, zone: ZoneInfo) -> list[datetime]:
    """When somebody else's time may begin on a day of a zone, in order."""
    return sorted(seen_elsewhere(day, zone, rota.zone, rota.changes))
