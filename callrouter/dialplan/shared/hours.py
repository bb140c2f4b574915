"""Opening hours of a document into schedules: each range under the day on which it begins, holidays looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from callrouter.core.call import replace
from callrouter.core.schedule import DAYS, DatedException, Ranges, Schedule, Span
from callrouter.dialplan.documents.calendar import CalendarBlock, HoursBlock
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import dates, values
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.dialplan.shared.public_holidays import public_holidays


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
    country: str,
    wrong: list[WrongHours],
    calendar: CalendarBlock | None = None,
) -> Schedule:
    """A set of hours; with a shared calendar, what the block says itself comes before what the calendar says.

    All that is wrong with the block's own values (ranges that overlap, holidays nobody knows) is put among `wrong`, and
    left out. `country`: whose public holidays may be named where no holidays are kept; empty: none.
    """
    days: dict[date, str] = {}
    for index, code in enumerate(block.holidays):
        try:
            days.update(public_holidays(code.strip(), language, today.year))
        except ValueError as error:
            wrong.append(WrongHours(message=str(error), path=("holidays", index)))
    almanac = almanac_of(block, calendar, country, today)
    if calendar is None:
        week = _week(block, wrong)
        plain = Schedule(name=name, timezone=timezone, week=week.days, nights=week.nights, holidays=days)
    else:
        # What is wrong with the calendar is said of its own file.
        below = schedule(name, calendar, timezone, language, today, country=country, wrong=[])
        plain = replace(below, holidays={**below.holidays, **days})
    if not block.exceptions and not block.closed:
        return plain
    own = _decided_by_date(block, almanac, plain, wrong)
    return replace(plain, exceptions=(*own, *plain.exceptions))


def almanac_of(block: Block, calendar: CalendarBlock | None, country: str, today: date) -> Almanac:
    """Whose holidays the dates of some hours may name: of those they keep, else of the country."""
    kept = [code.strip() for code in (*block.holidays, *(calendar.holidays if calendar else ()))]
    return Almanac(codes=tuple(kept) or ((country,) if country else ()), year=today.year)


Week = tuple[Ranges, ...]
"""Of each day, Monday first, the ranges that are open."""


class _Week(Struct, frozen=True):
    """The hours of a week by the day on which they begin: until midnight, and after it."""

    days: Week
    nights: Week


def _week(block: Block, wrong: list[WrongHours]) -> _Week:
    week, found = _week_of(tuple(block.open.items()))
    wrong.extend(found)
    return week


@lru_cache(maxsize=4_096)
def _week_of(days_open: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[_Week, tuple[WrongHours, ...]]:
    """The week of such ranges, and what is wrong with them; many clients keep the same hours."""
    wrong: list[WrongHours] = []
    claimed: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    begun: tuple[list[list[tuple[int, int]]], ...] = ([[] for _ in DAYS], [[] for _ in DAYS])
    for key, ranges in days_open:
        days = values.weekdays(key)
        for index, written in enumerate(ranges):
            parts = _split(*values.clock_range(written))
            placed = [((day + offset) % 7, part) for day in days for offset, part in enumerate(parts)]
            if (day := _claimed(placed, claimed)) is not None:
                message = f"{shown(written)} overlaps another range on {DAYS[day]}"
                wrong.append(WrongHours(message=message, path=("open", key, index)))
            for day, part in placed:
                claimed[day].append(part)
            for offset, part in enumerate(parts):
                for day in days:
                    begun[offset][day].append(part)
    heads, tails = (
        tuple(tuple(values.part_of_day(*part) for part in sorted(parts)) for parts in of_days) for of_days in begun
    )
    return _Week(heads, tails), tuple(wrong)


def _claimed(placed: Iterable[tuple[int, tuple[int, int]]], minutes: Sequence[Sequence[tuple[int, int]]]) -> int | None:
    """The first day of which a minute is claimed already."""
    for day, part in placed:
        if any(part[0] < other[1] and other[0] < part[1] for other in minutes[day]):
            return day
    return None


def _split(start: int, stop: int) -> tuple[tuple[int, int], ...]:
    """A range over midnight is one until midnight, and one on the next day."""
    if start < stop:
        return ((start, stop),)
    return ((start, values.MINUTES_A_DAY), (0, stop)) if stop else ((start, values.MINUTES_A_DAY),)


class _Written(Struct, frozen=True, kw_only=True):
    """Some days of a block, understood."""

    text: str
    spans: tuple[Span, ...]
    heads: Ranges = ()
    tails: Ranges = ()

    @property
    def rank(self) -> int:
        """Which days decide first (`dates.rank`)."""
        return dates.rank(dates.days(self.text))

    def exceptions(self) -> Iterator[DatedException]:
        """One for each time they come."""
        found = dates.days(self.text)
        for first, last in self.spans:
            yield DatedException(
                first=first,
                last=last,
                ranges=self.heads,
                nights=self.tails,
                on_closed_weekdays=not found.several,
                on_holidays=not found.several or found == dates.PUBLIC_HOLIDAYS,
                written=self.text if self.rank else "",
            )


def _decided_by_date(
    block: Block, almanac: Almanac, plain: Schedule, wrong: list[WrongHours]
) -> tuple[DatedException, ...]:
    """Exceptions and closings: what names a day more exactly comes first, and of a kind the exceptions do."""
    written = [*_exceptions(block, almanac, plain, wrong), *_closed(block, almanac, wrong)]
    return tuple(found for one in sorted(written, key=lambda one: one.rank) for found in one.exceptions())


def _exceptions(block: Block, almanac: Almanac, plain: Schedule, wrong: list[WrongHours]) -> Iterator[_Written]:
    """The exceptions, of which no two of a kind may claim the same day."""
    understood: list[_Written] = []
    for text, ranges in block.exceptions.items():
        heads, tails = _parts(text, ranges, wrong)
        try:
            one = _Written(text=text, spans=almanac.spans(text), heads=heads, tails=tails)
        except ValueError as error:
            wrong.append(WrongHours(message=str(error), path=("exceptions", text)))
            continue
        for other in understood:
            day = _both_claim(one, other, almanac.year, plain) if block.exceptions[other.text] != ranges else None
            if day is not None:
                both = f"{shown(text)} and {shown(other.text)} both claim {day.isoformat()}"
                message = f"{both}, with other hours: a day needs one rule"
                wrong.append(WrongHours(message=message, path=("exceptions", text)))
        understood.append(one)
        yield one


def _both_claim(one: _Written, other: _Written, year: int, plain: Schedule) -> date | None:
    """The first day from a year on that two texts of a kind decide: several days leave some of theirs alone."""
    if one.rank != other.rank:
        return None
    begun = date(year, 1, 1)
    for mine in one.exceptions():
        for theirs in other.exceptions():
            first, last = max(mine.first, theirs.first, begun), min(mine.last, theirs.last)
            days = (first + timedelta(days=step) for step in range((last - first).days + 1))
            if found := next((day for day in days if plain.decides(mine, day) and plain.decides(theirs, day)), None):
                return found
    return None


def _parts(written: str, ranges: tuple[str, ...], wrong: list[WrongHours]) -> tuple[Ranges, Ranges]:
    """The ranges of an exception until midnight, and after it."""
    minutes: list[tuple[int, int]] = []
    for index, text in enumerate(ranges):
        start, stop = values.clock_range(text)
        # What lies beyond midnight is counted on: 22:00-02:00 is 1320 to 1560.
        end = stop if start < stop else stop + values.MINUTES_A_DAY
        if any(start < other and begin < end for begin, other in minutes):
            message = f"{shown(text)} overlaps another range of {shown(written)}: a minute needs one rule"
            wrong.append(WrongHours(message=message, path=("exceptions", written, index)))
            continue
        minutes.append((start, end))
    heads = tuple(values.part_of_day(start, min(end, values.MINUTES_A_DAY)) for start, end in minutes)
    tails = tuple(values.part_of_day(0, end - values.MINUTES_A_DAY) for _, end in minutes if end > values.MINUTES_A_DAY)
    return heads, tails


def _closed(block: Block, almanac: Almanac, wrong: list[WrongHours]) -> Iterator[_Written]:
    for index, text in enumerate(block.closed):
        try:
            yield _Written(text=text, spans=almanac.spans(text))
        except ValueError as error:
            wrong.append(WrongHours(message=str(error), path=("closed", index)))
