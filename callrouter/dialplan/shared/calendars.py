"""Calendars that clients share, and rotas with their people's numbers; and what is wrong with them by themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from msgspec import Struct, field

from callrouter.core.rota import Contact, Duty, Rota
from callrouter.dialplan.documents.calendar import CalendarBlock, RotaBlock
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.language.timezones import known_timezone
from callrouter.dialplan.shared import hours
from callrouter.dialplan.shared.people import Person


def wrong_calendars(blocks: Mapping[str, CalendarBlock], document: Document) -> tuple[list[Issue], frozenset[str]]:
    """What no client's hours could be made of, and the names of the calendars it stands in."""
    issues: list[Issue] = []
    bad: set[str] = set()
    for name, block in blocks.items():
        wrong: list[hours.WrongHours] = []
        hours.schedule(name, block, "UTC", "en", date(2026, 1, 1), wrong=wrong)
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
) -> tuple[dict[str, Rota], list[Issue]]:
    """Rotas with their people's numbers; `unsure`: contacts could not be read, so none is called unknown;
    `bad` are contacts that are refused: a rota that names one is refused with it.
    """
    found: dict[str, Rota] = {}
    issues: list[Issue] = []
    for name, block in blocks.items():
        turns = _Turns(name=name, document=document, contacts=contacts, unsure=unsure, bad=bad, issues=issues)
        if known_timezone(block.timezone):
            found[name] = _rota(block, turns)
        else:
            turns.fail(f"{shown(block.timezone)} is no time zone", "timezone")
    return found, issues


class _Turns(Struct, kw_only=True):
    """Who has the turns of one rota, and what is wrong with it."""

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

    def contact(self, who: str, *path: str | int) -> Contact:
        """The contact who is named at a path, with the number to ring."""
        known = self.contacts.get(who)
        if who in self.bad:
            self.fail(f"contact {shown(who)} is refused: mend it in shared/contacts.yaml first", *path)
        elif known is None and not self.unsure:
            meant = closest(who, self.contacts)
            self.fail(f"contact {shown(who)} is not in shared/contacts.yaml", *path, suggestion=meant)
        elif known is not None and known.number is None:
            self.fail(f"contact {shown(who)} has no number to ring", *path)
        return Contact(name=who, number=(known.number if known else None) or "")


def _rota(block: RotaBlock, turns: _Turns) -> Rota:
    weekday, at_clock = values.weekly_instant(block.change)
    return Rota(
        name=turns.name,
        timezone=block.timezone,
        weekday=weekday,
        at_clock=at_clock,
        cycle=tuple(turns.contact(who, "cycle", index) for index, who in enumerate(block.cycle)),
        starting=values.day(block.starting) if block.starting else None,
        weeks={values.iso_week(week): turns.contact(who, "weeks", week) for week, who in block.weeks.items()},
        exceptions=tuple(
            Duty(first=first, last=last, contact=turns.contact(who, "exceptions", written))
            for written, who in block.exceptions.items()
            for first, last in (values.days(written),)
        ),
    )
