"""Whom a course of delivery reaches, and when: each rota is asked at all of its changes, so no minute is left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from msgspec import Struct

from callrouter.core.dispatch import Course, Means, Reach, Step
from callrouter.core.rota import Rota

_A_DAY = timedelta(days=1)
_A_MINUTE = timedelta(minutes=1)

Channels = Mapping[str, tuple[str, Means]]
"""By address, a contact and the means: who is reached at one address by two names is reached by one channel. So is who
is rung and sent SMS at one number: where that telephone is off, or was left at home, neither comes."""


class Directory(Struct, frozen=True, kw_only=True):
    """Whom the names of a course mean."""

    people: Mapping[str, Reach]
    on_call: Mapping[str, Reach]
    """Those whom rotas name: shared contacts, whatever else a client calls by their names."""
    rotas: Mapping[str, Rota]

    def told(self, step: Step, at: datetime, last: str = "") -> Channels:
        """By what a step that begins at an instant reaches somebody; `last` is who is told where nobody is on call."""
        found: dict[str, tuple[str, Means]] = {}
        for reach in self._people(step, at, last):
            for means in step.by or reach.means:
                if address := reach.address(means):
                    place = reach.number if means in (Means.SMS, Means.PHONE) else address
                    found.setdefault(place, (reach.name, means))
        return found

    def _people(self, step: Step, at: datetime, last: str) -> Iterator[Reach]:
        for name in step.to:
            on_call = self.rotas[name].at(at) if name in self.rotas else ()
            if on_call:
                yield from (self.on_call[one.name] for one in on_call if one.name in self.on_call)
            elif (one := last if name in self.rotas else name) in self.people:
                yield self.people[one]


class Piece(Struct, frozen=True, kw_only=True):
    """Some time within which it is the same when a message comes."""

    begins: datetime
    ends: datetime
    channels: Channels
    """By what the course reaches somebody while nobody acknowledges."""


class Timetable(Struct, frozen=True, kw_only=True, dict=True):
    """Of a rota, the instants at which somebody else's time may begin."""

    rota: Rota
    since: datetime
    until: datetime

    @cached_property
    def instants(self) -> tuple[datetime, ...]:
        """In order, with some at which nothing changes, in UTC."""
        return tuple(sorted({one for one in self._changes() if self.since < one < self.until}))

    def after(self, at: datetime) -> datetime:
        """The first of them after an instant; the end where none follows."""
        place = bisect_right(self.instants, at)
        return self.instants[place] if place < len(self.instants) else max(self.until, at + _A_MINUTE)

    def gaps(self) -> Iterator[tuple[datetime, datetime]]:
        """When nobody is on call, from the first instant to the one at which somebody is again, or to the end."""
        begun: datetime | None = None
        for at in (self.since, *self.instants):
            somebody = bool(self.rota.at(at))
            if not somebody and begun is None:
                begun = at
            elif somebody and begun is not None:
                yield begun, at
                begun = None
        if begun is not None:
            yield begun, self.until

    def _changes(self) -> Iterator[datetime]:
        zone = self.rota.zone
        day, last = (one.astimezone(zone).date() for one in (self.since - _A_DAY, self.until + _A_DAY))
        while day <= last:
            for minute in self.rota.changes(day):
                clock = datetime.combine(day, time(minute // 60, minute % 60), zone)
                # What the clocks leave out comes when they go forward, what comes twice the first time; both are asked.
                yield from (clock.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            yield from self._clock_change(datetime.combine(day, time(), zone).astimezone(UTC))
            day += _A_DAY

    def _clock_change(self, since: datetime) -> Iterator[datetime]:
        """The minute of the day from an instant on at which the zone's clocks change, if they do."""
        low, high = 0, 25 * 60

        def offset(minutes: int) -> timedelta | None:
            return (since + minutes * _A_MINUTE).astimezone(self.rota.zone).utcoffset()

        if offset(low) == offset(high):
            return
        while low + 1 < high:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        yield since + high * _A_MINUTE


def pieces(course: Course, directory: Directory, since: datetime, until: datetime, last: str = "") -> Iterator[Piece]:
    """All the time from one instant to another, by what a course reaches somebody for whom a message comes then.

    Its steps are not repeated, for that reaches hardly anybody else. `last` is who is told where nobody is on call.
    """
    longest = timedelta(seconds=sum(step.wait_seconds for step in course.steps))
    named = dict.fromkeys(name for step in course.steps for name in step.to if name in directory.rotas)
    tables = {
        name: Timetable(rota=directory.rotas[name], since=since, until=until + longest + _A_DAY) for name in named
    }
    at = since
    while at < until:
        channels: dict[str, tuple[str, Means]] = {}
        begins, left = at, until - at
        for step in course.steps:
            told = directory.told(step, begins, last)
            channels = {**channels, **{address: one for address, one in told.items() if address not in channels}}
            left = min((left, *(tables[name].after(begins) - begins for name in step.to if name in tables)))
            if told:
                begins += timedelta(seconds=step.wait_seconds)
        yield Piece(begins=at, ends=at + left, channels=channels)
        at += left
