"""Who may call, when, and every outcome of the demonstration clients."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from callrouter.core.call import Presentation
from callrouter.core.conditions import Bounds, Measure, QueueStands, ShareOfCalls
from callrouter.core.nodes import BranchNode, CallerNode, HangupNode
from callrouter.core.numbers import CallerList
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.questions.occasions import calendar, caller_kinds, moments
from callrouter.questions.outcomes import call_ids, outcomes, told
from callrouter.testing import plan_of

DIALPLANS = Path(__file__).parents[2] / "dialplans"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The demonstration clients, without audio."""
    return load_directory(DIALPLANS, PaperSpeech(), now=NOW)


def test_every_outcome_of_the_surgery(catalogue: Catalogue) -> None:
    """Each once, in the order of the document."""
    found = outcomes(catalogue.plans["cabinet-moreau"], NOW)

    assert found.complete
    assert [one.ending.outcome for one in found.found] == [
        "dial:doctor",
        "dial:on_call",
        "queue:medical",
        "queue:medical",
        "message:take_message",
        "message:urgent_message",
        "message:night",
        "reject",
        "abandoned",
        "self_served",
    ]
    assert [one.ending.node for one in found.found][:4] == ["urgent", "urgent", "secretaries", "priority"]


def test_the_same_every_time(catalogue: Catalogue) -> None:
    """The same plan on the same day gives the same lines, each with its place in the file."""
    plan = catalogue.plans["cabinet-moreau"]
    lines = list(told(plan, outcomes(plan, NOW)))

    assert lines == list(told(plan, outcomes(plan, NOW)))
    assert lines[0] == (
        "Cabinet du docteur Moreau (cabinet-moreau.yaml): 10 outcomes, over 3 kinds of callers, 3 kinds of times"
    )
    place = plan.where("secretaries")
    assert f"answered      queue:medical, {place}" in lines
    assert "              any other caller, Tue 2026-11-24 10:15: presses 2, queue medical answers" in lines


def test_kinds_of_callers(catalogue: Catalogue) -> None:
    """One for each list, one in none of them, and one without a number where that matters."""
    lenoir = caller_kinds(catalogue.plans["etude-lenoir"])
    brighton = caller_kinds(catalogue.plans["brighton-books"])

    assert [kind.words for kind in lenoir] == [
        "any other caller",
        "list vip (+33612340011)",
        "a caller without a number",
    ]
    assert lenoir[2].caller.presentation is Presentation.WITHHELD
    assert [kind.words for kind in brighton] == ["any caller"]
    assert (brighton[0].caller.number or "").startswith("+447")


def test_kinds_of_times(catalogue: Catalogue) -> None:
    """Open, closed and a holiday; opening hours first."""
    found = [moment.words for moment in moments(catalogue.plans["cabinet-moreau"], NOW)]

    assert found == ["Tue 2026-11-24 10:15", "Tue 2026-11-24 04:00", "Fri 2026-12-25 12:00, Noël"]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 25), date(2028, 2, 29)])
def test_a_day_has_no_gap(catalogue: Catalogue, day: date) -> None:
    """On the days the clocks change, holidays and the leap day too."""
    for plan in catalogue.plans.values():
        stretches = list(calendar(plan).stretches(day))

        assert [one.start for one in stretches] == [0, *(one.stop for one in stretches[:-1])]
        assert stretches[-1].stop == 24 * 60


def test_a_share_of_the_calls_is_drawn_both_ways() -> None:
    """Both branches are among the outcomes."""
    plan = plan_of(
        BranchNode(name="survey", when=(ShareOfCalls(percent=10.0),), exits={"when:0": "asked", "otherwise": "bye"}),
        HangupNode(name="asked"),
        HangupNode(name="bye"),
    )

    assert len(call_ids(plan)) == 2
    assert [one.ending.node for one in outcomes(plan, NOW).found] == ["asked", "bye"]


def test_callers_between_beginnings_and_longer_ones() -> None:
    """Those whom `+44*` holds and no `+4499*`, too; lists are asked in the order written."""
    lists = (
        CallerList(name="tests", prefixes=("+4499", "+441")),
        CallerList(name="foreign", prefixes=("+44",)),
    )
    exits = {"list:tests": "tests", "list:foreign": "foreign", "otherwise": "bye"}
    nodes = (HangupNode(name=name) for name in ("tests", "foreign", "bye"))
    kinds = caller_kinds(plan_of(CallerNode(name="who", lists=lists, exits=exits), *nodes))

    assert [sorted(kind.lists[0]) for kind in kinds] == [[], ["foreign", "tests"], ["foreign"]]


@pytest.mark.parametrize("waiting", [(3, 6), (0, 0), (40, None)])
def test_a_queue_stands_within_every_bound(waiting: tuple[int, int | None]) -> None:
    """Three to six callers waiting lie between the extremes."""
    bounds = Bounds(at_least=waiting[0], at_most=waiting[1])
    when = (
        QueueStands(queue="sales", measure=Measure.AGENTS, bounds=Bounds(below=1)),
        QueueStands(queue="sales", measure=Measure.WAITING, bounds=bounds),
        QueueStands(queue="sales", measure=Measure.EXPECTED_WAIT, bounds=Bounds(above=600.0)),
    )
    exits = {"when:0": "nobody", "when:1": "some", "when:2": "long", "otherwise": "bye"}
    nodes = (HangupNode(name=name) for name in ("nobody", "some", "long", "bye"))
    plan = plan_of(BranchNode(name="branch", when=when, exits=exits), *nodes)

    assert {one.ending.node for one in outcomes(plan, NOW).found} == {"nobody", "some", "long", "bye"}
