"""Hours of a document into schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.schedule import Schedule
from callrouter.dialplan import Catalogue
from callrouter.dialplan.documents.calendar import HoursBlock
from callrouter.dialplan.language import timezones
from callrouter.dialplan.shared import hours
from callrouter.dialplan.shared.public_holidays import public_holidays
from tests.dialplan.conftest import Write

TODAY = date(2026, 11, 24)


def schedule(zone: str = "Europe/Paris", **block: Any) -> Schedule:
    """A schedule of a block as a document would hold it."""
    wrong: list[hours.WrongHours] = []
    found = hours.schedule("open", HoursBlock.model_validate(block), zone, "fr", TODAY, country="FR", wrong=wrong)
    assert wrong == []
    return found


def is_open(of: Schedule, when: str) -> bool:
    """At a wall clock of the schedule's zone."""
    return of.at(datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(of.timezone))).open


def test_a_range_over_midnight_belongs_to_both_days() -> None:
    """Friday night goes on until Saturday morning."""
    night = schedule(open={"fri": "22:00-06:00"})

    assert [
        is_open(night, f"2026-11-{when}") for when in ("27T21:59", "27T22:00", "28T05:59", "28T06:00", "27T05:00")
    ] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_sunday_night_goes_on_into_monday() -> None:
    """The week has no end."""
    night = schedule(open={"sun": "20:00-02:00"})

    assert is_open(night, "2026-11-30T01:00")


def test_exceptions_are_asked_before_closed_days_and_holidays() -> None:
    """A day of a closed fortnight can be opened, and so can a holiday."""
    both = schedule(
        open={"mon-fri": "09:00-17:00"},
        holidays="FR",
        closed=["2026-12-21..2027-01-03"],
        exceptions={"2026-12-23": "10:00-12:00", "2026-12-25": ["10:00-11:00"]},
    )

    assert is_open(both, "2026-12-23T11:00")
    assert is_open(both, "2026-12-25T10:30")
    assert not is_open(both, "2026-12-22T11:00")
    assert not is_open(both, "2027-07-14T11:00")


@pytest.mark.parametrize(
    ("code", "day", "closed"),
    [
        ("FR", date(2026, 12, 26), False),
        ("FR-57", date(2026, 12, 26), True),
        ("FR-971", date(2026, 5, 27), True),
        ("GB-ENG", date(2026, 12, 28), True),
        ("GB-SCT", date(2026, 11, 30), True),
        ("GB-ENG", date(2026, 11, 30), False),
    ],
)
def test_regions_have_holidays_of_their_own(code: str, day: date, closed: bool) -> None:
    """Alsace-Moselle, the overseas territories, Scotland."""
    assert (day in public_holidays(code, "fr", 2026)) is closed


def test_several_sets_of_hours(write: Write, load: Callable[[], Catalogue], tmp_path: Path) -> None:
    """Named sets: a node must say which."""
    path = write("a.yaml", "a", "01 99 00 00 10")
    text = path.read_text()
    named = "hours:\n  office: { open: { mon: '09:00-17:00' } }\n  duty: { open: { daily: '00:00-24:00' } }\nstart: h\n"
    tree = "nodes:\n  h:\n    opening_hours: { %sopen: bye, closed: bye }\n"
    path.write_text(text.replace("start: bye\n", named).replace("nodes:\n", tree % "hours: duty, "))
    assert [str(issue) for issue in load().issues] == []
    assert set(load().plans["a"].schedules) == {"office", "duty"}

    path.write_text(text.replace("start: bye\n", named).replace("nodes:\n", tree % ""))
    assert [issue.message for issue in load().issues] == [
        '"hours" is missing: say which of the client\'s hours (office, duty)'
    ]


def test_the_country_comes_from_the_zone() -> None:
    """By the tz database's own table; where it knows none, the default."""
    assert timezones.country_of("Europe/London", "FR") == "GB"
    assert timezones.country_of("Indian/Reunion", "FR") == "RE"
    assert timezones.country_of("UTC", "FR") == "FR"
