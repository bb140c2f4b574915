"""Opening hours: weekly ranges, holidays and dated exceptions, asked for one instant at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from callrouter.errors import CoreError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHOWN_DAYS = tuple(day.capitalize() for day in DAYS)


class TimeRange(Struct, frozen=True, kw_only=True):
    """Part of a day on the wall clock: `start` belongs to it, `end` does not; `end` None is midnight."""

    start: time
    end: time | None

    def __post_init__(self) -> None:
        """Refuse a range over midnight: it is two ranges, of two days, and whoever compiles hours splits it.

        Raises:
            CoreError: it ends before it starts.
        """
        if self.end is not None and self.end <= self.start:
            raise CoreError(f"hours from {self.start:%H:%M} to {self.end:%H:%M} hold no minute of one day")

    def holds(self, clock: time) -> bool:
        """Whether the wall clock is within."""
        return self.start <= clock and (self.end is None or clock < self.end)


class DatedException(Struct, frozen=True, kw_only=True):
    """Days on which other hours than the week's are kept: none of them means closed."""

    first: date
    last: date
    ranges: tuple[TimeRange, ...] = ()


class Found(Struct, frozen=True, kw_only=True, gc=False):
    """What the hours say of an instant, and why."""

    open: bool
    holiday: bool
    because: str


class Schedule(Struct, frozen=True, kw_only=True, dict=True):
    """One set of hours of a client."""

    name: str
    timezone: str
    """IANA name; the day and the wall clock are this zone's, whatever the server's."""
    week: tuple[tuple[TimeRange, ...], ...]
    """Seven entries, Monday first."""
    holidays: Mapping[date, str] = field(default_factory=dict)
    """Public holidays, closed unless an exception says otherwise."""
    exceptions: tuple[DatedException, ...] = ()
    """Asked first, in order: the first that holds the day decides."""

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def exception_on(self, day: date) -> DatedException | None:
        """The exception that decides this day, if one does."""
        return next((one for one in self.exceptions if one.first <= day <= one.last), None)

    def at(self, instant: datetime) -> Found:
        """Open or closed at an aware instant."""
        local = instant.astimezone(self._zone)
        day, clock = local.date(), local.time()
        shown = f"{_SHOWN_DAYS[day.weekday()]} {clock.hour:02}:{clock.minute:02}"
        if exception := self.exception_on(day):
            return Found(
                open=any(part.holds(clock) for part in exception.ranges),
                holiday=False,
                because=f"{shown}, exception {day.isoformat()}",
            )
        if holiday := self.holidays.get(day):
            return Found(open=False, holiday=True, because=f"{shown}, {holiday}")
        ranges = self.week[day.weekday()]
        return Found(open=any(part.holds(clock) for part in ranges), holiday=False, because=shown)
