"""Days that come every year, holidays by name, their eves, and school holidays, wherever days can stand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.conditions import DateWithin
from callrouter.core.nodes import BranchNode
from callrouter.core.plan import Plan
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.questions.instants import instant_of, remarks_on
from callrouter.questions.occasions import moments
from callrouter.testing import TUESDAY_10
from tests.dialplan.random_trees import HEAD, compiled

FRANCE = Almanac(codes=("FR",), year=2026)
PARIS = ZoneInfo("Europe/Paris")


def days_of(written: str, year: int, almanac: Almanac = FRANCE) -> list[str]:
    """First and last day of each time that begins in a year."""
    return [
        f"{first:%m-%d}" if first == last else f"{first:%m-%d}..{last:%m-%d}"
        for first, last in almanac.spans(written)
        if first.year == year
    ]


@pytest.mark.parametrize(
    ("written", "year", "days"),
    [
        ("12-24", 2026, ["12-24"]),
        ("10-15..04-15", 2026, ["10-15..04-15"]),
        ("02-29", 2027, []),
        ("02-29", 2028, ["02-29"]),
        ("11-01..02-29", 2026, ["11-01..02-28"]),
        ("11-01..02-29", 2027, ["11-01..02-29"]),
        ("02-29..03-31", 2027, ["03-01..03-31"]),
        ("02-29..03-31", 2028, ["02-29..03-31"]),
        ("christmas", 2027, ["12-25"]),
        ("Noël", 2027, ["12-25"]),
        ("NOEL", 2027, ["12-25"]),
        ("Lundi de Pâques", 2027, ["03-29"]),
        ("easter monday", 2027, ["03-29"]),
        ("jour de l’an", 2027, ["01-01"]),
        ("eve of christmas", 2027, ["12-24"]),
        ("veille du Jour de l'an", 2027, ["12-31"]),
        ("the day before Ascension Day", 2027, ["05-05"]),
    ],
)
def test_days_of_a_text(written: str, year: int, days: list[str]) -> None:
    """In a common year and in a leap year."""
    assert days == days_of(written, year)


def test_each_country_has_its_own_holidays() -> None:
    """By the names they have in each of its languages."""
    assert days_of("karfreitag", 2027, Almanac(codes=("DE",), year=2026)) == ["03-26"]
    assert days_of("good friday", 2027, Almanac(codes=("FR-57",), year=2026)) == ["03-26"]
    assert days_of("boxing day", 2027, Almanac(codes=("FR", "GB-ENG"), year=2026)) == ["12-26"]
    with pytest.raises(ValueError, match=r"neither a day such as .* of FR: these are Jour de l'an, Lundi de Pâques"):
        FRANCE.spans("good friday")


def test_school_holidays() -> None:
    """Each zone's winter holidays of 2027 and 2028, as published; and each eve of a holiday."""
    winter = {zone: [one for one in days_of(f"school holidays {zone}", 2027) if one < "03-01"] for zone in "ABC"}

    assert winter == {"A": ["02-13..02-28"], "B": ["02-20..03-07"], "C": ["02-06..02-21"]}
    assert "02-05..02-20" in days_of("vacances scolaires (zone B)", 2028)
    assert len(days_of("eve of public holidays", 2027)) == len(days_of("public holidays", 2027)) == 11
    with pytest.raises(ValueError, match='write "school holidays A", B or C'):
        FRANCE.spans("school holidays")


def branch(*when: dict[str, str], **head: Any) -> tuple[Plan | None, list[str]]:
    """A tree that branches, and what is found of it."""
    nodes = {
        "first": {"branch": {"when": list(when), "otherwise": "bye"}},
        "told": {"play": {"prompt": "Fermé.", "next": "bye"}},
        "bye": {"hangup": {}},
    }
    found = compiled({**HEAD, "fallback": {"node": "bye"}, "start": "first", "nodes": nodes, **head})
    return found.plan, [str(one) for one in found.issues]


@pytest.mark.parametrize(
    ("condition", "days", "others"),
    [
        ({"dates": "christmas"}, [date(2026, 12, 25), date(2029, 12, 25)], [date(2026, 12, 24)]),
        ({"dates": "eve of christmas"}, [date(2026, 12, 24)], [date(2026, 12, 25)]),
        ({"from": "10-15", "to": "04-15"}, [date(2026, 1, 1), date(2027, 4, 15)], [date(2026, 4, 16)]),
        ({"dates": "school holidays C"}, [date(2026, 2, 21)], [date(2026, 2, 20)]),
    ],
)
def test_a_branch_on_days_of_every_year(condition: dict[str, str], days: list[date], others: list[date]) -> None:
    """From midnight to midnight of the client's zone."""
    plan, issues = branch({**condition, "then": "told"})
    assert issues == []
    assert plan is not None
    node = plan.nodes["first"]
    assert isinstance(node, BranchNode)
    (asked,) = node.when
    assert isinstance(asked, DateWithin)

    for day, holds in (*((day, True) for day in days), *((day, False) for day in others)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=PARIS)
        for at in (midnight, midnight + timedelta(hours=23, minutes=59)):
            assert asked.holds_on(at.astimezone(UTC).astimezone(PARIS).date()) is holds
    assert len(moments(plan, TUESDAY_10)) == 2


def test_what_is_wrong_with_the_days_of_a_branch() -> None:
    """The sentence says where and how."""
    _, unknown = branch({"dates": "chrismas", "then": "told"})
    _, half = branch({"from": "2026-12-24", "to": "01-02", "then": "told"})
    _, hidden = branch({"from": "12-20", "to": "01-05", "then": "told"}, {"dates": "christmas", "then": "bye"})

    meant = ' (did you mean "christmas day"?)'
    assert [one.partition("node ")[2] for one in (*unknown, *half, *hidden)] == [
        f'"first": "chrismas" is neither a day such as 2026-12-24 or 12-24 nor a public holiday of FR{meant}',
        '"first": when.1: "2026-12-24..01-02" has one day with its year and one without: write both, or neither',
        '"first": condition 2 never decides: all its days are answered for by condition 1',
    ]


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("christmas 10:00", "2026-12-25T10:00"),
        ("12-24 17:30", "2026-12-24T17:30"),
        ("eve of public holidays 10:00", "2026-04-05T10:00"),
    ],
)
def test_a_call_on_the_next_of_some_days(written: str, at: str) -> None:
    """For expected routes, which would else be over some day."""
    plan, _ = branch({"dates": "christmas", "then": "told"})
    assert plan is not None

    assert instant_of(written, plan, TUESDAY_10) == datetime.fromisoformat(at).replace(tzinfo=PARIS)


def test_the_holidays_are_those_that_the_clients_hours_keep() -> None:
    """In France, Good Friday is one of Alsace and the Moselle only."""
    hours = {"open": {"daily": "08:00-12:00"}, "holidays": ["FR", "FR-57"]}
    plan, _ = branch({"dates": "christmas", "then": "told"}, hours=hours)
    assert plan is not None

    assert instant_of("good friday 10:00", plan, TUESDAY_10) == datetime(2026, 4, 3, 10, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("written", "local"),
    [("2026-03-29T02:30", "03:00:00+02:00"), ("sun 02:30", "03:00:00+02:00"), ("2026-10-25T02:30", "02:30:00+02:00")],
)
def test_a_time_that_clocks_leave_out_is_the_change(written: str, local: str) -> None:
    """As in periods; one that they show twice is the first."""
    plan, _ = branch({"dates": "christmas", "then": "told"})
    assert plan is not None

    found = instant_of(written, plan, datetime(2026, 3, 23, 9, tzinfo=UTC))
    assert found.astimezone(PARIS).isoformat().partition("T")[2] == local


def test_a_year_of_which_nothing_is_known_is_said() -> None:
    """What comes every year is reckoned for some years only."""
    plan, _ = branch({"dates": "christmas", "then": "told"}, hours={"open": {"daily": "08:00-12:00"}})
    assert plan is not None
    at = datetime(2040, 12, 25, 9, tzinfo=UTC)

    assert list(remarks_on("2040-12-25T10:00", at, plan)) == [
        "days of every year are known for 2025 to 2031 only: 2040 is taken to have none"
    ]
    assert list(remarks_on("2027-12-25T10:00", at.replace(year=2027), plan)) == []
