"""The table of faults, beside what is said of it and what the tests play."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.chaos import test_engine, test_line, test_two
from tests.chaos.faults import ALL, Kind, broken
from tests.chaos.test_verdict import RIGHT, RIGHT_ROW, notes
from tests.chaos.verdict import Verdict, judge

CHECKOUT = Path(__file__).resolve().parents[2]


def test_each_fault_has_a_short_round_in_the_tests() -> None:
    assert set(ALL) == {*test_engine.NAMES, *test_line.NAMES, *test_two.NAMES}


def test_each_fault_stands_in_the_document() -> None:
    text = (CHECKOUT / "docs" / "chaos.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == set(ALL) | {"soak", "together"}


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_what_is_promised_is_a_figure_of_the_verdict(kind: Kind) -> None:
    assert set(kind.promised) <= {one.name for one in fields(Verdict)}
    assert kind.not_yet <= set(kind.promised)


def test_what_was_not_kept_is_told_by_name() -> None:
    kind = ALL["engine-killed"]

    assert broken(kind, judge(notes(RIGHT), [RIGHT_ROW])) == set()
    assert broken(kind, judge(notes(RIGHT), [])) == {"missing"}


def test_a_figure_that_never_came_is_not_kept() -> None:
    unanswered = notes(RIGHT)
    unanswered.faults[0].in_control_at = 0.0

    assert broken(ALL["overload"], judge(unanswered, [RIGHT_ROW])) == {"service_seconds"}
