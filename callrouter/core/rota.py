"""Who is on call: a rota of people who take turns week by week, asked for one instant at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec import Struct, field


class Contact(Struct, frozen=True, kw_only=True):
    """Somebody who can be reached by telephone."""

    name: str
    number: str
    """E.164."""


class Duty(Struct, frozen=True, kw_only=True):
    """Days that one person takes whatever the week says."""

    first: date
    last: date
    """Included; the last night ends when the next person takes over."""
    contact: Contact


class Rota(Struct, frozen=True, kw_only=True, dict=True):
    """Turns of a week each. Days of exception come first, then weeks written out, then the cycle."""

    name: str
    timezone: str
    """IANA name; turns change on this zone's wall clock."""
    weekday: int = 0
    """Day on which the week changes hands, Monday 0."""
    at_clock: time = time(0)
    """Time of day at which a turn begins, the week's and a single day's alike."""
    cycle: tuple[Contact, ...] = ()
    starting: date | None = None
    """A day of the first person's first turn of the cycle."""
    weeks: Mapping[date, Contact] = field(default_factory=dict)
    """By the Monday of the ISO week in which the turn begins."""
    exceptions: tuple[Duty, ...] = ()

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def at(self, instant: datetime) -> Contact | None:
        """Who is on call at an aware instant; None: nobody is."""
        local = instant.astimezone(self._zone)
        day = local.date() if local.time() >= self.at_clock else local.date() - timedelta(days=1)
        for duty in self.exceptions:
            if duty.first <= day <= duty.last:
                return duty.contact
        begun = self._begin(day)
        monday = begun - timedelta(days=begun.weekday())
        if (named := self.weeks.get(monday)) is not None:
            return named
        if not self.cycle or self.starting is None:
            return None
        turns = (begun - self._begin(self.starting)).days // 7
        return self.cycle[turns % len(self.cycle)] if turns >= 0 else None

    def people(self) -> tuple[Contact, ...]:
        """Everybody it may name, each once."""
        everybody = (*self.cycle, *self.weeks.values(), *(duty.contact for duty in self.exceptions))
        return tuple(dict.fromkeys(everybody))

    def _begin(self, day: date) -> date:
        """First day of the turn that a day lies in."""
        return day - timedelta(days=(day.weekday() - self.weekday) % 7)
