"""Calendars that clients share, and rotas with their people's numbers; and what is wrong with them by themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from msgspec import Struct, field

from callrouter.core.rota import Contact, Duty, People, Rota, Shift, Swap, Turns
from callrouter.core.schedule import Span
from callrouter.dialplan.documents.calendar import CalendarBlock, RotaBlock, ShiftBlock
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.language import dates, values
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.language.timezones import country_of, known_timezone
from callrouter.dialplan.shared import hours
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.shared.public_holidays import is_known

_MINUTES_A_WEEK = 7 * 24 * 60


def wrong_calendars(blocks: Mapping[str, CalendarBlock], document: Document) -> tuple[list[Issue], frozenset[str]]:
    """What no client's hours could be made of, and the names of the calendars it stands in."""
    issues: list[Issue] = []
    bad: set[str] = set()
    for name, block in blocks.items():
        wrong: list[hours.WrongHours] = []
        hours.schedule(name, block, "UTC", "en", date(2026, 1, 1), country="", wrong=wrong)
        for one in wrong:
            issues.append(document.issue(f"calendar {shown(name)}: {one.message}", "calendars", name, *one.path))
            bad.add(name)
    return issues, frozenset(bad)


def rotas(
    blocks: Mapping[str, RotaBlock],
    document: Document,
    contacts: Mapping[str, Person],
    unsure: bool,
    bad: Collection[str] = (),
    year: int = date.min.year,
) -> tuple[dict[str, Rota], list[Issue]]:
    """Rotas with their people's numbers; `unsure`: contacts could not be read, so none is called unknown;
    `bad` are contacts that are refused: a rota that names one is refused with it. Days that come every year are looked
    up around `year`.
    """
    found: dict[str, Rota] = {}
    issues: list[Issue] = []
    for name, block in blocks.items():
        reading = _Reading(name=name, document=document, contacts=contacts, unsure=unsure, bad=bad, issues=issues)
        if known_timezone(block.timezone):
            found[name] = _rota(block, reading, year)
        else:
            reading.fail(f"{shown(block.timezone)} is no time zone", "timezone")
    return found, issues


class _Reading(Struct, kw_only=True):
    """What is said of one rota, and what is wrong with it."""

    name: str
    document: Document
    contacts: Mapping[str, Person]
    unsure: bool
    bad: Collection[str] = ()
    issues: list[Issue] = field(default_factory=list)

    def fail(self, message: str, *path: str | int, suggestion: str = "") -> None:
        """Note what is wrong with a value of the rota."""
        message = f'rota "{self.name}": {message}'
        self.issues.append(self.document.issue(message, "rotas", self.name, *path, suggestion=suggestion))

    def people(self, names: Sequence[str], *path: str | int) -> People:
        """Those who are on call together."""
        if len(names) == 1:
            return (self.contact(names[0], *path),)
        twice = [who for who in dict.fromkeys(names) if names.count(who) > 1]
        if twice:
            self.fail(f"{shown(twice[0])} stands twice among those who are rung at once", *path)
        return tuple(self.contact(who, *path, index) for index, who in enumerate(names))

    def turns(self, block: RotaBlock | ShiftBlock, starting: str | None, *path: str | int) -> Turns:
        """Turns of a week each."""
        return Turns(
            cycle=tuple(self.people(names, *path, "cycle", index) for index, names in enumerate(block.cycle)),
            starting=values.day(starting) if starting else None,
            weeks={
                values.iso_week(week): self.people(names, *path, "weeks", week) for week, names in block.weeks.items()
            },
        )

    def spans(self, written: str, almanac: Almanac, *path: str | int) -> tuple[Span, ...]:
        """The days of a text."""
        try:
            return almanac.spans(written)
        except ValueError as error:
            self.fail(str(error), *path)
            return ()

    def contact(self, who: str, *path: str | int) -> Contact:
        """The contact who is named at a path, with the number to ring."""
        known = self.contacts.get(who)
        if who in self.bad:
            self.fail(f"contact {shown(who)} is refused: mend it in shared/contacts.yaml first", *path)
        elif known is None and not self.unsure:
            meant = closest(who, self.contacts)
            wrong = f"contact {shown(who)} is not in shared/contacts.yaml, whose contacts alone a rota names"
            self.fail(wrong, *path, suggestion=meant)
        elif known is not None and known.number is None:
            self.fail(f"contact {shown(who)} has no number to ring", *path)
        return Contact(name=who, number=(known.number if known else None) or "")


def _rota(block: RotaBlock, reading: _Reading, year: int) -> Rota:
    weekday, at_clock = values.weekly_instant(block.change)
    for index, code in enumerate(block.holidays):
        if not is_known(code.strip()):
            reading.fail(f"holidays of {shown(code)} are not known", "holidays", index)
    codes = tuple(code.strip() for code in block.holidays) or (country_of(block.timezone, ""),)
    almanac = Almanac(codes=codes, year=year)
    return Rota(
        name=reading.name,
        timezone=block.timezone,
        weekday=weekday,
        at_clock=at_clock,
        turns=reading.turns(block, block.starting),
        shifts=_shifts(block, reading),
        exceptions=_duties(block, reading, almanac),
        swaps=_swaps(block, reading, almanac),
    )


def _shifts(block: RotaBlock, reading: _Reading) -> tuple[Shift, ...]:
    """The shifts, of which no two may hold the same minute of the week."""
    found: list[Shift] = []
    taken: list[tuple[int, int, str]] = []
    for name, shift in block.shifts.items():
        parts: list[tuple[int, int]] = []
        for index, written in enumerate(shift.when):
            for part in values.week_parts(written):
                if other := next((one for one in taken if _overlap(part, (one[0], one[1]))), None):
                    whose = f"shift {shown(other[2])}" if other[2] != name else "this shift already"
                    wrong = f"{shown(written)} is part of {whose}: a minute needs one shift"
                    reading.fail(f"shift {shown(name)}: {wrong}", "shifts", name, "when", index)
                    break
                parts.append(part)
                taken.append((*part, name))
        turns = reading.turns(shift, shift.starting or block.starting, "shifts", name)
        found.append(Shift(name=name, parts=tuple(parts), turns=turns))
    return tuple(found)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two parts of the week hold the same minute; one may go on over the end of the week."""
    return any(one[0] < other[1] + week and other[0] + week < one[1] for week in (-_MINUTES_A_WEEK, 0, _MINUTES_A_WEEK))


def _duties(block: RotaBlock, reading: _Reading, almanac: Almanac) -> tuple[Duty, ...]:
    """Days of exception; what names a day more exactly comes first, as in hours."""
    found: list[tuple[int, Duty]] = []
    for written, names in block.exceptions.items():
        if isinstance(days := dates.days_or_part(written), dates.Part):
            continue
        people = reading.people(names, "exceptions", written)
        rank = dates.rank(days)
        for first, last in reading.spans(written, almanac, "exceptions", written):
            other = next((one for of, one in found if of == rank and one.first <= last and first <= one.last), None)
            if other and rank and other.people != people and last.year >= almanac.year:
                both = f"{shown(written)} and {shown(other.called)} both claim {max(first, other.first).isoformat()}"
                reading.fail(f"{both}: a day needs one of them", "exceptions", written)
                break
            found.append((rank, Duty(first=first, last=last, people=people, written=written if rank else "")))
    return tuple(duty for _, duty in sorted(found, key=lambda one: one[0]))


def _swaps(block: RotaBlock, reading: _Reading, almanac: Almanac) -> tuple[Swap, ...]:
    """Parts of days, of which no two may hold the same minute."""
    found: list[Swap] = []
    for written, names in block.exceptions.items():
        part = dates.days_or_part(written)
        if not isinstance(part, dates.Part):
            continue
        people = reading.people(names, "exceptions", written)
        for begins, ends in _parts_of_days(part, reading, almanac, written):
            swap = Swap(begins=begins, ends=ends, people=people, written=written)
            other = next((one for one in found if one.begins < ends and begins < one.ends), None)
            if other and other.people != people and begins.year >= almanac.year:
                day = max(begins, other.begins).date().isoformat()
                both = f"{shown(written)} and {shown(other.written)} both claim a part of {day}"
                reading.fail(f"{both}: a minute needs one of them", "exceptions", written)
                break
            found.append(swap)
    return tuple(found)


def _parts_of_days(
    part: dates.Part, reading: _Reading, almanac: Almanac, written: str
) -> Iterator[tuple[datetime, datetime]]:
    """Beginning and end, by the wall clock, of each time that a part of a day comes."""
    ends = [first for first, _ in reading.spans(part.until, almanac, "exceptions", written)] if part.until else []
    for day, _ in reading.spans(part.day, almanac, "exceptions", written):
        begun = datetime.combine(day, time()) + timedelta(minutes=part.start)
        last = next((one for one in ends if one >= day), None) if part.until else day
        if last is None:
            continue
        ended = datetime.combine(last, time()) + timedelta(minutes=part.stop)
        if ended <= begun:
            reading.fail(f"{shown(written)} ends before it begins", "exceptions", written)
            return
        yield begun, ended
