"""The days of a time zone as instants: when each begins, and on which one an instant lies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from callrouter.periods import Moment
from callrouter.store.figures.encoding import QUARTER_SECONDS

_A_DAY = timedelta(days=1)
_QUARTER = timedelta(seconds=QUARTER_SECONDS)
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
        """The period ends at `to_at`, which is not in it."""
        self.zone = zone
        self.from_at, self.to_at = from_at, max(from_at, to_at)
        first = from_at.astimezone(zone).date()
        self._days = [first]
        while begins_at(self._days[-1] + _A_DAY, zone) < to_at:
            self._days.append(self._days[-1] + _A_DAY)
        self._begin = [begins_at(day, zone) for day in self._days]
        self._places = {day: place for place, day in enumerate(self._days)}
        self.end_at = begins_at(self._days[-1] + _A_DAY, zone)
        """When the last of them ends."""

    def __iter__(self) -> Iterator[date]:
        return iter(self._days)

    @property
    def first(self) -> date:
        """The first one."""
        return self._days[0]

    @property
    def last(self) -> date:
        """The last one."""
        return self._days[-1]

    @property
    def begin_at(self) -> datetime:
        """When the first of them begins."""
        return self._begin[0]

    @property
    def cut(self) -> Sequence[date]:
        """Days that are not whole in the period: the first, the last, or none."""
        cut = [self.first] * (self.begin_at < self.from_at) + [self.last] * (self.end_at > self.to_at)
        return sorted(set(cut))

    def whole(self, day: date) -> Piece:
        """One of them, also where a part only lies in the period."""
        place = self._places[day]
        begin = self._begin[place]
        return Piece(day, begin, self._begin[place + 1] if place + 1 < len(self._begin) else self.end_at, begin)

    def piece(self, day: date) -> Piece:
        """What of one of them lies in the period."""
        whole = self.whole(day)
        return Piece(day, max(whole.from_at, self.from_at), min(whole.to_at, self.to_at), whole.begins_at)

    def of_quarter(self, quarter_at: datetime) -> set[date]:
        """Which of them have a part of a quarter of an hour."""
        found = set[date]()
        for at in _ends(quarter_at):
            if self._begin[0] <= at < self.end_at:
                found.add(self._days[bisect_right(self._begin, at) - 1])
        return found

    @property
    def changing(self) -> Sequence[date]:
        """Days on which the clocks change: an hour since their beginning is not the hour that clocks show."""
        ends = [*self._begin[1:], self.end_at]
        return [day for day, begin, end in zip(self._days, self._begin, ends, strict=True) if end - begin != _A_DAY]


def days_of_quarter(quarter_at: datetime, zone: ZoneInfo) -> set[date]:
    """On which days of a zone a quarter of an hour lies."""
    return {at.astimezone(zone).date() for at in _ends(quarter_at)}


def piece_of(day: date, zone: ZoneInfo) -> Piece:
    """A whole day."""
    begin = begins_at(day, zone)
    return Piece(day, begin, begins_at(day + _A_DAY, zone), begin)


def _ends(quarter_at: datetime) -> tuple[datetime, datetime]:
    return quarter_at, quarter_at + _QUARTER - timedelta(microseconds=1)


def clock_hours(day: date | None, zone: ZoneInfo) -> Sequence[int]:
    """By quarter of an hour since a day's beginning (0 to 255): the hour that clocks show then; None: of a day on which
    they do not change.
    """
    if day is None:
        return [quarter // 4 % 24 for quarter in range(256)]
    begin = begins_at(day, zone)
    return [(begin + quarter * _QUARTER).astimezone(zone).hour for quarter in range(256)]
