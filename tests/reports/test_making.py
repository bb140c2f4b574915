"""What a report says: rows in order, totals where there may be one, comparisons, targets."""

from __future__ import annotations

from datetime import date

import pytest

from callrouter.reports.columns import BESIDE, OF_AGENTS, OF_ENDS, OF_JOURNEYS, OF_VISITS
from callrouter.reports.lines import Line, only_beside, together
from callrouter.reports.making import Order, Subject, check_order
from callrouter.reports.model import By, Report, Row, Sort
from callrouter.reports.notes import made_with, notes, title
from callrouter.reports.words import TERMS, Language
from callrouter.store.figures.model import PromiseStats

from .made import GAP, STRICT, USUAL, by_day, figures, line, of_everybody, report

USUALLY = " Short abandon: a wait of less than 5 s. Waiting is measured from entering the queue. Target:"


def told(found: Report, row: Row | None, *names: str) -> list[object]:
    assert row is not None
    return [found.cell(row, name) for name in names]


def test_counts_add_up_and_means_are_weighed() -> None:
    """The total of an answered call and of a hundred; percentiles are no sums of the parts'."""
    found = report(By.CLIENT, {Subject("a"): line(100, abandoned=10, short=4), Subject("b"): line(1, abandoned=1)})

    assert told(found, found.total, "received", "offered", "answered", "abandoned") == [112, 112, 101, 11]
    assert told(found, found.total, "pickup_rate") == [101 / 108]
    assert told(found, found.total, "asa_seconds", "waiting_max_seconds") == [12.0, 145.0]
    assert told(found, found.total, "waiting_p50_seconds", "waiting_p95_seconds") == [None, None]


def test_a_total_over_one_formula() -> None:
    found = report(By.CLIENT, {Subject("a"): line(90, within=80), Subject("b"): line(10, within=1)})

    assert told(found, found.total, "service_level", "target") == [0.81, 0.8]
    assert found.total is not None
    assert (found.total.reached, found.total.basis) == (True, 1)


def test_no_total_over_different_formulas() -> None:
    found = report(By.CLIENT, {Subject("a"): line(90), Subject("b"): line(10, STRICT)})

    assert told(found, found.total, "service_level", "target") == [None, None]
    assert found.total is not None
    assert (found.total.reached, found.total.basis) == (None, None)
    assert [row.basis for row in found.rows] == [1, 2]
    assert [basis.target.within_seconds for basis in found.bases] == [20, 30]


def test_a_target_is_reached_missed_or_neither() -> None:
    lines = {
        "reached": line(100, within=80),
        "missed": line(100, within=79),
        "without calls": line(0),
        "without a promise": line(10, None),
    }
    found = report(By.CLIENT, {Subject(name): one for name, one in lines.items()})

    assert {row.key: row.reached for row in found.rows} == {
        "reached": True,
        "missed": False,
        "without calls": None,
        "without a promise": None,
    }


def test_two_promises_are_shown_both() -> None:
    parts = [PromiseStats(promise=USUAL, figures=figures(100)), PromiseStats(promise=STRICT, figures=figures(50))]
    both = Line(figures=figures(150), promises=parts)
    found = report(By.CLIENT, {Subject("a"): both})

    (row,) = found.rows
    assert told(found, row, "answered", "service_level") == [150, None]
    assert [told(found, part, "answered", "service_level", "target") for part in row.parts] == [
        [100, 1.0, 0.8],
        [50, 1.0, 0.9],
    ]
    assert [part.basis for part in row.parts] == [1, 2]


def test_the_largest_first_and_nothing_last() -> None:
    lines = {Subject("b"): line(2), Subject("none"): line(0), Subject("a"): line(2), Subject("c"): line(5, within=1)}

    def order(sort: str) -> list[object]:
        return [row.key for row in report(By.CLIENT, lines, order=Order(sort=Sort.parse(sort))).rows]

    assert order("answered") == ["c", "b", "a", "none"]
    assert order("answered:asc") == ["none", "b", "a", "c"]
    assert order("service_level") == ["b", "a", "c", "none"]
    assert order("service_level:asc") == ["c", "b", "a", "none"]
    assert order("key") == ["b", "none", "a", "c"]
    assert order("key:desc") == ["c", "a", "none", "b"]


def test_what_is_cut_off_stands_together() -> None:
    lines = {Subject(name): line(answered) for name, answered in (("a", 1), ("b", 7), ("c", 3))}
    found = report(By.CLIENT, lines, order=Order(top=1))

    assert [row.key for row in found.rows] == ["b"]
    assert found.others is not None
    assert (found.others.folded, told(found, found.others, "answered")) == (2, [4])
    assert told(found, found.total, "answered") == [11]


def test_days_are_compared_by_their_place_in_the_period() -> None:
    """The first with the first; the 31st with nothing: September has none."""
    found = by_day()

    assert [row.before is not None for row in found.rows] == [True] * 31
    place = found.place("answered")
    assert place is not None
    befores = [row.before[place] for row in found.rows if row.before is not None]
    assert befores == [50] * 30 + [0]


def test_months_are_compared_by_their_place() -> None:
    found = report(By.MONTH, {Subject(date(2026, 10, 1)): line(2)}, {Subject(date(2026, 9, 1)): line(1)})

    (row,) = found.rows
    assert row.before is not None
    assert row.before[0] == 1


def test_what_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="there is no column 'offred': sort by key, received, offered"):
        check_order(By.CLIENT, Order(sort=Sort("offred")))
    with pytest.raises(ValueError, match="sort by key, received, answered, redirected"):
        check_order(By.NODE, Order(sort=Sort("offered")))
    with pytest.raises(ValueError, match="1 or more"):
        check_order(By.CLIENT, Order(top=0))
    with pytest.raises(ValueError, match="is no order"):
        Sort.parse("offered:up")


def test_several_lines_stand_for_all_who_were_called_back() -> None:
    assert together([line(1, called_back=2), line(1, called_back=3)]).figures.called_back == 5


def test_every_figure_has_words_in_both_languages() -> None:
    for language in Language:
        assert {column.name for column in (*OF_JOURNEYS, *OF_ENDS, *BESIDE, *OF_AGENTS, *OF_VISITS)} <= TERMS[
            language
        ].keys()
        assert TERMS[language].keys() == TERMS[Language.ENGLISH].keys()


def test_what_the_figures_were_made_with_is_said() -> None:
    found = of_everybody(10)

    assert title(found, Language.FRENCH) == "Appels par client · Tous les clients · octobre 2026 (Europe/Paris)"
    assert title(by_day(), Language.ENGLISH) == "Calls by day · Cabinet du Dr Moreau · October 2026 (Europe/Paris)"
    assert made_with(found, Language.ENGLISH) == [
        "promise 1: Service level = answered in time ÷ offered (strict). In time: within 30 s." + USUALLY + " 90.0%.",
        "promise 2: Service level = answered in time ÷ (offered − short abandons) (short_abandon_excluded). "
        "In time: within 20 s." + USUALLY + " 80.0%.",
    ]


def test_gaps_and_comparisons_are_said() -> None:
    assert notes(by_day(), Language.FRENCH)[1:] == [
        "Comparé à : la période précédente, septembre 2026.",
        f"Des appels peuvent manquer : du 14/10/2026 14:03 CEST au 14/10/2026 14:09 CEST. pbx-1: {GAP.reason}",
    ]


def test_agents_add_up() -> None:
    """Sums do, and what is made of sums; of who logs in nowhere nothing is in the occupancy."""
    agents = {
        "anne": {"conversations": 10, "handle_seconds": 900.0, "busy_seconds": 900.0, "available_seconds": 600.0},
        "nowhere": {"conversations": 2, "handle_seconds": 100.0, "busy_seconds": 0.0, "available_seconds": 0.0},
    }
    found = report(By.AGENT, {Subject(name): only_beside(told) for name, told in agents.items()}, clients=None)

    assert [told(found, row, "aht_seconds", "occupancy") for row in found.rows] == [[90.0, 0.6], [50.0, None]]
    assert told(found, found.total, "conversations", "aht_seconds", "occupancy") == [12, 1000 / 12, 0.6]


def test_percentiles_of_several_are_not_told() -> None:
    lines = {"a": {"messages": 3.0, "accepted_p50_seconds": 5.0}, "b": {"messages": 1.0, "accepted_p50_seconds": 9.0}}
    found = report(By.CLIENT, {Subject(name): only_beside(told) for name, told in lines.items()})

    assert told(found, found.rows[0], "messages", "accepted_p50_seconds") == [3, 5]
    assert told(found, found.total, "messages", "accepted_p50_seconds") == [4, None]
