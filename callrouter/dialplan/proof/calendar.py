"""Hours: every minute of the coming two years must be claimed by exactly one rule, and be one that occurs.

A set of hours answers `open` or `closed` for any instant, so no minute is without an answer, and
`dialplan.shared.hours` refuses two rules that say different things of one. What is left to look for are rules about
minutes that the change of the clocks leaves out, and clients who keep the holidays of a region that is not theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from callrouter.core.schedule import DAYS
from callrouter.dialplan.documents.calendar import HoursBlock, hours_called
from callrouter.dialplan.issues import Severity, shown
from callrouter.dialplan.language import dates, values
from callrouter.dialplan.language.timezones import country_of
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.proof.kept_hours import DAYS_AHEAD, KeptHours, each_kept
from callrouter.dialplan.proof.surprises import check_surprises
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.public_holidays import OF_FRANCE

LONGEST_NIGHT_HOURS = 16
"""Hours over midnight up to which nobody is asked whether they are meant."""

# The same texts stand in many clients' files.
_clock_range = lru_cache(maxsize=4096)(values.clock_range)
_weekdays = lru_cache(maxsize=4096)(values.weekdays)

LONGEST_CLOSING_DAYS = 92
"""A season; whoever is closed for longer has mistaken the year, or is no client any more."""

LONG_OVER_DAYS = 30
"""A date that was over yesterday is taken out some day; one of months ago was never right, or is forgotten."""


def check_hours(scope: NameScope, blocks: Mapping[str, HoursBlock], today: date) -> None:
    """Every set of hours a client wrote or took from a shared calendar, by the name it stands under."""
    for written, kept in each_kept(scope, blocks, today):
        holidays = {holiday for one in kept for holiday in one.block.holidays}
        for one in kept:
            _check_dates(scope, one, today)
            _check_clock_changes(scope, one, today)
            _check_nights(scope, one)
            if one.block.exceptions and (schedule := scope.schedules.get(hours_called(written))):
                check_surprises(scope, one, schedule, today)
            _check_region(scope, one, holidays)


def check_open(scope: NameScope, tree: Tree, today: date) -> None:
    """The way for when it is open must be one that calls can take; that for holidays needs a day that is one."""
    for name, about in tree.about.items():
        kept = about.reads.hours
        if kept and (hours := scope.schedules.get(kept)):
            here = ("nodes", name, tree.nodes[name].kind)
            coming = (one.ranges for one in hours.exceptions if one.last >= today)
            if "open" in tree.nodes[name].exits and not any(hours.week) and not any(coming):
                wrong = f"exit {shown('open')} is never taken: hours {shown(kept)} hold no time at which it is open"
                scope.fail(wrong, *here, "open", dated=any(one.ranges for one in hours.exceptions))
            if about.reads.holidays and not hours.holidays:
                wrong = (
                    f"exit {shown('holiday')} is never taken: hours {shown(kept)} keep no public holidays;"
                    f" write holidays: {scope.country} in them if they should"
                )
                scope.fail(wrong, *here, "holiday", severity=Severity.WARNING)


def _check_clock_changes(scope: NameScope, kept: KeptHours, today: date) -> None:
    """Warn of hours of which nothing is left on a day whose clocks go forward; once for the week, and each exception.

    An exception comes before the week: on its days the week's hours are not kept.
    """
    told = False
    for day, start, stop in skipped_minutes(scope.timezone, today):
        own = [written for written in kept.block.exceptions if kept.holds(written, day)]
        places = [("exceptions", written, kept.block.exceptions[written]) for written in own]
        if not own and not told and not any(kept.holds(written, day) for written in kept.block.closed):
            week = kept.block.open or {}
            places = [("open", key, ranges) for key, ranges in week.items() if day.weekday() in _weekdays(key)]
        for part, key, ranges in places:
            for index, text in enumerate(ranges):
                begin, end = _clock_range(text)
                if start <= begin < end <= stop:
                    kept.warn(
                        scope,
                        f"{shown(text)} does not occur on {DAYS[day.weekday()]} {day.isoformat()}:"
                        f" the clocks go from {_clock(start)} to {_clock(stop)}",
                        part,
                        key,
                        index,
                    )
                    told = told or part == "open"


def _check_nights(scope: NameScope, kept: KeptHours) -> None:
    """Warn of hours that end before they begin, and so hold nearly a whole day: the two were probably exchanged."""
    for part, written in (("open", kept.block.open or {}), ("exceptions", kept.block.exceptions)):
        for key, ranges in written.items():
            for index, text in enumerate(ranges):
                begin, end = _clock_range(text)
                hours = (end - begin) / 60 + 24
                if begin > end and hours > LONGEST_NIGHT_HOURS:
                    meant = f"{_clock(end)}-{_clock(begin)}"
                    wrong = f"{shown(text)} goes on over midnight, for {hours:g} hours"
                    kept.warn(scope, f"{wrong}: write {shown(meant)} if that is meant", part, key, index)


def _check_dates(scope: NameScope, kept: KeptHours, today: date) -> None:
    """Warn of closings that are longer than any, and of days that have long been over: slips of the year, mostly."""
    closed = list(enumerate(kept.block.closed))
    for index, written in closed:
        days = dates.dated(written)
        if days and (days.last - days.first).days >= LONGEST_CLOSING_DAYS:
            wrong = f"{shown(written)} closes for {(days.last - days.first).days + 1} days: is the year right?"
            kept.say(scope, wrong, "closed", index, name="long-closing")
    places: list[tuple[str, str, str | int]] = [(written, "closed", index) for index, written in closed]
    places += [(written, "exceptions", written) for written in kept.block.exceptions]
    for written, key, place in places:
        days = dates.dated(written)
        if days and (today - days.last).days > LONG_OVER_DAYS:
            wrong = f"{shown(written)} is over: take it out, or is the year right?"
            kept.say(scope, wrong, key, place, name="past-date")


def _check_region(scope: NameScope, kept: KeptHours, holidays: Collection[str]) -> None:
    """Warn of a territory overseas that keeps the holidays of the mainland only."""
    if "FR" in kept.block.holidays:
        region = OF_FRANCE.get(country_of(scope.timezone, "")) or OF_FRANCE.get(scope.country)
        if region and f"FR-{region}" not in holidays:
            wrong = f"{shown(scope.timezone)} has holidays of its own besides those of FR: write FR-{region}"
            kept.say(scope, wrong, "holidays", kept.block.holidays.index("FR"), name="other-territory")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@lru_cache(maxsize=512)
def skipped_minutes(timezone: str, today: date) -> tuple[tuple[date, int, int], ...]:
    """Of the coming two years: each day whose clocks go forward, from and to which minute since midnight."""
    zone = ZoneInfo(timezone)
    found: list[tuple[date, int, int]] = []
    first = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    noons = [first + timedelta(days=step) for step in range(DAYS_AHEAD + 1)]
    offsets = [noon.astimezone(zone).utcoffset() for noon in noons]
    for noon, before, after in zip(noons, offsets, offsets[1:], strict=False):
        if before is not None and after is not None and after > before:
            change = _change(noon, zone)
            stop = change.astimezone(zone).replace(tzinfo=None)
            start = stop - (after - before)
            if start.date() == stop.date():
                found.append((stop.date(), start.hour * 60 + start.minute, stop.hour * 60 + stop.minute))
    return tuple(found)


def _change(noon: datetime, zone: ZoneInfo) -> datetime:
    """The first minute after a noon at which the zone's offset is another one."""
    offset = noon.astimezone(zone).utcoffset()
    low, high = 0, 24 * 60
    while low + 1 < high:
        middle = (low + high) // 2
        if (noon + timedelta(minutes=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return noon + timedelta(minutes=high)
