"""Days on which hours are not what somebody may think who reads only the week, or only the exception."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from callrouter.core.schedule import Schedule, Span
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import dates
from callrouter.dialplan.proof.kept_hours import DAYS_AHEAD, KeptHours
from callrouter.dialplan.scope import NameScope

_SUNDAY = 6

MOST_NAMED = 4
"""Days that are named; who wants to see more asks `show --hours`."""


def check_surprises(scope: NameScope, kept: KeptHours, schedule: Schedule, today: date) -> None:
    """Each exception of some hours: days it opens that are closed else, and days it leaves closed."""
    for written, ranges in kept.block.exceptions.items():
        found = dates.days(written)
        days = [*_coming(kept.spans(written), today)]
        if not days:
            continue
        if isinstance(found, dates.Yearly) and found.first == found.last == dates.LEAP_DAY:
            kept.say(scope, f"{shown(written)} comes in leap years only: next in {days[0].year}", "exceptions", written)
        if ranges and found.several:
            _check_several(scope, kept, schedule, written, days)
        elif ranges:
            _check_single(scope, kept, schedule, written, days)


def _coming(spans: tuple[Span, ...], today: date) -> Iterator[date]:
    """The days of the coming two years; of a text that comes no sooner, the first that does."""
    last = today + timedelta(days=DAYS_AHEAD)
    coming = [(first, end) for first, end in spans if end >= today]
    within = [(first, end) for first, end in coming if first <= last] or coming[:1]
    for first, end in within:
        begun = max(first, today)
        yield from (begun + timedelta(days=step) for step in range((end - begun).days + 1))


def _check_several(scope: NameScope, kept: KeptHours, schedule: Schedule, written: str, days: list[date]) -> None:
    """Several days change those which the week opens; holidays stay closed, which few think of."""
    open_days = [day for day in days if schedule.opens_by_week(day)]
    by_name = dates.days(written) == dates.PUBLIC_HOLIDAYS
    holidays = [day for day in open_days if day in schedule.holidays and not by_name]
    if len(holidays) == len(open_days):
        why = "the week keeps its days closed" if not open_days else "all its days are public holidays"
        wrong = f"{shown(written)} changes nothing: {why}; to open them write each day by itself"
        kept.say(scope, wrong, "exceptions", written, name="idle-exception")
        return
    # Another exception may open them.
    closed = [day for day in holidays if schedule.rule_on(day).holiday]
    if closed and isinstance(dates.days(written), dates.Dated):
        listed = ", ".join(f"{day.isoformat()} ({schedule.holidays[day]})" for day in islice(closed, MOST_NAMED))
        said = f"{shown(written)} leaves public holidays closed: {listed}; to open one write it by itself"
        kept.say(scope, said, "exceptions", written)


def _check_single(scope: NameScope, kept: KeptHours, schedule: Schedule, written: str, days: list[date]) -> None:
    """One day decides whatever it is; of each year it falls on another day of the week."""
    found = dates.days(written)
    by_name = isinstance(found, dates.Holiday) and not found.eve
    closed = [day for day in days if not schedule.opens_by_week(day) or (day in schedule.holidays and not by_name)]
    if isinstance(found, dates.Dated):
        # Saturdays are opened by date so often that nobody needs to be told.
        closed = [day for day in closed if day.weekday() == _SUNDAY or day in schedule.holidays]
        name, mend = "", ""
    elif len(closed) == len(days):
        return  # What falls on a closed day each time is meant.
    else:
        name = "opens-closed-day"
        weekly = f"; write {shown(f'{written}..{written}')} for days on which the week is open"
        mend = weekly if isinstance(found, dates.Yearly) else ""
    if closed:
        what = ", ".join(f"{day:%a} {day.isoformat()}{_holiday(schedule, day)}" for day in islice(closed, MOST_NAMED))
        if isinstance(found, dates.Dated):
            what = f"a {closed[0]:%A}{_holiday(schedule, closed[0])}"
        said = f"{shown(written)} opens {what}, which is closed else{mend}"
        kept.say(scope, said, "exceptions", written, name=name)


def _holiday(schedule: Schedule, day: date) -> str:
    return f" ({schedule.holidays[day]})" if day in schedule.holidays else ""
