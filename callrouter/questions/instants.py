"""When a rehearsed call comes, from a text: a date and a time, or the next day of some kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from callrouter.core.conditions import DateWithin
from callrouter.core.plan import Plan
from callrouter.core.schedule import DAYS
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.periods import Moment
from callrouter.questions.examples import conditions

EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
"""Nobody calls before or after."""

_ON_DAYS = re.compile(r"(.+) ([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_DATED = re.compile(r"[0-9]{4}-")


def instant_of(written: str, plan: Plan, now: datetime) -> datetime:
    """`2026-05-01T09:00` in the client's zone, or the next `tue 10:00` that is an ordinary day, or `holiday 10:00`, or
    the next of some days, as in `christmas 10:00` and `12-24 17:00`.

    Raises:
        ValueError: it is none of them, or the client has no holidays.
    """
    zone = ZoneInfo(plan.timezone)
    if (found := _ON_DAYS.fullmatch(written.strip())) and not _DATED.match(written.strip()):
        days, hour, minute = found.groups()
        today, word = now.astimezone(zone).date(), days.lower()
        day = _next_day(word, plan, today) if word in (*DAYS, "holiday") else _next_of(days, plan, today)
        at = datetime.combine(day, time(int(hour), int(minute)))
        return Moment(at).within(zone, now).astimezone(UTC)
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        wrong = f'{written!r} is no time: write 2026-05-01T09:00, or "tue 10:00", or "holiday 10:00"'
        raise ValueError(wrong) from None
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise ValueError(f"{written!r} is not within {EARLIEST_YEAR} to {LATEST_YEAR}")
    return Moment(at).within(zone, now).astimezone(UTC)


def _next_of(written: str, plan: Plan, today: date) -> date:
    """The next day of a text that comes every year."""
    spans = Almanac(codes=plan.holidays, year=today.year).spans(written)
    coming = [first for first, _ in spans if first > today]
    if not coming:
        raise ValueError(f"{written!r} does not come within five years")
    return coming[0]


def remarks_on(written: str, at: datetime, plan: Plan) -> Iterator[str]:
    """What should be known of a time that was understood: it does not exist, or its holidays are not known."""
    zone = ZoneInfo(plan.timezone)
    local = at.astimezone(zone)
    clock = re.search(r"([0-9]{1,2}):([0-9]{2})", written)
    if clock and not _has_offset(written) and (int(clock[1]), int(clock[2])) != (local.hour, local.minute):
        yield f"{clock[0]} does not exist on that day, the clocks go forward: {local:%H:%M} is taken"
    used = _hours_in(plan)
    years = {day.year for name in used for day in plan.schedules[name].holidays}
    if years and local.year not in years:
        yield f"public holidays are known for {min(years)} to {max(years)} only: {local.year} is taken to have none"
    known = {first.year for one in conditions(DateWithin, plan) if one.written for first, _ in one.spans}
    known |= {one.first.year for name in used for one in plan.schedules[name].exceptions if one.written}
    if known and not years and local.year not in known:
        yield f"days of every year are known for {min(known)} to {max(known)} only: {local.year} is taken to have none"


def _has_offset(written: str) -> bool:
    try:
        return datetime.fromisoformat(written.strip()).tzinfo is not None
    except ValueError:
        return False


def _next_day(word: str, plan: Plan, today: date) -> date:
    used = _hours_in(plan)
    schedules = [schedule for name, schedule in plan.schedules.items() if name in used]
    for offset in range(1, 2 * 366):
        day = today + timedelta(days=offset)
        excepted = any(schedule.exception_on(day) for schedule in schedules)
        holiday = any(day in schedule.holidays for schedule in schedules)
        if word == "holiday":
            if holiday and not excepted:
                return day
        elif DAYS[day.weekday()] == word and not (holiday or excepted):
            return day
    raise ValueError(f"no {'holiday' if word == 'holiday' else f'ordinary {word}'} comes within two years")


def _hours_in(plan: Plan) -> frozenset[str]:
    """The sets of hours a tree goes by."""
    return frozenset(about.reads.hours for about in plan.about.values() if about.reads.hours)
