"""Opening hours: weekly ranges, holidays and dated exceptions, asked for one instant at a time.

Hours belong to the day on which they begin. A night from 22:00 to 06:00 is kept whole, or dropped whole, with the day
of its 22:00: what closes the next day does not end it at midnight. So each day has ranges, and `nights`: the parts of
its hours that lie beyond its midnight, on the clock of the day after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from callrouter.errors import CoreError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_DAY = timedelta(days=1)
_A_MINUTE = timedelta(minutes=1)
_SHOWN_DAYS = tuple(day.capitalize() for day in DAYS)


Span = tuple[date, date]
"""First and last day, both included."""


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


Ranges = tuple[TimeRange, ...]


class DatedException(Struct, frozen=True, kw_only=True):
    """Days on which other hours than the week's are kept: none of them means closed."""

    first: date
    last: date
    ranges: Ranges = ()
    nights: Ranges = ()
    """What goes on after midnight, on the clock of the day after."""
    on_closed_weekdays: bool = True
    """Whether it opens weekdays on which the week opens at no time."""
    on_holidays: bool = True
    """Whether it opens public holidays."""
    written: str = ""
    """As the document writes it, where that holds for other years too; empty: first and last day say it."""

    @property
    def closes(self) -> bool:
        """Whether no time is left at which it is open."""
        return not (self.ranges or self.nights)

    @property
    def called(self) -> str:
        """What a person calls it: `2026-12-24..2027-01-03`, `12-24`, `christmas`."""
        span = f"{self.first}" + (f"..{self.last}" if self.last != self.first else "")
        return self.written or span


class DayRule(Struct, frozen=True, kw_only=True):
    """What is kept of a day's hours, and which rule says so."""

    ranges: Ranges = ()
    nights: Ranges = ()
    """What goes on after midnight, on the clock of the day after."""
    exception: DatedException | None = None
    holiday: str = ""
    """The public holiday that closes the day."""

    @property
    def because(self) -> str:
        """What makes it another day than the week's, for a person; empty where nothing does."""
        return f"exception {self.exception.called}" if self.exception else self.holiday


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
    week: tuple[Ranges, ...]
    """Seven entries, Monday first."""
    nights: tuple[Ranges, ...] = ((),) * 7
    """Seven entries, Monday first: what of each day's hours goes on after midnight, on the clock of the day after."""
    holidays: Mapping[date, str] = field(default_factory=dict)
    """Public holidays, closed unless an exception says otherwise."""
    exceptions: tuple[DatedException, ...] = ()
    """Asked first, in order: the first that decides the day does."""

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def _without_week(self) -> bool:
        """Whether the week holds no hours at all: then it does not say which days are open."""
        return not any(self.week) and not any(self.nights)

    def opens_by_week(self, day: date) -> bool:
        """Whether hours of the week begin on such a day; where the week has none at all, any day may be opened."""
        weekday = day.weekday()
        return bool(self.week[weekday] or self.nights[weekday]) or self._without_week

    def exception_on(self, day: date) -> DatedException | None:
        """The exception that decides this day, if one does."""
        return next((one for one in self.exceptions if one.first <= day <= one.last and self.decides(one, day)), None)

    def decides(self, one: DatedException, day: date) -> bool:
        """Whether an exception that holds a day changes it."""
        if one.closes:
            return True
        return (one.on_holidays or day not in self.holidays) and (one.on_closed_weekdays or self.opens_by_week(day))

    def rule_on(self, day: date) -> DayRule:
        """The hours that begin on a day: an exception's, none on a holiday, else the week's."""
        if exception := self.exception_on(day):
            return DayRule(ranges=exception.ranges, nights=exception.nights, exception=exception)
        if holiday := self.holidays.get(day, ""):
            return DayRule(holiday=holiday)
        return DayRule(ranges=self.week[day.weekday()], nights=self.nights[day.weekday()])

    def open_parts(self, day: date) -> Ranges:
        """When it is open on a day by the wall clock, whichever day the hours began on; in order."""
        return tuple(
            sorted((*self.rule_on(day - _A_DAY).nights, *self.rule_on(day).ranges), key=lambda part: part.start)
        )

    def at(self, instant: datetime) -> Found:
        """Open or closed at an aware instant."""
        local = instant.astimezone(self._zone)
        day, clock = local.date(), local.time()
        shown = f"{_SHOWN_DAYS[day.weekday()]} {clock.hour:02}:{clock.minute:02}"
        rule = self.rule_on(day)
        opened = any(part.holds(clock) for part in rule.ranges)
        if not opened and any(part.holds(clock) for part in self.rule_on(day - _A_DAY).nights):
            return Found(open=True, holiday=False, because=f"{shown}, since {_SHOWN_DAYS[day.weekday() - 1]}")
        because = f"{shown}, {rule.because}" if rule.because else shown
        return Found(open=opened, holiday=bool(rule.holiday), because=because)

    def open_until(self, instant: datetime, latest: datetime) -> datetime:
        """Until when it stays open from an aware instant on, no later than `latest`; where it is closed, that instant.

        Each minute is asked, as hours begin and end on whole ones: neither a night nor a change of the clock is a case
        of its own. Meant for some hours, not for days.
        """
        while instant < latest and self.at(instant).open:
            instant = instant.replace(second=0, microsecond=0) + _A_MINUTE
        return min(instant, latest)


def seen_elsewhere(
    day: date, zone: ZoneInfo, there: ZoneInfo, minutes_of: Callable[[date], Iterable[int]]
) -> Iterator[datetime]:
    """What falls on a day of a zone, of the minutes that each day has by the wall clock of another zone."""
    for one in (day - _A_DAY, day, day + _A_DAY):
        for minute in minutes_of(one):
            instant = datetime.combine(one, time(minute // 60, minute % 60), there).astimezone(zone)
            if instant.date() == day:
                yield instant
