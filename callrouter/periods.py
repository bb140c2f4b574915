"""Periods that people ask for: days and times of day, each read in the time zone of the client it is asked of.

A day is not 24 hours: on the days on which clocks change it has 23 or 25. So a day, or a time of day that names no
zone, stays what was written until it meets a client's zone (`Period.within`).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

YEARS: Final = (2000, 2100)
"""The first and the last year that may be asked for: near the ends of the calendar an instant has no UTC."""

HOW_TO_WRITE: Final = "write a day (2026-11-24, today, yesterday), or a time (2026-11-24T10:00, 2026-11-24T10:00+01:00)"

_DAYS_FROM_TODAY: Final = {"today": 0, "yesterday": -1}
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Moment(Struct, frozen=True):
    """The beginning of a day, a time of day, or an instant: `written` is a date, or a datetime without or with a zone.

    An integer counts days from today, which is another day in another zone.
    """

    written: date | datetime | int

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
            written = now.astimezone(zone).date() + timedelta(days=written)
        if not isinstance(written, datetime):
            written = datetime.combine(written, time())
        return (written if written.tzinfo else _on_the_clock(written, zone)).astimezone(zone)

    def days_later(self, days: int, zone: ZoneInfo) -> Moment:
        """The same time of another day, as the clocks of `zone` show it."""
        written = self.written
        if isinstance(written, int):
            return Moment(written + days)
        if isinstance(written, datetime) and written.tzinfo:
            written = written.astimezone(zone)
        return Moment(written + timedelta(days=days))


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
