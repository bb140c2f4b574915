"""Two sets of hours beside each other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from callrouter.core.schedule import Schedule, TimeRange


def lies_within(inner: Schedule, outer: Schedule) -> bool:
    """Whether one set of hours is open only when the other is, on every day of the week and every named one."""
    if inner.timezone != outer.timezone:
        return False
    if not all(map(_all_within, inner.week, outer.week)):
        return False
    return all(_all_within(_ranges(inner, day), _ranges(outer, day)) for day in _named(inner, outer))


def _named(*schedules: Schedule) -> set[date]:
    """Days on which another rule than the week's may decide."""
    found: set[date] = set()
    for one in schedules:
        found.update(one.holidays)
        for exception in one.exceptions:
            found.update(
                exception.first + timedelta(days=step) for step in range((exception.last - exception.first).days + 1)
            )
    return found


def _ranges(schedule: Schedule, day: date) -> Collection[TimeRange]:
    if exception := schedule.exception_on(day):
        return exception.ranges
    return () if day in schedule.holidays else schedule.week[day.weekday()]


def _all_within(inner: Collection[TimeRange], outer: Collection[TimeRange]) -> bool:
    return all(any(_within(one, other) for other in outer) for one in inner)


def _within(one: TimeRange, other: TimeRange) -> bool:
    ends = other.end is None or (one.end is not None and one.end <= other.end)
    return other.start <= one.start and ends
