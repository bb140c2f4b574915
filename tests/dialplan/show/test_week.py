"""A week of hours and turns as a person reads it."""

from __future__ import annotations

from datetime import date
from typing import Any

from callrouter.core.call import replace
from callrouter.core.plan import Plan
from callrouter.dialplan.documents.calendar import RotaBlock
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.shared.calendars import rotas
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.show.week import hours_of_week
from tests.dialplan.random_trees import HEAD, SHARED, compiled

NAMES = ("anna", "bob", "cy", "dora")
PEOPLE = {name: Person(name=name, number=f"+3361236000{place}") for place, name in enumerate(NAMES)}


def plan(hours: dict[str, Any], rota: dict[str, Any]) -> Plan:
    """A client who keeps these hours, and rings by a rota."""
    block = RotaBlock.model_validate({"timezone": "Europe/Paris", "starting": "2026-01-05", **rota})
    found, wrong = rotas({"duty": block}, Document(file="calendars.yaml"), PEOPLE, unsure=False, year=2026)
    assert wrong == []
    nodes = {
        "first": {"opening_hours": {"open": "ring", "closed": "bye"}},
        "ring": {"dial": {"contacts": "duty", "no_answer": "bye"}},
        "bye": {"hangup": {}},
    }
    document = {**HEAD, "hours": hours, "fallback": {"node": "bye"}, "start": "first", "nodes": nodes}
    made = compiled(document, replace(SHARED, rotas=found))
    assert made.plan is not None, made.issues
    return made.plan


def stripped(client: Plan, monday: date) -> list[str]:
    """The lines of a week, without their indentation."""
    return [line.strip() for line in hours_of_week(client, monday)]


def test_why_each_day_is_as_it_is() -> None:
    """A range, what it leaves closed, a Sunday opened by itself, and a night that goes on into a holiday."""
    hours = {
        "open": {"mon-fri": "08:00-18:00", "thu": "22:00-06:00"},
        "holidays": "FR",
        "exceptions": {"2026-12-21..2027-01-02": ["09:00-12:00", "22:00-06:00"], "2026-12-27": "10:00-18:00"},
    }
    lines = stripped(plan(hours, {"cycle": "anna"}), date(2026, 12, 21))

    assert lines[4:9] == [
        "Wed 23 Dec  00:00-06:00, 09:00-12:00, 22:00-24:00  (exception 2026-12-21..2027-01-02; 00:00-06:00 since Tue)",
        "Thu 24 Dec  00:00-06:00, 09:00-12:00, 22:00-24:00  (exception 2026-12-21..2027-01-02; 00:00-06:00 since Wed)",
        "Fri 25 Dec  00:00-06:00  (Noël, which exception 2026-12-21..2027-01-02 leaves closed; 00:00-06:00 since Thu)",
        "Sat 26 Dec  closed  (exception 2026-12-21..2027-01-02 opens no Saturday)",
        "Sun 27 Dec  10:00-18:00  (exception 2026-12-27, no Sunday of the week's is open)",
    ]


def test_who_is_on_call() -> None:
    """Shifts, two at once, a day of exception from the change on, and a part of a day."""
    rota = {
        "change": "mon 08:00",
        "shifts": {
            "day": {"when": "mon-fri 08:00-18:00", "cycle": ["anna", "bob"]},
            "night": {"when": "mon-thu 18:00-08:00", "cycle": [["cy", "dora"], "bob"]},
            "weekend": {"when": "fri 18:00..mon 08:00", "cycle": "dora"},
        },
        "exceptions": {"christmas": "bob", "12-24 20:00..24:00": "anna"},
    }
    lines = stripped(plan({"open": {"daily": "00:00-24:00"}}, rota), date(2026, 12, 21))

    assert lines[9:] == [
        "rota duty",
        "Mon 21 Dec  dora, from 08:00 anna, from 18:00 cy + dora",
        "Tue 22 Dec  cy + dora, from 08:00 anna, from 18:00 cy + dora",
        "Wed 23 Dec  cy + dora, from 08:00 anna, from 18:00 cy + dora",
        "Thu 24 Dec  cy + dora, from 08:00 anna, from 18:00 cy + dora, from 20:00 anna  (exception 12-24 20:00..24:00)",
        "Fri 25 Dec  cy + dora, from 08:00 bob  (exception christmas)",
        "Sat 26 Dec  bob, from 08:00 dora  (exception christmas)",
        "Sun 27 Dec  dora",
    ]
