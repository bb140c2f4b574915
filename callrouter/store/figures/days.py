"""The days of a time zone as instants: when each begins, and on which one an instant lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from callrouter.periods import Moment
from callrouter.store.figures.encoding import QUARTER_SECONDS

_A_DAY = timedelta(days=1)
_QUARTER = timedelta(seconds=QUARTER_SECONDS)
_INSTANT = timedelta(microseconds=1)
_ANY = datetime.fromtimestamp(0, UTC)
"""A day that is named begins at the same instant whenever it is asked."""


@lru_cache(maxsize=100_000)
def begins_at(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day: not always midnight, where clocks jump over it."""
    return Moment(day).within(zone, _ANY).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A day, or as much of it as lies in a period."""

    day: date
    from_at: datetime
    to_at: datetime
    """Not included."""
    begins_at: datetime
    """When the day begins."""


class Days:
    """Those that a period touches, in one zone."""

    def __init__(self, zone: ZoneInfo, from_at: datetime, to_at: datetime) -> None:
        """The period ends at `to_at`, which is not in it, and after `from_at`."""
        self.zone = zone
        self.from_at, self.to_at = from_at, to_at
        self.first = from_at.astimezone(zone).date()
        """The first one."""
        self.last = (to_at - _INSTANT).astimezone(zone).date()
        """The last one."""

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + place * _A_DAY for place in range(len(self)))

    @property
    def after(self) -> date:
        """The one after the last."""
        return self.last + _A_DAY

    @property
    def cut(self) -> Sequence[date]:
        """Days that are not whole in the period: the first, the last, or none."""
        first, last = piece_of(self.first, self.zone), piece_of(self.last, self.zone)
        cut = {first.day} if first.from_at < self.from_at else set()
        return sorted(cut | {last.day} if last.to_at > self.to_at else cut)

    def piece(self, day: date) -> Piece:
        """What of one of them lies in the period."""
        whole = piece_of(day, self.zone)
        return Piece(day, max(whole.from_at, self.from_at), min(whole.to_at, self.to_at), whole.begins_at)

    @property
    def whole(self) -> Piece:
        """The period as one piece, for whoever does not ask on which day or when a journey rang."""
        return Piece(self.first, self.from_at, self.to_at, self.from_at)

    def of_quarter(self, quarter_at: datetime) -> set[date]:
        """Which of them have a part of a quarter of an hour."""
        return {day for day in days_of_quarter(quarter_at, self.zone) if self.first <= day <= self.last}

    @property
    def changing(self) -> Sequence[date]:
        """Days on which the clocks change: an hour since their beginning is not the hour that clocks show."""
        return [day for day in self if begins_at(day + _A_DAY, self.zone) - begins_at(day, self.zone) != _A_DAY]


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return month_of(month + timedelta(days=31))


def days_of_month(month: date) -> Sequence[date]:
    """All of them."""
    return [month + place * _A_DAY for place in range((next_month(month) - month).days)]


def days_of_quarter(quarter_at: datetime, zone: ZoneInfo) -> set[date]:
    """On which days of a zone a quarter of an hour lies."""
    return {at.astimezone(zone).date() for at in _ends(quarter_at)}


def piece_of(day: date, zone: ZoneInfo) -> Piece:
    """A whole day."""
    begin = begins_at(day, zone)
    return Piece(day, begin, begins_at(day + _A_DAY, zone), begin)


def spans_of(days: Sequence[date], at_once: int, whole: Callable[[date], date]) -> Iterator[Sequence[date]]:
    """Days some at a time: about so many, those that are one whole never apart."""
    span: list[date] = []
    for _, its in groupby(days, key=whole):
        wholes = list(its)
        if span and len(span) + len(wholes) > at_once:
            yield span
            span = []
        span += wholes
    if span:
        yield span


def _ends(quarter_at: datetime) -> tuple[datetime, datetime]:
    return quarter_at, quarter_at + _QUARTER - _INSTANT


def clock_hours(day: date | None, zone: ZoneInfo) -> Sequence[int]:
    """By quarter of an hour since a day's beginning (0 to 255): the hour that clocks show then; None: of a day on which
    they do not change.
    """
    if day is None:
        return [quarter // 4 % 24 for quarter in range(256)]
    begin = begins_at(day, zone)
    return [(begin + quarter * _QUARTER).astimezone(zone).hour for quarter in range(256)]
