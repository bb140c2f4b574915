"""For how long what is kept, in a client's file: what it becomes, how it is shown, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.retention.rule import Kind, Retention, why_refused
from callrouter.dialplan.show.text import tree
from callrouter.questions.diff.settings import unheard
from tests.dialplan.test_reports import load, plan_of


def test_a_plan_holds_it(tmp_path: Path) -> None:
    """A month is 31 days; what is left out is the operator's."""
    plan = plan_of(tmp_path, "retention: { calls: 24 months, recordings: 30, messages: 90 days }\n")
    assert plan.retention == Retention(calls=744, recordings=30, messages=90)
    assert "kept for: calls 744 days, recordings 30 days, messages 90 days" in tree(plan)
    without = plan_of(tmp_path / "without", "")
    assert without.retention == Retention()
    assert "Calls are now kept for 744 days instead of as the operator has set it." in list(unheard(without, plan))


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("{ calls: 0 }", "0 would delete all calls at once: leave calls out to keep them, or write 62 or more"),
        ("{ calls: 36 days }", "calls are kept for 62 days at least: a month that is open"),
        ("{ messages: 1 }", "messages are kept for 7 days at least"),
        ("{ calls: 9999 }", "calls are kept for 3650 days at most"),
        ("{ calls: soon }", 'write "400 days" or "13 months"'),
        ("{ calls: 62, traces: 90 }", "traces go with their calls"),
        ("{ }", "says nothing"),
        ("{ recordings: 200 }", "in France the CNIL has them kept for six months at most"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, written: str, wrong: str) -> None:
    _, issues = load(tmp_path, f"retention: {written}\n")
    assert any(wrong in issue for issue in issues), issues


@given(st.sampled_from(Kind), st.integers(-5, 5000))
def test_no_number_that_destroys_is_taken(kind: Kind, days: int) -> None:
    assert bool(why_refused(kind, days)) is not (days >= 1 and not why_refused(kind, max(days, 1)))
