"""Opening hours of a document into schedules: ranges over midnight are split, holidays are looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache

from msgspec import Struct

from callrouter.core.schedule import DAYS, DatedException, Schedule, TimeRange
from callrouter.dialplan.documents.calendar import CalendarBlock, HoursBlock
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.shared.public_holidays import calendar_of, countries, regions_of

YEARS_BACK, YEARS_AHEAD = 1, 5
"""Holidays are known from the last year (for questions about the past) to some years ahead."""

_HOLIDAY_LANGUAGES = {"fr": ("fr", "fr_FR"), "en": ("en_GB", "en_US", "en")}


_SAME_HOLIDAYS = {
    "FR": {
        **dict.fromkeys(("67", "68"), "57"),
        "GP": "971",
        "MQ": "972",
        "GF": "973",
        "RE": "974",
        "YT": "976",
        "975": "PM",
        "977": "BL",
        "978": "MF",
        "986": "WF",
        "987": "PF",
        "988": "NC",
    }
}
"""Departments and territories by their other names: the holidays library knows all of Alsace-Moselle as 57, and each
place overseas by its number or by its ISO code only."""


class WrongHours(Struct, frozen=True, kw_only=True):
    """A value of the hours is wrong: what, and the part of the path that leads to it."""

    message: str
    path: tuple[str | int, ...]

    @property
    def place(self) -> str:
        """What a person calls it."""
        return ".".join(str(part) for part in self.path if isinstance(part, str))


Block = HoursBlock | CalendarBlock


def schedule(
    name: str,
    block: Block,
    timezone: str,
    language: str,
    today: date,
    *,
    wrong: list[WrongHours],
    calendar: CalendarBlock | None = None,
) -> Schedule:
    """A set of hours; with a shared calendar, what the block says itself comes before what the calendar says.

    All that is wrong with the block's own values (ranges that overlap, holidays nobody knows) is put among `wrong`, and
    left out.
    """
    days: dict[date, str] = {}
    for index, code in enumerate(block.holidays):
        try:
            days.update(public_holidays(code.strip(), language, today.year))
        except ValueError as error:
            wrong.append(WrongHours(message=str(error), path=("holidays", index)))
    exceptions = (*_exceptions(block, wrong), *_closed(block))
    if calendar is None:
        week = _week(block, wrong)
        return Schedule(name=name, timezone=timezone, week=week, holidays=days, exceptions=exceptions)
    # What is wrong with the calendar is said of its own file.
    below = schedule(name, calendar, timezone, language, today, wrong=[])
    return Schedule(
        name=name,
        timezone=timezone,
        week=below.week,
        holidays={**below.holidays, **days},
        exceptions=(*exceptions, *below.exceptions),
    )


def _week(block: Block, wrong: list[WrongHours]) -> tuple[tuple[TimeRange, ...], ...]:
    minutes: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for key, ranges in block.open.items():
        days = values.weekdays(key)
        for index, written in enumerate(ranges):
            parts = _split(*values.clock_range(written))
            placed = [((day + offset) % 7, part) for day in days for offset, part in enumerate(parts)]
            if (day := _claimed(placed, minutes)) is not None:
                message = f"{shown(written)} overlaps another range on {DAYS[day]}"
                wrong.append(WrongHours(message=message, path=("open", key, index)))
            for day, part in placed:
                if part[0] < part[1]:
                    minutes[day].append(part)
    return tuple(tuple(values.part_of_day(*part) for part in sorted(parts)) for parts in minutes)


def _claimed(placed: Iterable[tuple[int, tuple[int, int]]], minutes: Sequence[Sequence[tuple[int, int]]]) -> int | None:
    """The first day of which a minute is claimed already."""
    for day, part in placed:
        if any(part[0] < other[1] and other[0] < part[1] for other in minutes[day]):
            return day
    return None


def _split(start: int, stop: int) -> tuple[tuple[int, int], ...]:
    """A range over midnight is one until midnight, and one on the next day."""
    return ((start, stop),) if start < stop else ((start, 24 * 60), (0, stop))


def _exceptions(block: Block, wrong: list[WrongHours]) -> Iterator[DatedException]:
    """The exceptions, in the order written; no two of them may say different things of one minute."""
    days = {written: values.days(written) for written in block.exceptions}
    for place, (written, ranges) in enumerate(block.exceptions.items()):
        first, last = days[written]
        for other in list(days)[:place]:
            opens, closes = days[other]
            if first <= closes and opens <= last and block.exceptions[other] != ranges:
                day = max(first, opens).isoformat()
                message = (
                    f"{shown(written)} and {shown(other)} both claim {day}, with other hours: a day needs one rule"
                )
                wrong.append(WrongHours(message=message, path=("exceptions", written)))
        yield DatedException(first=first, last=last, ranges=tuple(_parts(written, ranges, wrong)))


def _parts(written: str, ranges: tuple[str, ...], wrong: list[WrongHours]) -> Iterator[TimeRange]:
    minutes: list[tuple[int, int]] = []
    for index, text in enumerate(ranges):
        start, stop = values.clock_range(text)
        message = ""
        if stop < start:
            message = f"{shown(text)} goes over midnight: write the part of each day by itself"
        elif any(start < end and begin < stop for begin, end in minutes):
            message = f"{shown(text)} overlaps another range of {shown(written)}: a minute needs one rule"
        if message:
            wrong.append(WrongHours(message=message, path=("exceptions", written, index)))
            continue
        minutes.append((start, stop))
        yield values.part_of_day(start, stop)


def _closed(block: Block) -> Iterator[DatedException]:
    for written in block.closed:
        first, last = values.days(written)
        yield DatedException(first=first, last=last)


@lru_cache(maxsize=256)
def public_holidays(code: str, language: str, year: int) -> Mapping[date, str]:
    """Public holidays of `FR`, or with a region's own of `FR-57`, around a year.

    Raises:
        ValueError: the country or the region is not known.
    """
    country, _, region = code.partition("-")
    region = _SAME_HOLIDAYS.get(country, {}).get(region, region)
    if country not in countries():
        hint = country.upper() if country.upper() in countries() else ""
        meant = f' (did you mean "{hint}"?)' if hint else ': write an ISO country such as "FR", or "FR-57" for a region'
        raise ValueError(f"holidays of {shown(code)} are not known{meant}")
    if region and region not in regions_of(country):
        regions = ", ".join(regions_of(country)) or "none"
        raise ValueError(f"holidays of {shown(code)} are not known: the regions of {country} are {regions}")
    known = calendar_of(country).supported_languages
    spoken = next((name for name in _HOLIDAY_LANGUAGES.get(language, ()) if name in known), None)
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    found = calendar_of(country)(subdiv=region or None, years=years, language=spoken)
    return dict(sorted(found.items()))
