"""Periods that people ask for: days and times of day, each read in the time zone of the client it is asked of.

A day is not 24 hours: on the days on which clocks change it has 23 or 25. So a day, or a time of day that names no
zone, stays what was written until it meets a client's zone (`Period.within`). What a period is compared with is made
of the same words (`Period.before`), so that it is the month before on everybody's clocks.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct
from msgspec.structs import replace

YEARS: Final = (2000, 2100)
"""The first and the last year that may be asked for: near the ends of the calendar an instant has no UTC."""

HOW_TO_WRITE: Final = "write a day (2026-11-24, today, yesterday), or a time (2026-11-24T10:00, 2026-11-24T10:00+01:00)"

_DAYS_FROM_TODAY: Final = {"today": 0, "yesterday": -1}
_LAST: Final = re.compile(r"([1-9]\d{0,3})(d|w|mo)", re.ASCII)
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Unit(StrEnum):
    """What is counted from today on, as `Period.last` writes it."""

    DAY = "d"
    WEEK = "w"
    MONTH = "mo"


class Comparison(StrEnum):
    """With which earlier period a period is compared."""

    BEFORE = "before"
    """As long, and just before: the month before a month."""
    WEEKDAYS = "weekdays"
    """Whole weeks earlier, as few as have nothing of the period: Mondays stand beside Mondays."""


class Moment(Struct, frozen=True):
    """The beginning of a day, a time of day, or an instant: `written` is a date, or a datetime without or with a zone.

    An integer counts from today, this week's Monday or the first of this month, which is another day in another zone.
    """

    written: date | datetime | int
    unit: Unit = Unit.DAY
    """What an integer counts."""
    days: int = 0
    """So many days after what an integer counts."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From what a person writes: 2026-11-24, 2026-11-24T10:00, 2026-11-24T10:00+01:00, today or yesterday.

        Raises:
            ValueError: it is none of these, or its year is out of `YEARS`.
        """
        if text in _DAYS_FROM_TODAY:
            return cls(_DAYS_FROM_TODAY[text])
        try:
            written = date.fromisoformat(text) if _DAY.fullmatch(text) else datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no time: {HOW_TO_WRITE}") from None
        if not YEARS[0] <= written.year <= YEARS[1]:
            raise ValueError(f"the year must be {YEARS[0]} to {YEARS[1]}")
        return cls(written)

    @property
    def names_its_zone(self) -> bool:
        """Whether it is an instant by itself."""
        return isinstance(self.written, datetime) and self.written.tzinfo is not None

    def within(self, zone: ZoneInfo, now: datetime) -> datetime:
        """The instant, in `zone`. A time that clocks show twice is the first; one that they leave out is the change."""
        written = self.written
        if isinstance(written, int):
            written = self._counted(written, now.astimezone(zone).date())
        if not isinstance(written, datetime):
            written = datetime.combine(written, time())
        return (written if written.tzinfo else _on_the_clock(written, zone)).astimezone(zone)

    def days_later(self, days: int, zone: ZoneInfo) -> Moment:
        """The same time of another day, as the clocks of `zone` show it."""
        written = self.written
        if isinstance(written, int):
            return replace(self, days=self.days + days)
        if isinstance(written, datetime) and written.tzinfo:
            written = written.astimezone(zone)
        return Moment(written + timedelta(days=days))

    def months_later(self, months: int) -> Moment:
        """The first of another month; only of one that `begins_a_month`."""
        if isinstance(self.written, int):
            return replace(self, written=self.written + months)
        return Moment(_month_of(self.written, months))

    @property
    def begins_a_month(self) -> bool:
        """Whether it is the first of a month, wherever it is asked."""
        if isinstance(self.written, int):
            return self.unit is Unit.MONTH and not self.days
        return not isinstance(self.written, datetime) and self.written.day == 1

    def _counted(self, number: int, today: date) -> date:
        match self.unit:
            case Unit.DAY:
                found = today + timedelta(days=number)
            case Unit.WEEK:
                found = today + timedelta(weeks=number, days=-today.weekday())
            case Unit.MONTH:
                found = _month_of(today, number)
        return found + timedelta(days=self.days)


def _month_of(day: date, later: int = 0) -> date:
    """The first of the month of a day, or of one so many months later."""
    years, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return date(years, month + 1, 1)


def _on_the_clock(written: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which the clocks of a zone show a time first, or jump over it (PEP 495)."""
    local = written.replace(tzinfo=zone, fold=0)
    found, after = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if found <= after:
        return found
    # The time is left out: by the clock before the change it lies after it, by the clock after it, before. Changes are
    # at whole seconds.
    offset = after.astimezone(zone).utcoffset()
    while found - after > timedelta(seconds=1):
        middle = after + (found - after) / 2
        after, found = (middle, found) if middle.astimezone(zone).utcoffset() == offset else (after, middle)
    return found.replace(microsecond=0)


TODAY: Final = Moment(0)

HOW_TO_WRITE_LAST: Final = "write 7d (whole days), 4w (whole weeks, from Monday on) or 12mo (calendar months)"


class Period(Struct, frozen=True):
    """From a moment on, up to another, not included. One that is left out is a day from the other, by the calendar."""

    start: Moment | None = None
    end: Moment | None = None

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Self:
        """From an instant to another."""
        return cls(Moment(start), Moment(end))

    @classmethod
    def month(cls, text: str) -> Self:
        """A calendar month, written 2026-10.

        Raises:
            ValueError: it is none, or its year is out of `YEARS`.
        """
        found = _MONTH.fullmatch(text)
        try:
            first = date(int(found[1]), int(found[2]), 1) if found else None
        except ValueError:
            first = None
        if first is None:
            raise ValueError(f"{text!r} is no month: write 2026-10")
        if not YEARS[0] <= first.year <= YEARS[1]:
            raise ValueError(f"the year must be {YEARS[0]} to {YEARS[1]}")
        return cls(Moment(first), Moment((first + timedelta(days=31)).replace(day=1)))

    @classmethod
    def yesterday(cls) -> Self:
        """The day that is over."""
        return cls(Moment(-1), TODAY)

    @classmethod
    def last(cls, text: str) -> Self:
        """The last whole days, weeks or months, written 7d, 4w, 12mo: those that are over, up to today, this week's
        Monday, or the first of this month.

        Raises:
            ValueError: it is none of these, or longer than what may be asked for.
        """
        found = _LAST.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no period: {HOW_TO_WRITE_LAST}")
        number, unit = int(found[1]), Unit(found[2])
        if number > _LONGEST[unit]:
            raise ValueError(f"{text} is more than {_LONGEST[unit]}{unit}, ten years: ask for less")
        return cls(Moment(-number, unit), Moment(0, unit))

    @classmethod
    def asked(  # noqa: PLR0913, RUF100  # each is an option
        cls,
        *,
        from_: str | None = None,
        to: str | None = None,
        month: str | None = None,
        yesterday: bool = False,
        last: str | None = None,
    ) -> Self | None:
        """Of the words of a command or a query; None where none is given.

        Raises:
            ValueError: a word is none, or two say what the period is.
        """
        whole = [name for name, given in (("month", month), ("yesterday", yesterday), ("last", last)) if given]
        edges = [name for name, given in (("from", from_), ("to", to)) if given]
        if len(whole) > 1 or (whole and edges):
            other = (whole[1:] or edges)[0]
            raise ValueError(f"`{whole[0]}` and `{other}` each say the period: leave one out")
        if month:
            return cls.month(month)
        if last:
            return cls.last(last)
        if yesterday:
            return cls.yesterday()
        start, end = (Moment.parse(text) if text else None for text in (from_, to))
        return cls(start, end) if edges else None

    def fixed(self, zone: ZoneInfo, now: datetime) -> Period:
        """The same as instants, by the clocks of one zone: for everybody, whatever their own clocks show."""
        return Period.between(*self.within(zone, now))

    def before(self, comparison: Comparison, zone: ZoneInfo, now: datetime) -> Period:
        """The period that this one is compared with, on the same clocks as it. `zone` is for moments that are instants.

        Before whole months there are as many; before anything else as many days, so that what ends at a time of day is
        compared with what ended at that time: today until now with yesterday until now.
        """
        start = self.start or (self.end.days_later(-1, zone) if self.end else Moment(now).days_later(-1, zone))
        end = self.end or (start.days_later(1, zone) if self.start else Moment(now))
        from_at, to_at = start.within(zone, now), end.within(zone, now)
        if comparison is Comparison.BEFORE and start.begins_a_month and end.begins_a_month:
            months = (to_at.year - from_at.year) * 12 + to_at.month - from_at.month
            return Period(start.months_later(-months), end.months_later(-months))
        # By what the clocks show, so that a day of 23 or 25 hours is one day.
        days = -((from_at.replace(tzinfo=None) - to_at.replace(tzinfo=None)) // timedelta(days=1))
        if comparison is Comparison.WEEKDAYS:
            days += -days % 7
        return Period(start.days_later(-days, zone), end.days_later(-days, zone))

    def within(self, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
        """The two instants, in `zone`. With neither moment given: the 24 hours before `now`.

        A period whose one moment names its zone and the other does not may end before it begins in some zones only:
        whoever asks looks.
        """
        first, last = self.start, self.end
        if first is None and last is None:
            return (now - timedelta(hours=24)).astimezone(zone), now.astimezone(zone)
        if first is None:
            assert last is not None
            first = last.days_later(-1, zone)
        return first.within(zone, now), (last or first.days_later(1, zone)).within(zone, now)


_LONGEST: Final = {Unit.DAY: 3660, Unit.WEEK: 522, Unit.MONTH: 120}
"""Ten years."""


class Step(StrEnum):
    """How long each part of a period is, by the calendar."""

    DAY = "day"
    MONTH = "month"


def bounds_of(from_at: datetime, to_at: datetime, zone: ZoneInfo, step: Step | None) -> list[datetime]:
    """When the parts of a period begin, in order, and when the last one ends; the first and the last may be shorter.

    Without a step the period is one part. A day begins when the clocks of `zone` first show its midnight, or jump over
    it.
    """
    bounds = [from_at.astimezone(zone)]
    day = bounds[0].date()
    while step is not None:
        day = day + timedelta(days=1) if step is Step.DAY else (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        begins = _on_the_clock(datetime.combine(day, time()), zone)
        if begins >= to_at:
            break
        if begins > from_at:
            bounds.append(begins.astimezone(zone))
    return [*bounds, to_at.astimezone(zone)]


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone: write an IANA name, such as Europe/Paris or Asia/Kolkata")
    return ZoneInfo(name)
