"""Policies of delivery, in whole sentences."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from callrouter.core.call import replace
from callrouter.core.dispatch import Course, Means, Policy, Step
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.show.delivery import course_in_words, described, span
from callrouter.dialplan.show.text import tree
from callrouter.testing import TUESDAY_10
from tests.dialplan.test_delivery import load

DELIVERY = """  doctors:
    urgent:
      - { to: duty, by: [sms, email], wait: 10m }
      - { to: [anna, bob], by: email, wait: 15m }
    repeat: 2
    ordinary: { to: box, at: ["12:00", "18:00"] }
    ages: 4h
    confidential: true"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """With a rota, and contacts that have titles."""
    return load(tmp_path, DELIVERY).plans["first"]


def test_a_policy_stands_below_the_tree_and_the_forms(plan: Plan) -> None:
    assert tree(plan).splitlines()[-4:] == [
        "  delivery doctors, for node first:",
        (
            "    Urgent: at once whoever is on call by duty, by SMS and e-mail; after 10 minutes without an"
            " acknowledgement Docteur Anna and Docteur Bob, by e-mail; after 15 minutes more all of it again, twice;"
            " then it stands on the agents' list."
        ),
        "    Ordinary: at 12:00 or 18:00 Boîte, by e-mail; after 4 hours without an acknowledgement it is urgent.",
        (
            "    Confidential: what leaves the house holds a link, and nothing of the message; a PIN opens it for"
            " Boîte, and a code, which is sent by another way, for others."
        ),
    ]


def test_the_demonstration_is_said_in_whole_sentences() -> None:
    """For a form or a node each."""
    demonstration = Path(__file__).parents[3] / "dialplans"
    moreau = load_directory(demonstration, PaperSpeech(), now=TUESDAY_10).plans["cabinet-moreau"]
    said = tree(moreau)

    assert (
        "  delivery doctors, for forms correspondent and patient:\n    Urgent: at once Médecin de garde, by SMS" in said
    )
    assert "  delivery emergencies, for node urgent_message:\n    Every message: at once Médecin de garde and" in said


@pytest.mark.parametrize(
    ("steps", "repeat", "words"),
    [
        ((), 0, "nobody is told, and it stands on the agents' list"),
        ((Step(to=("box",), by=()),), 0, "at once Boîte, by e-mail"),
        ((Step(to=("duty",), by=()),), 0, "at once whoever is on call by duty, by e-mail"),
        (
            (Step(to=("box",), by=(Means.EMAIL,), wait_seconds=3600),),
            0,
            "at once Boîte, by e-mail; after 1 hour more it stands on the agents' list",
        ),
        (
            (Step(to=("box",), by=(), hours="open"), Step(to=("anna", "bob", "box"), by=(Means.EMAIL,))),
            0,
            (
                "in hours open, or when they begin, Boîte, by e-mail; where nobody of these could be told Docteur Anna,"
                " Docteur Bob and Boîte, by e-mail"
            ),
        ),
        (
            (Step(to=("box",), by=(), wait_seconds=60), Step(to=("anna",), by=(), at=(time(8),), wait_seconds=61)),
            3,
            (
                "at once Boîte, by e-mail; after 1 minute without an acknowledgement at 08:00 Docteur Anna, by e-mail;"
                " after 1 minute 1 second more all of it again, 3 times; then it stands on the agents' list"
            ),
        ),
    ],
)
def test_a_course_in_words(plan: Plan, steps: tuple[Step, ...], repeat: int, words: str) -> None:
    assert course_in_words(plan, Course(steps=steps, repeat=repeat)) == words


def test_one_course_for_all_is_said_once(plan: Plan) -> None:
    """And what nothing names is said to be so."""
    course = Course(steps=(Step(to=("box",), by=()),))
    policy = Policy(name="spare", urgent=course, ordinary=course)

    assert list(described(plan, policy)) == ["Every message: at once Boîte, by e-mail."]
    assert "  delivery spare, which nothing names:" in tree(replace(plan, policies={"spare": policy}))


def test_times_are_written_out() -> None:
    assert [span(seconds) for seconds in (60, 600, 3600, 5400, 86_400, 0)] == [
        "1 minute",
        "10 minutes",
        "1 hour",
        "1 hour 30 minutes",
        "24 hours",
        "0 seconds",
    ]
