"""Two sets of hours beside each other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from callrouter.core.schedule import DAYS, Ranges, Schedule, TimeRange


def lies_within(inner: Schedule, outer: Schedule) -> bool:
    """Whether one set of hours is open only when the other is, on every day of the week and every named one."""
    if inner.timezone != outer.timezone:
        return False
    if not all(_all_within(_by_week(inner, weekday), _by_week(outer, weekday)) for weekday in range(len(DAYS))):
        return False
    return all(_all_within(inner.open_parts(day), outer.open_parts(day)) for day in _named(inner, outer))


def _by_week(schedule: Schedule, weekday: int) -> Ranges:
    """When the week is open on a day, the end of the night before included."""
    return (*schedule.nights[weekday - 1], *schedule.week[weekday])


def _named(*schedules: Schedule) -> set[date]:
    """Days of which another rule than the week's may decide, and those after: a night goes on into the next day."""
    found: set[date] = set()
    for one in schedules:
        found.update(one.holidays)
        for exception in one.exceptions:
            days = range((exception.last - exception.first).days + 1)
            found.update(exception.first + timedelta(days=step) for step in days)
    return found | {day + timedelta(days=1) for day in found}


def _all_within(inner: Collection[TimeRange], outer: Collection[TimeRange]) -> bool:
    return all(any(_within(one, other) for other in outer) for one in inner)


def _within(one: TimeRange, other: TimeRange) -> bool:
    ends = other.end is None or (one.end is not None and one.end <= other.end)
    return other.start <= one.start and ends
