"""What becomes of a message from an instant on, with whoever is on call then."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callrouter.core import engine
from callrouter.core.call import CallerId, FormValue, Message, Presentation, replace
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.questions.delivered import of_call, planned
from callrouter.testing import TUESDAY_10
from tests.dialplan.test_delivery import load

DELIVERY = """  doctors:
    urgent:
      - { to: duty, by: [sms, email], wait: 10m }
      - { to: anna, by: email, wait: 15m }
    repeat: 2
    ordinary: { to: box, at: ["12:00", "18:00"] }
    ages: 4h
  office:
    urgent: [{ to: duty, by: [sms, email], wait: 1h }]
    ordinary: [{ to: box, by: email, hours: open }, anna]
"""
NODES = "{ message: { deliver: doctors, done: then } }\n  then: { message: { deliver: office, done: bye } }"
ANNA_IS_ON_CALL = datetime(2026, 11, 30, 7, 55, tzinfo=ZoneInfo("Europe/Paris"))
"""Five minutes before Bob is."""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """With a rota that changes on Mondays at eight."""
    found = load(tmp_path, DELIVERY, first=NODES)
    assert [str(issue) for issue in found.issues] == []
    return found.plans["first"]


def said(plan: Plan, deliver: str, *, urgent: bool, at: datetime = ANNA_IS_ON_CALL) -> list[str]:
    return list(planned(plan, deliver, urgent=urgent, at=at.astimezone(UTC)))


def test_whoever_is_on_call_when_a_step_begins(plan: Plan) -> None:
    """By the client's clock, with addresses."""
    assert said(plan, "doctors", urgent=True) == [
        "delivery by policy doctors, urgent, while nobody acknowledges:",
        "  07:55:00  Docteur Anna (on call by duty): SMS to +33612340021 and e-mail to anna@acme.example",
        "  08:05:00  Docteur Anna: e-mail to anna@acme.example",
        "  08:20:00  all of it again, 2 times at most; then it stands on the agents' list",
    ]
    assert "Docteur Bob (on call" in said(plan, "doctors", urgent=True, at=ANNA_IS_ON_CALL.replace(hour=8))[1]


def test_an_ordinary_message_waits_and_ages(plan: Plan) -> None:
    """A digest that comes later than that is not told of it."""
    noon = said(plan, "doctors", urgent=False, at=ANNA_IS_ON_CALL.replace(hour=11))
    assert noon[1:3] == [
        "  12:00:00  Boîte: e-mail to box@acme.example",
        "  15:55:00  it goes the way of an urgent message:",
    ]
    assert noon[3].startswith("    15:55:00  Docteur Bob (on call by duty): SMS")

    night = said(plan, "doctors", urgent=False, at=ANNA_IS_ON_CALL.replace(hour=22))
    assert night[1] == "  Tue 01 Dec 02:55  it goes the way of an urgent message:"


def test_hours_are_waited_for(plan: Plan) -> None:
    """Over a week-end, and not while they are open."""
    friday = datetime(2026, 11, 27, 19, tzinfo=ZoneInfo("Europe/Paris"))

    assert said(plan, "office", urgent=False, at=friday)[1:] == [
        "  Mon 30 Nov 08:00  Boîte: e-mail to box@acme.example",
        "                    (the next step is for when nobody could be told)",
    ]
    assert said(plan, "office", urgent=False, at=friday.replace(hour=10))[1].startswith("  10:00:00  Boîte")


def test_who_is_named_alone_and_nobody(plan: Plan) -> None:
    assert said(plan, "anna", urgent=False) == [
        "delivery by anna, while nobody acknowledges:",
        "  07:55:00  Docteur Anna: e-mail to anna@acme.example",
    ]
    assert said(plan, "carl", urgent=True)[1:] == [
        "  07:55:00  carl: has neither e-mail nor url",
        "  07:55:00  it stands on the agents' list",
    ]
    assert said(plan, "", urgent=True) == ["delivery: nobody is named; it stands on the agents' list"]
    assert said(plan, "gone", urgent=True) == [
        "delivery: gone is neither a policy nor a contact; it stands on the agents' list"
    ]


def test_a_rota_without_anybody_and_hours_that_never_open(plan: Plan) -> None:
    """As a plan of the past may have them."""
    early = datetime(2025, 12, 1, tzinfo=UTC)
    closed = replace(plan.schedules["open"], week=((),) * 7)
    shut = replace(plan, schedules={"open": closed})

    assert said(plan, "office", urgent=True, at=early)[1:] == [
        "  01:00:00  nobody is on call by duty",
        "  01:00:00  it stands on the agents' list",
    ]
    assert said(shut, "office", urgent=False)[1:] == [
        "  07:55:00  hours open do not open: the step is passed over",
        "  07:55:00  Docteur Anna: e-mail to anna@acme.example",
    ]


def test_each_message_of_a_call(plan: Plan) -> None:
    """From when it was complete; a form may say that it is urgent."""
    urgency = FormValue(name="urgency", value="urgent", label="", type="urgency")
    spoken = Message(recording="1", node="first", deliver="office", started_at=TUESDAY_10, seconds=20)
    form = Message(
        recording="", node="then", deliver="doctors", started_at=TUESDAY_10, seconds=0, form="f", values=(urgency,)
    )
    offered = CallOffered(
        call_id="1",
        did=plan.numbers[0],
        caller=CallerId(number=None, presentation=Presentation.UNAVAILABLE),
        at=TUESDAY_10,
    )
    call = replace(engine.start(plan, offered).call, messages=(spoken, form))

    heads = [line for line in of_call(plan, call) if not line.startswith(" ")]
    assert heads == [
        "delivery by policy office, ordinary, while nobody acknowledges:",
        "delivery by policy doctors, urgent, while nobody acknowledges:",
    ]
    assert any("  10:00:20  Boîte" in line for line in of_call(plan, call))
