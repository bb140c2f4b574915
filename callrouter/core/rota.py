"""Who is on call: people who take turns week by week, or shift by shift, asked for one instant at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec import Struct, field

_A_DAY = timedelta(days=1)
_A_WEEK = timedelta(days=7)
_MINUTES_A_DAY = 24 * 60


class Contact(Struct, frozen=True, kw_only=True):
    """Somebody who can be reached by telephone."""

    name: str
    number: str
    """E.164."""


People = tuple[Contact, ...]
"""Those who are on call together, and rung at once; nobody where it is empty."""


class Duty(Struct, frozen=True, kw_only=True):
    """Days that somebody takes whatever the week says; each begins at the hour of the change, and ends at the next."""

    first: date
    last: date
    """Included."""
    people: People
    written: str = ""
    """As the document writes it, where that holds for other years too; empty: first and last day say it."""

    @property
    def called(self) -> str:
        """What a person calls it."""
        return self.written or f"{self.first}" + (f"..{self.last}" if self.last != self.first else "")


class Swap(Struct, frozen=True, kw_only=True):
    """Part of a day, or of some days, that somebody takes whatever else is written."""

    begins: datetime
    """By the wall clock of the rota's zone, as the end is: a datetime without a zone."""
    ends: datetime
    """Not included."""
    people: People
    written: str
    """As the document writes it."""


class Turns(Struct, frozen=True, kw_only=True):
    """Turns of a week each: weeks written out come before the cycle."""

    cycle: tuple[People, ...] = ()
    starting: date | None = None
    """A day of the first turn of the cycle."""
    weeks: Mapping[date, People] = field(default_factory=dict)
    """By the Monday of the ISO week in which the turn begins."""

    def everybody(self) -> Iterator[Contact]:
        """Whom they may name."""
        for people in (*self.cycle, *self.weeks.values()):
            yield from people


class Shift(Struct, frozen=True, kw_only=True):
    """Times of the week with turns of their own, such as the nights."""

    name: str
    parts: tuple[tuple[int, int], ...]
    """Minutes since Monday 00:00 by the wall clock, the end not included; one over the end of the week goes on."""
    turns: Turns

    def began(self, local: datetime) -> datetime | None:
        """When the part in which a wall clock lies began; None: it lies in none."""
        today = local.replace(tzinfo=None, fold=0, hour=0, minute=0, second=0, microsecond=0)
        monday = today - timedelta(days=today.weekday())
        for begun in (monday, monday - _A_WEEK):
            for start, stop in self.parts:
                first, last = begun + timedelta(minutes=start), begun + timedelta(minutes=stop)
                if reached(local, first) and not reached(local, last):
                    return first
        return None


class Rota(Struct, frozen=True, kw_only=True, dict=True):
    """Who is on call when. Parts of days come first, then days, then shifts, then the turns of all other times."""

    name: str
    timezone: str
    """IANA name; all times are this zone's wall clock."""
    weekday: int = 0
    """Day on which the week changes hands, Monday 0."""
    at_clock: time = time(0)
    """Time of day at which a turn begins, the week's and a single day's alike."""
    turns: Turns = field(default_factory=Turns)
    shifts: tuple[Shift, ...] = ()
    """No two hold the same minute; who has one is decided by the turn in which it begins."""
    exceptions: tuple[Duty, ...] = ()
    """The first that holds the day decides."""
    swaps: tuple[Swap, ...] = ()
    """The first that holds the instant decides."""

    @cached_property
    def zone(self) -> ZoneInfo:
        """Whose wall clock it goes by."""
        return ZoneInfo(self.timezone)

    def at(self, instant: datetime) -> People:
        """Who is on call at an aware instant; empty: nobody is."""
        local = instant.astimezone(self.zone)
        for swap in self.swaps:
            if reached(local, swap.begins) and not reached(local, swap.ends):
                return swap.people
        today = local.date()
        day = today if reached(local, datetime.combine(today, self.at_clock)) else today - _A_DAY
        if duty := self.duty_on(day):
            return duty.people
        for shift in self.shifts:
            if begun := shift.began(local):
                of_turn = begun.date() if begun.time() >= self.at_clock else begun.date() - _A_DAY
                return self.having(shift.turns, of_turn)
        return self.having(self.turns, day)

    def duty_on(self, day: date) -> Duty | None:
        """The exception that decides a day, which begins at the hour of the change."""
        return next((one for one in self.exceptions if one.first <= day <= one.last), None)

    def having(self, turns: Turns, day: date) -> People:
        """Who has the turn that a day lies in."""
        begun = self._begin(day)
        monday = begun - timedelta(days=begun.weekday())
        if (named := turns.weeks.get(monday)) is not None:
            return named
        if not turns.cycle or turns.starting is None:
            return ()
        passed = (begun - self._begin(turns.starting)).days // 7
        return turns.cycle[passed % len(turns.cycle)] if passed >= 0 else ()

    def changes(self, day: date) -> tuple[int, ...]:
        """Minutes of a day, by the wall clock of the zone, at which somebody else's time may begin; in order."""
        found = {self.at_clock.hour * 60 + self.at_clock.minute}
        for shift in self.shifts:
            for edge in (edge for part in shift.parts for edge in part):
                weekday, minute = divmod(edge, _MINUTES_A_DAY)
                if weekday % 7 == day.weekday():
                    found.add(minute)
        for swap in self.swaps:
            found |= {edge.hour * 60 + edge.minute for edge in (swap.begins, swap.ends) if edge.date() == day}
        return tuple(sorted(found))

    def people(self) -> People:
        """Everybody it may name, each once."""
        of_shifts = (one for shift in self.shifts for one in shift.turns.everybody())
        of_days = (one for duty in self.exceptions for one in duty.people)
        of_hours = (one for swap in self.swaps for one in swap.people)
        return tuple(dict.fromkeys((*self.turns.everybody(), *of_shifts, *of_days, *of_hours)))

    def _begin(self, day: date) -> date:
        """First day of the turn that a day lies in."""
        return day - timedelta(days=(day.weekday() - self.weekday) % 7)


def reached(local: datetime, clock: datetime) -> bool:
    """Whether a wall clock has shown a time (without a zone) at an aware instant.

    Once is enough: when the clocks go back, what has begun at 02:30 does not end at 03:00, when it is 02:00 again. A
    time that is left out is reached when the clocks go forward.
    """
    if local.replace(tzinfo=None, fold=0) >= clock:
        return True
    # The first of two times that look the same has fold 0.
    return bool(local.fold) and clock.replace(tzinfo=local.tzinfo).astimezone(UTC) <= local.astimezone(UTC)
