"""Rotas against a second reading of the same texts, over both changes of the clocks; and one that is written out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core.rota import Rota
from callrouter.core.schedule import DAYS
from callrouter.dialplan.documents.calendar import RotaBlock
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.shared.calendars import rotas

A_DAY = timedelta(days=1)
STARTING = date(2026, 3, 2)
ZONES = ("Europe/Paris", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut", "UTC")


def rota(zone: str = "Europe/Paris", **block: Any) -> Rota:
    """A rota of a block as the document would hold it."""
    written = RotaBlock.model_validate({"timezone": zone, "starting": STARTING.isoformat(), **block})
    found, wrong = rotas({"doctors": written}, Document(file="calendars.yaml"), {}, unsure=True, year=2026)
    assert wrong == []
    return found["doctors"]


def on_call(of: Rota, when: str, fold: int = 0) -> str:
    """At a wall clock of the rota's zone."""
    at = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(of.timezone), fold=fold)
    return " + ".join(one.name for one in of.at(at.astimezone(UTC)))


def test_days_nights_and_week_ends() -> None:
    """Each has turns of its own; a night and a week-end stay with whoever had the turn when they began."""
    doctors = rota(
        change="mon 00:00",
        shifts={
            "day": {"when": "mon-fri 08:00-18:00", "cycle": ["anna", "bob"]},
            "night": {"when": "mon-thu 18:00-08:00", "cycle": [["carla", "dora"], "emil"]},
            "weekend": {"when": "fri 18:00..mon 08:00", "weeks": {"2026-W10": "finn", "2026-W11": ["gina", "hugo"]}},
        },
        exceptions={
            "2026-03-04 12:00..14:00": "emil",
            "2026-03-07 20:00..08:00": ["anna", "bob"],
            "2026-03-10": "hugo",
        },
    )

    assert [
        on_call(doctors, f"2026-03-{when}")
        for when in ("02T07:59", "02T08:00", "02T18:00", "03T07:59", "03T08:00", "04T11:59", "04T12:00", "04T14:00")
    ] == ["", "anna", "carla + dora", "carla + dora", "anna", "anna", "emil", "anna"]
    assert [
        on_call(doctors, f"2026-03-{when}")
        for when in ("06T17:59", "06T18:00", "07T20:00", "08T07:59", "08T08:00", "09T07:59", "09T08:00", "09T18:00")
    ] == ["anna", "finn", "anna + bob", "anna + bob", "finn", "finn", "bob", "emil"]
    # The exception's day begins at the change, here midnight, and takes the end of the night before.
    assert [on_call(doctors, f"2026-03-{when}") for when in ("09T23:59", "10T00:00", "10T23:59", "11T00:00")] == [
        "emil",
        "hugo",
        "hugo",
        "emil",
    ]


def test_a_day_of_exception_begins_at_the_change() -> None:
    """And the part of a day is what the clock says."""
    doctors = rota(
        change="mon 08:00", cycle=["anna", "bob"], exceptions={"2026-03-04": "carla", "03-06 00:00..24:00": "dora"}
    )

    assert [on_call(doctors, f"2026-03-{when}") for when in ("04T07:59", "04T08:00", "05T07:59", "05T08:00")] == [
        "anna",
        "carla",
        "carla",
        "anna",
    ]
    assert [on_call(doctors, f"2027-03-{when}") for when in ("05T23:59", "06T00:00", "06T23:59", "07T00:00")] == [
        "anna",
        "dora",
        "dora",
        "anna",
    ]


@pytest.mark.parametrize("clock", ["02:00", "02:30", "02:59"])
def test_the_hour_that_comes_twice(clock: str) -> None:
    """One handover: who has begun is not sent home when it is two o'clock again."""
    doctors = rota(change=f"sun {clock}", cycle=["anna", "bob"])
    day = "2026-10-25"
    before, after = ("anna", "bob") if on_call(doctors, f"{day}T04:00") == "bob" else ("bob", "anna")

    assert on_call(doctors, f"{day}T01:59") == before
    assert on_call(doctors, f"{day}T{clock}") == after
    assert on_call(doctors, f"{day}T02:00", fold=1) == after
    assert on_call(doctors, f"{day}T03:00") == after


clocks = st.sampled_from(["00:00", "00:30", "01:45", "02:00", "02:30", "08:00", "18:00", "23:30"])
days = st.sampled_from(["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25", "2026-04-05", "2026-11-01", "03-28"])
parts = st.tuples(days, clocks, clocks).filter(lambda one: one[1] != one[2])


def minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def naive(clock: datetime, block: dict[str, Any]) -> str:
    """Who is on call when a clock that never goes back shows this."""
    for text, who in block["exceptions"].items():
        day, space, hours = text.partition(" ")
        if space and clock.date() - date.fromisoformat(f"2026-{day}" if len(day) == 5 else day) in (A_DAY, 0 * A_DAY):
            start, _, stop = hours.partition("..")
            later = minutes(stop) <= minutes(start)
            minute = clock.hour * 60 + clock.minute
            midnight = clock.date().isoformat()[-len(day) :] == day
            if (midnight and minute >= minutes(start) and (later or minute < minutes(stop))) or (
                not midnight and later and minute < minutes(stop)
            ):
                return str(who)
    weekday, _, change = block["change"].partition(" ")

    def turn_day(at: datetime) -> date:
        return at.date() if at.hour * 60 + at.minute >= minutes(change) else at.date() - A_DAY

    for text, who in block["exceptions"].items():
        if " " not in text and turn_day(clock).isoformat()[-len(text) :] == text:
            return str(who)
    begun, people = clock, ["anna", "bob"]
    for back in range(2):
        day = clock.date() - back * A_DAY
        start, _, stop = block["night"].partition("-")
        first = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes(start))
        length = (minutes(stop) - minutes(start)) % 1440
        if first <= clock < first + timedelta(minutes=length):
            begun, people = first, ["carla", "dora", "emil"]
    steps = (turn_day(begun) - STARTING).days
    while (STARTING + timedelta(days=steps)).weekday() != DAYS.index(weekday):
        steps -= 1
    offset = (STARTING.weekday() - DAYS.index(weekday)) % 7
    return people[(steps + offset) // 7 % len(people)]


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.sampled_from(DAYS), clocks).map(" ".join),
    st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]).map("-".join),
    st.one_of(st.just({}), days.map(lambda day: {day: "finn"})),
    st.one_of(st.just({}), parts.map(lambda one: {f"{one[0]} {one[1]}..{one[2]}": "gina"})),
    st.sampled_from(ZONES),
)
def test_rotas_are_what_they_say(change: str, night: str, day: dict[str, str], part: dict[str, str], zone: str) -> None:
    """A clock that was put back shows nothing new until it has caught up: everybody hands over once."""
    block = {"change": change, "night": night, "exceptions": {**day, **part}}
    doctors = rota(
        zone,
        change=change,
        cycle=["anna", "bob"],
        shifts={"night": {"when": f"daily {night}", "cycle": ["carla", "dora", "emil"]}},
        exceptions=block["exceptions"],
    )
    here = ZoneInfo(zone)
    for first in (date(2026, 3, 27), date(2026, 4, 4), date(2026, 10, 3), date(2026, 10, 23), date(2026, 10, 31)):
        instant = datetime(first.year, first.month, first.day, tzinfo=here).astimezone(UTC)
        shown = datetime(1, 1, 1)  # noqa: DTZ001
        for _ in range(4 * 96):
            shown = max(shown, instant.astimezone(here).replace(tzinfo=None, fold=0))
            (person,) = doctors.at(instant)
            assert person.name == naive(shown, block), (instant.astimezone(here), shown)
            instant += timedelta(minutes=15)
