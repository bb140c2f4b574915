"""Who is sent a report of each month, in a client's file: what it becomes, how it is shown, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.core.dispatch.monthly import MonthlyReport
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.show.text import tree
from callrouter.questions.diff.settings import unheard
from callrouter.testing import TUESDAY_10
from tests.dialplan.reference.test_schema import complaints

CLIENT = """client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
contacts:
  anne: {{ name: Anne, email: anne@acme.example }}
  john: {{ name: John, email: john@acme.example, language: en }}
  phone: {{ name: Poste, number: "01 99 00 00 91" }}
fallback: {{ node: bye }}
{block}start: bye
nodes:
  bye: {{ hangup: {{}} }}
"""


def load(folder: Path, block: str) -> tuple[Plan | None, list[str]]:
    folder.mkdir(exist_ok=True)
    (folder / "acme.yaml").write_text(CLIENT.format(block=block))
    catalogue = load_directory(folder, PaperSpeech(), now=TUESDAY_10)
    return catalogue.plans.get("acme"), [str(issue) for issue in catalogue.issues]


def plan_of(folder: Path, block: str) -> Plan:
    plan, issues = load(folder, block)
    assert plan is not None, issues
    assert complaints("client", CLIENT.format(block=block)) == []
    return plan


def test_a_plan_holds_them(tmp_path: Path) -> None:
    """In the language of the contact, else the client's, unless it is said."""
    block = 'reports:\n- { to: anne, monthly: pdf }\n- { to: john, at: "09:30" }\n'
    assert plan_of(tmp_path, block).reports == (
        MonthlyReport(to="anne", minute=7 * 60, language="fr", line=11),
        MonthlyReport(to="john", minute=9 * 60 + 30, language="en", line=12),
    )
    (one,) = plan_of(tmp_path, "reports: { to: anne, language: en }\n").reports
    assert one.language == "en"
    assert plan_of(tmp_path, "").reports == ()


def test_they_are_shown_and_told_apart(tmp_path: Path) -> None:
    with_one, without = plan_of(tmp_path / "a", "reports: { to: anne }\n"), plan_of(tmp_path / "b", "")
    sentence = "Anne is sent it as PDF by mail on the first, from 07:00 on, in French"

    assert f"  report of each month: {sentence}" in tree(with_one).splitlines()
    assert list(unheard(without, with_one)) == [f"Of each month's report, {sentence}."]
    assert list(unheard(with_one, without)) == ["anne is no longer sent a report of each month."]


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ("reports: { to: ann }\n", 'there is no contact "ann" (did you mean "anne"?)'),
        ("reports: { to: phone }\n", '"phone" has no email, and a report is sent by mail'),
        ("reports: [{ to: anne }, { to: anne }]\n", '"anne" is sent a report already'),
        ("reports: { to: anne, monthly: doc }\n", '"doc"'),
        ("reports: { to: anne, language: de }\n", '"de" is neither fr nor en'),
        ('reports: { to: anne, at: "25:00" }\n', "is no time of day"),
        ("reports: { monthly: pdf }\n", "name the contact who is sent it"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, block: str, wrong: str) -> None:
    plan, issues = load(tmp_path, block)

    assert plan is None
    assert wrong in "\n".join(issues)
