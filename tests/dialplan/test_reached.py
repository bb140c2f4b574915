"""Whom a course reaches, against a walk minute by minute over the same two weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core.dispatch import Course, Means, Reach, Step
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.shared_files import DAYS_AHEAD
from callrouter.dialplan.proof.delivery import LEAST_CHANNELS
from callrouter.dialplan.proof.reached import Directory, Timetable, pieces
from tests.dialplan.shared.test_rotas_as_written import ZONES, rota

MINUTE = timedelta(minutes=1)
PEOPLE = {
    "anna": Reach(name="anna", title="", number="+33612340021", email="anna@a.example"),
    "bob": Reach(name="bob", title="", number="+33612340022"),
    "carla": Reach(name="carla", title="", email="carla@a.example", url="https://a.example/carla"),
    "dora": Reach(name="dora", title="", number="+33612340022", email="anna@a.example"),
    "emil": Reach(name="emil", title=""),
}
"""Two of them share addresses, and one has none."""

_SOMEBODY = st.sampled_from(sorted(PEOPLE))
_TURN = _SOMEBODY | st.lists(_SOMEBODY, min_size=2, max_size=2, unique=True)
_CLOCK = st.sampled_from(["00:00", "01:45", "02:30", "08:00", "18:00", "23:59"])
_PARTS = st.tuples(_CLOCK, _CLOCK).filter(lambda one: one[0] != one[1])
_DAY = st.sampled_from(["sat", "sun", "mon", "wed"])
BEGINNINGS = (date(2026, 3, 23), date(2026, 10, 19), date(2026, 10, 29))
"""Two weeks in which the clocks change, here or there."""


@st.composite
def _rotas(draw: st.DrawFn, first: date) -> Rota:
    """Turns that may be missing, nights, days of exception and parts of one, within the two weeks or about them."""
    block: dict[str, Any] = {"change": f"{draw(_DAY)} {draw(_CLOCK)}", "starting": first.isoformat()}
    if draw(st.booleans()):
        block["cycle"] = draw(st.lists(_TURN, min_size=1, max_size=3))
    else:
        week = first.isocalendar()
        block["weeks"] = {
            f"{week.year}-W{week.week + step:02}": draw(_TURN) for step in draw(st.sets(st.integers(0, 3)))
        }
    if draw(st.booleans()) or not (block.get("cycle") or block["weeks"]):
        start, stop = draw(_PARTS)
        block["shifts"] = {"night": {"when": f"daily {start}-{stop}", "cycle": draw(st.lists(_TURN, min_size=1))}}
    if not block.get("weeks"):
        block.pop("weeks", None)
    day = (first + timedelta(days=draw(st.integers(0, DAYS_AHEAD)))).isoformat()
    if draw(st.booleans()):
        block["exceptions"] = {day: draw(_TURN)}
    elif draw(st.booleans()):
        start, stop = draw(_PARTS)
        block["exceptions"] = {f"{day} {start}..{stop}": draw(_TURN)}
    return rota(draw(st.sampled_from(ZONES)), **block)


_BY = st.lists(st.sampled_from(list(Means)), max_size=2, unique=True).map(tuple)
_WAIT = st.sampled_from([0.0, 60.0, 600.0, 5400.0, 43_200.0])
_STEPS = st.lists(
    st.builds(
        Step,
        to=st.lists(st.sampled_from(["one", "two", "anna", "bob", "carla"]), min_size=1, max_size=2).map(tuple),
        by=_BY,
        wait_seconds=_WAIT,
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Course, dict[str, Rota], datetime, str]:
    first = draw(st.sampled_from(BEGINNINGS))
    rotas = {"one": draw(_rotas(first)), "two": draw(_rotas(first))}
    last = draw(st.sampled_from(["", "anna", "carla"]))
    return Course(steps=tuple(draw(_STEPS))), rotas, datetime(first.year, first.month, first.day, tzinfo=UTC), last


class _Minutes:
    """Who is on call by some rotas at each minute, asked for one after the other."""

    def __init__(self, rotas: dict[str, Rota], last: str) -> None:
        self._rotas = rotas
        self._last = (last,) if last else ()
        self._known: dict[tuple[str, datetime], tuple[str, ...]] = {}

    def told(self, name: str, at: datetime) -> tuple[str, ...]:
        if name not in self._rotas:
            return (name,)
        if (name, at) not in self._known:
            self._known[name, at] = tuple(one.name for one in self._rotas[name].at(at)) or self._last
        return self._known[name, at]


def addresses(course: Course, minutes: _Minutes, at: datetime) -> set[str]:
    """Where somebody is told of a message that comes then, if nobody acknowledges: as the documents say it. A call and
    an SMS come to one telephone."""
    found: set[str] = set()
    for step in course.steps:
        people = [PEOPLE[one] for name in step.to for one in minutes.told(name, at)]
        now = {reach.address(means) for reach in people for means in step.by or reach.means} - {""}
        now = {one.removeprefix("sms:").removeprefix("tel:") for one in now}
        found |= now
        at += timedelta(seconds=step.wait_seconds) if now else timedelta()
    return found


@settings(max_examples=20, deadline=None)
@given(_cases())
def test_each_minute_of_two_weeks_is_what_a_walk_finds(case: tuple[Course, dict[str, Rota], datetime, str]) -> None:
    """In every zone and over each change of the clocks; so the first minute that is not proved is the first."""
    course, rotas, since, last = case
    minutes, directory = _Minutes(rotas, last), Directory(people=PEOPLE, on_call=PEOPLE, rotas=rotas)
    until = since + timedelta(days=DAYS_AHEAD)
    at, alone = since, list[datetime]()
    found = [*pieces(course, directory, since, until, last)]
    for piece in found:
        assert piece.begins == at < piece.ends
        while at < piece.ends:
            walked = addresses(course, minutes, at)
            assert {*piece.channels} == walked, at
            alone += [at] if len(walked) < LEAST_CHANNELS else []
            at += MINUTE
    proved = [piece.begins for piece in found if len(piece.channels) < LEAST_CHANNELS]
    assert (at, alone[:1]) == (until, proved[:1])


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(BEGINNINGS).flatmap(lambda first: st.tuples(st.just(first), _rotas(first))))
def test_gaps_are_the_minutes_without_anybody(case: tuple[date, Rota]) -> None:
    """Neither more nor fewer."""
    first, duty = case
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    until = since + timedelta(days=DAYS_AHEAD)
    gaps = [*Timetable(rota=duty, since=since, until=until).gaps()]
    within = {begun + step * MINUTE for begun, ended in gaps for step in range((ended - begun) // MINUTE)}

    every = (since + step * MINUTE for step in range((until - since) // MINUTE))
    assert {at for at in every if not duty.at(at)} == within


@pytest.mark.parametrize("zone", ZONES)
def test_a_turn_that_the_clocks_leave_out_begins_when_they_go_forward(zone: str) -> None:
    """Not at the minute that a wall clock would have shown."""
    duty = rota(zone, change="sun 02:30", cycle=["anna", "bob"])
    since = datetime(2026, 3, 20, tzinfo=UTC)
    table = Timetable(rota=duty, since=since, until=since + timedelta(days=220))
    changed = [one for one in table.instants if duty.at(one - MINUTE) != duty.at(one)]
    at, found = since, []
    while at < since + timedelta(days=220):
        if duty.at(at) != duty.at(at + 15 * MINUTE):
            found.append(at + 15 * MINUTE)
        at += 15 * MINUTE

    assert changed == found
