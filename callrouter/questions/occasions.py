"""Who may call a client, and when: one caller for each that the tree tells apart, and each stretch of the calendar.

Numbers of the client's that a tree goes by differently have callers of their own.

Two callers are alike when the same lists hold them; two instants are alike when all hours and dates that the tree looks
at say the same. One of each kind stands for all, so that a tree can be questioned whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, partial
from typing import TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from msgspec import Struct

from callrouter.core.call import WITHOUT_NUMBER, CallerId, Presentation, replace
from callrouter.core.conditions import DateWithin, DidIs
from callrouter.core.numbers import CallerList
from callrouter.core.plan import Plan
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule, seen_elsewhere
from callrouter.questions.asking import region_of
from callrouter.questions.examples import conditions, one_of_each

DAYS_AHEAD = 366
MINUTES_A_DAY = 24 * 60

_Part = TypeVar("_Part", Schedule, Rota)


class CallerKind(Struct, frozen=True, kw_only=True):
    """Callers no tree in question tells apart, and one of them."""

    one: str
    """A caller of the kind, for a person: `list vip (+33612340007)`, `any other caller`."""
    several: str
    """The same of all: `callers of list vip (+33612340007)`, `ordinary callers`."""
    caller: CallerId
    lists: tuple[frozenset[str], ...]
    """For each plan in question: the lists that hold them."""
    did: str = ""
    """The number they dial; empty where no tree in question tells numbers apart."""

    @property
    def words(self) -> str:
        """`list vip (+33612340007) who dials +33199000010`."""
        return f"{self.one} who dials {self.did}" if self.did else self.one


def caller_kinds(*plans: Plan) -> tuple[CallerKind, ...]:
    """One caller for each combination of lists; ordinary callers first, then lists as written, then those without a
    number."""
    lists = [_lists(plan) for plan in plans]
    without = (CallerId(presentation=why) for why in WITHOUT_NUMBER)
    kinds: dict[tuple[frozenset[str], ...], list[CallerId]] = {}
    for caller in (*_ordinary(plans[-1]), *_listed(lists), *without):
        held = tuple(frozenset(one.name for one in of_plan if one.match(caller)) for of_plan in lists)
        if any(held) or not caller.without_number:
            kinds.setdefault(held, []).append(caller)
    found = []
    for did in dialled(*plans):
        for held, callers in kinds.items():
            one, several = _named(callers, held, alone=len(kinds) == 1)
            found.append(CallerKind(one=one, several=several, caller=callers[0], lists=held, did=did))
    return tuple(found)


def dialled(*plans: Plan) -> tuple[str, ...]:
    """One of the client's numbers for each that the trees tell apart; one empty one where they tell none apart.

    Of two versions of a tree, those that both have: a number that is new, or gone, is told of as such.
    """
    asked = [condition.numbers for condition in conditions(DidIs, *plans)]
    kept = [did for did in plans[-1].numbers if all(did in plan.numbers for plan in plans)]
    if not asked or len(kept) < 2:
        return ("",)
    return one_of_each(kept, lambda did: tuple(did in numbers for numbers in asked))


def ordinary_caller(plan: Plan) -> CallerId:
    """A caller whom no list of the tree holds, as far as there is one."""
    lists = _lists(plan)
    callers = list(_ordinary(plan))
    return next((one for one in callers if not any(held.match(one) for held in lists)), callers[0])


def held_by(plan: Plan, caller: CallerId) -> tuple[str, ...]:
    """The lists the tree asks that hold a caller."""
    return tuple(one.name for one in _lists(plan) if one.match(caller))


def entries(plan: Plan) -> Iterator[tuple[str, CallerId]]:
    """Each entry of the lists that the tree asks, once, and a caller whom no longer entry holds.

    An entry is a whole number, a beginning (`+338*`), or why there is no number (`withheld`).
    """
    lists = _lists(plan)
    everything = sorted({number for one in lists for number in (*one.prefixes, *one.numbers)})
    for number in sorted({number for one in lists for number in one.numbers}):
        yield number, CallerId(number=number)
    for prefix in sorted({prefix for one in lists for prefix in one.prefixes}):
        longer = [one for one in everything if one != prefix and one.startswith(prefix)]
        callers = (_beginning_with(prefix + digits) for digits in _BESIDE)
        free = (one for one in callers if not any((one.number or "").startswith(two) for two in longer))
        yield f"{prefix}*", next(free, _beginning_with(prefix))
    for why in WITHOUT_NUMBER:
        if any(why in one.without_number for one in lists):
            yield why.value, CallerId(presentation=why)


_BESIDE = tuple(f"{number:04}" for number in range(9999, 0, -1))
"""How numbers may go on, of which one is in no longer entry, but where a list holds all ten of each."""


def _lists(plan: Plan) -> tuple[CallerList, ...]:
    """The lists that are asked, each once."""
    return one_of_each((one for about in plan.about.values() for one in about.reads.lists), lambda one: one.name)


def _ordinary(plan: Plan) -> Iterator[CallerId]:
    """Mobiles of the client's country, of which at least one is probably in no list."""
    first = plan.numbers[0] if plan.numbers else "+33199000010"
    example = phonenumbers.example_number_for_type(region_of(plan, "FR"), phonenumbers.PhoneNumberType.MOBILE)
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164) if example else first
    for ending in ("0001", "0417", "9183"):
        yield CallerId(number=number[:-4] + ending)
    yield CallerId(number=first[:-4] + "9999")


def _listed(lists: Sequence[Sequence[CallerList]]) -> Iterator[CallerId]:
    """Callers of each list; and for each prefix some whom it holds, and no prefix or number that is more exact."""
    everything = [one for of_plan in lists for one in of_plan]
    longer = sorted({number for one in everything for number in (*one.prefixes, *one.numbers)})
    for one in everything:
        for number in sorted(one.numbers):
            yield CallerId(number=number)
        for prefix in one.prefixes:
            yield _beginning_with(prefix)
            for other in longer:
                if other.startswith(prefix):
                    yield from (_beginning_with(begun) for begun in _beside(prefix, other))


def _beside(prefix: str, longer: str) -> Iterator[str]:
    """Beginnings that share all but the last digit with a part of the longer one: `+441` … beside `+4499`."""
    for length in range(len(prefix), len(longer)):
        yield from (longer[:length] + digit for digit in "0123456789" if digit != longer[length])


def _beginning_with(prefix: str) -> CallerId:
    return CallerId(number=(prefix + "99123456")[: max(12, len(prefix))])


_WHY = {
    Presentation.WITHHELD: ("who withholds their number", "who withhold their number"),
    Presentation.UNAUTHENTICATED: ("whose number is not authenticated", "whose numbers are not authenticated"),
    Presentation.UNAVAILABLE: ("whose number is unavailable", "whose numbers are unavailable"),
}


def _named(callers: Sequence[CallerId], lists: tuple[frozenset[str], ...], *, alone: bool) -> tuple[str, str]:
    """A caller of a kind, and several of them, in words."""
    names, caller = sorted(frozenset().union(*lists)), callers[0]
    if caller.without_number:
        return _without_number([why for one in callers if (why := one.without_number)])
    if not names:
        return ("any caller", "callers") if alone else ("any other caller", "ordinary callers")
    before, now = lists[0], lists[-1]
    if before != now:
        joined = [f"now in list {one}" for one in sorted(now - before)]
        left = [f"no longer in list {one}" for one in sorted(before - now)]
        like = f"callers like {caller.number} ({', '.join((*joined, *left))})"
        return like, like
    listed = f"{'list' if len(names) == 1 else 'lists'} {' and '.join(names)} ({caller.number})"
    return listed, f"callers of {listed}"


def _without_number(reasons: Sequence[Presentation]) -> tuple[str, str]:
    """Callers without a number, by why they have none: `a caller who withholds their number`."""
    if len(reasons) == len(_WHY):
        return "a caller without a number", "callers without a number"
    one, several = (" or ".join(words) for words in zip(*(_WHY[why] for why in reasons), strict=True))
    return f"a caller {one}", f"callers {several}"


class Stretch(Struct, frozen=True, kw_only=True):
    """Part of one day, on the client's wall clock, in which nothing a tree looks at changes."""

    day: date
    start: int
    """Minutes since midnight."""
    stop: int
    said: tuple[str, ...]
    """What each of the calendar's hours (`open`, `closed`, `holiday`), dates (`yes`, `no`) and rotas (a name) says."""
    because: str
    """The holiday or the exception, if there is one."""


class Calendar(Struct, frozen=True, kw_only=True, dict=True):
    """All hours, dates and rotas that some plans look at."""

    timezone: str
    schedules: tuple[Schedule, ...]
    dates: tuple[DateWithin, ...]
    """Each with the zone whose days it means."""
    rotas: tuple[Rota, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What each part of `Stretch.said` is about."""
        return (*(one.name for one in self.schedules), *("" for _ in self.dates), *(one.name for one in self.rotas))

    @cached_property
    def zone(self) -> ZoneInfo:
        """Whose wall clock days and minutes are."""
        return ZoneInfo(self.timezone)

    def instant(self, day: date, minute: int) -> datetime:
        """An aware instant of the wall clock."""
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)

    def stretches(self, day: date) -> Iterator[Stretch]:
        """A day from midnight to midnight."""
        edges = [*sorted({0, *self._edges(day)} - {MINUTES_A_DAY}), MINUTES_A_DAY]
        because = self._because(day)
        start, said = 0, self._said(day, 0)
        for edge in edges[1:]:
            following = self._said(day, edge) if edge < MINUTES_A_DAY else said
            if following != said or edge == MINUTES_A_DAY:
                yield Stretch(day=day, start=start, stop=edge, said=said, because=because)
                start, said = edge, following

    def changes(self, since: datetime, until: datetime) -> list[datetime]:
        """Every instant, UTC, from `since` to before `until` at which something of it may change.

        Wall clocks that go back show a time twice, and both count; those that go forward or back may have the calendar
        say something else at once, so that of such a day each quarter of an hour counts.
        """
        found: set[datetime] = set()
        day, last = since.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        while day <= last:
            begins, ends = self.instant(day, 0), self.instant(day + timedelta(days=1), 0)
            edges = {0, *self._edges(day)}
            if begins.utcoffset() != ends.utcoffset():
                edges |= {*range(0, MINUTES_A_DAY, 15)}
            for at in (self.instant(day, edge % MINUTES_A_DAY) for edge in edges):
                found |= {at.astimezone(UTC), at.replace(fold=1).astimezone(UTC)}
            day += timedelta(days=1)
        return sorted(at for at in found if since <= at < until)

    def by_what_is_said(self, since: datetime) -> dict[tuple[str, ...], list[Stretch]]:
        """All stretches of a year from the day after an instant, and of the dated days that follow."""
        found: dict[tuple[str, ...], list[Stretch]] = {}
        for day in self._days(since.astimezone(self.zone).date() + timedelta(days=1)):
            for stretch in self.stretches(day):
                found.setdefault(stretch.said, []).append(stretch)
        return found

    def _days(self, first: date) -> Iterator[date]:
        """The days of a year, and after them those on which something dated begins or has ended."""
        last = first + timedelta(days=DAYS_AHEAD - 1)
        for offset in range(DAYS_AHEAD):
            yield first + timedelta(days=offset)
        # What comes every year has come within this one.
        dated = [span for one in self.dates if not one.written for span in one.spans]
        for schedule in self.schedules:
            dated += [(one.first, one.last) for one in schedule.exceptions if not one.written]
        edges = {day for begun, ended in dated for day in (begun, ended, ended + timedelta(days=1))}
        yield from sorted(day for day in edges if day > last)

    def _edges(self, day: date) -> Iterator[int]:
        for rota in self.rotas:
            yield from self._here(rota.timezone, day, rota.changes)
        for schedule in self.schedules:
            yield from self._here(schedule.timezone, day, partial(_changes, schedule))
        for zone in {one.timezone for one in self.dates}:
            yield from self._here(zone, day, lambda _: ())

    def _here(self, timezone: str, day: date, changes: Callable[[date], Iterable[int]]) -> Iterator[int]:
        """Minutes of a day at which something changes by the wall clock of a zone, which may be another one than ours:
        a rota's, that of another client whose tree goes on, or that of the tree before its zone was changed."""
        if timezone == self.timezone:
            yield from changes(day)
            return
        for here in seen_elsewhere(
            day, self.zone, ZoneInfo(timezone), lambda day: {0, *changes(day)} - {MINUTES_A_DAY}
        ):
            yield here.hour * 60 + here.minute

    def _said(self, day: date, minute: int) -> tuple[str, ...]:
        return self.said_at(self.instant(day, minute))

    def said_at(self, instant: datetime) -> tuple[str, ...]:
        """What each of the calendar's parts says of an aware instant, as in `Stretch.said`."""
        found = (schedule.at(instant) for schedule in self.schedules)
        hours = ("open" if one.open else "holiday" if one.holiday else "closed" for one in found)
        there = ((one, instant.astimezone(ZoneInfo(one.timezone)).date()) for one in self.dates)
        dated = ("yes" if one.holds_on(today) else "no" for one, today in there)
        on_call = (rota.at(instant) for rota in self.rotas)
        return (*hours, *dated, *(" + ".join(one.name for one in people) or "nobody" for people in on_call))

    def _because(self, day: date) -> str:
        rules = (schedule.rule_on(day).because for schedule in self.schedules)
        return next((because for because in rules if because), "")


def _changes(schedule: Schedule, day: date) -> Iterator[int]:
    """Minutes of a day, on the wall clock of the schedule's zone, at which it may begin or cease to be open."""
    for part in schedule.open_parts(day):
        yield part.start.hour * 60 + part.start.minute
        yield part.end.hour * 60 + part.end.minute if part.end else MINUTES_A_DAY


def calendar(*plans: Plan) -> Calendar:
    """What the trees of these plans look at; the wall clock is the last one's."""
    schedules: list[Schedule] = []
    dates: dict[DateWithin, None] = {}
    rotas: list[Rota] = []
    for plan in plans:
        for reads in (about.reads for about in plan.about.values()):
            if reads.hours:
                schedules.append(replace(plan.schedules[reads.hours], name=reads.hours))
            found = (one for one in reads.conditions if isinstance(one, DateWithin))
            # Days say whose they are: those of a tree whose zone was changed are not those of the other.
            dates.update((replace(one, timezone=one.timezone or plan.timezone), None) for one in found)
            rotas += reads.rotas
    return Calendar(
        timezone=plans[-1].timezone,
        schedules=tuple(_each_once(schedules)),
        dates=tuple(dates),
        rotas=tuple(_each_once(rotas)),
    )


def _each_once(parts: Iterable[_Part]) -> list[_Part]:
    """Those of both versions of a tree that have stayed as they were are looked at once."""
    found: list[_Part] = []
    for part in parts:
        if part not in found:
            found.append(part)
    return found


class Moment(Struct, frozen=True, kw_only=True):
    """An instant that stands for all at which the tree goes the same way."""

    at: datetime
    words: str
    """`Tue 2026-01-06 10:15`, with the holiday's name."""


def moments(plan: Plan, since: datetime) -> tuple[Moment, ...]:
    """One for each thing hours and dates can say within a year: the soonest of each kind, opening hours first."""
    seen_by = calendar(plan)
    found = seen_by.by_what_is_said(since)
    return tuple(moment(seen_by, found[said][0]) for said in sorted(found, key=lambda said: "open" not in said))


def moment(seen_by: Calendar, stretch: Stretch) -> Moment:
    """The middle of a stretch, to five minutes: a call that lasts does not run into the next."""
    middle = (stretch.start + stretch.stop) // 2
    at = seen_by.instant(stretch.day, middle - middle % 5)
    because = f", {stretch.because}" if stretch.because else ""
    return Moment(at=at, words=f"{at:%a %Y-%m-%d %H:%M}{because}")
