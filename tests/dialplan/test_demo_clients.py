"""The four demonstration clients compile to the trees their owners described."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from callrouter.core.call import WITHOUT_NUMBER, CallerId
from callrouter.core.conditions import VariableIs
from callrouter.core.nodes import (
    BranchNode,
    CallerNode,
    CollectDigitsNode,
    DialNode,
    HangupNode,
    MenuNode,
    MessageNode,
    QueueNode,
    RedirectNode,
    RejectNode,
)
from callrouter.core.rota import Contact
from callrouter.core.service_level import Formula
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.show.text import tree

DIALPLANS = Path(__file__).parents[2] / "dialplans"
TUESDAY_TEN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""10:00 in Paris, 9:00 in London."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """All four, on paper, with sound files looked for."""
    return load_directory(DIALPLANS, PaperSpeech([DIALPLANS / "sounds"]), now=TUESDAY_TEN)


def test_nothing_is_wrong_with_them(catalogue: Catalogue) -> None:
    """Not even a warning."""
    assert [str(issue) for issue in catalogue.issues] == []
    assert list(catalogue.plans) == ["brighton-books", "cabinet-moreau", "etude-lenoir", "plomberie-garnier"]


@pytest.mark.parametrize(
    ("did", "client"),
    [
        ("+33199000010", "cabinet-moreau"),
        ("0199000020", "etude-lenoir"),
        ("0199000030", "plomberie-garnier"),
        ("33199000031", "plomberie-garnier"),
        ("+442079460040", "brighton-books"),
        ("+33199009999", "unknown-did"),
    ],
)
def test_their_numbers(catalogue: Catalogue, did: str, client: str) -> None:
    """As the trunk may send them."""
    assert client == catalogue.for_did(did).client


@pytest.mark.parametrize(
    ("client", "hours_open"), [("cabinet-moreau", True), ("etude-lenoir", False), ("brighton-books", True)]
)
def test_who_is_open_on_tuesday_at_ten(catalogue: Catalogue, client: str, hours_open: bool) -> None:
    """The demonstration's clock stands there."""
    schedule = catalogue.plans[client].schedules["open"]

    assert hours_open is schedule.at(TUESDAY_TEN).open


def test_holidays_are_the_country_s_own(catalogue: Catalogue) -> None:
    """From last year to five years ahead, in the client's language."""
    french = catalogue.plans["cabinet-moreau"].schedules["open"].holidays
    english = catalogue.plans["brighton-books"].schedules["open"].holidays

    assert french[date(2026, 7, 14)] == "Fête nationale"
    assert english[date(2025, 12, 26)] == "Boxing Day"
    assert date(2031, 5, 1) in french
    assert date(2026, 7, 14) not in english


def test_cabinet_moreau(catalogue: Catalogue) -> None:
    """Urgent calls go to the doctor on call, then to the doctor; the others to the secretaries."""
    nodes = catalogue.plans["cabinet-moreau"].nodes
    who, menu, urgent, priority = (nodes[name] for name in ("filter", "welcome", "urgent", "priority"))

    assert isinstance(who, CallerNode)
    assert who.exits == {"list:vip": "priority", "list:unwanted": "refuse", "otherwise": "hours"}
    assert [who.lists[0].match(CallerId(number=n)) for n in ("+33612340007", "+33612340001", "+33899123456")] == [
        "+33612340007",
        "",
        "",
    ]
    assert who.lists[1].match(CallerId(number="+33899123456")) == "+338*"
    assert isinstance(menu, MenuNode)
    assert menu.keys == ("1", "2")
    assert menu.exits == {
        "key:1": "urgent",
        "key:2": "secretaries",
        "no_input": "secretaries",
        "no_match": "secretaries",
    }
    assert (menu.no_input_retries, menu.no_match_retries) == (1, 2)
    assert isinstance(urgent, DialNode)
    assert [contact.number for contact in urgent.contacts if isinstance(contact, Contact)] == [
        "+33639980002",
        "+33639980001",
    ]
    assert not urgent.at_once
    assert urgent.screen[0].text == "Appel pour : Cabinet du docteur Moreau. Pour l'accepter, tapez 1."
    assert isinstance(priority, QueueNode)
    assert (priority.queue, priority.priority, priority.max_wait_seconds) == ("medical", 10, 180.0)
    assert isinstance(nodes["refuse"], RejectNode)
    assert isinstance(nodes["bye"], HangupNode)


def test_cabinet_moreau_s_fallback_and_promise(catalogue: Catalogue) -> None:
    """The fallback is a queue that ends with a sentence; the service level is what was promised."""
    plan = catalogue.plans["cabinet-moreau"]
    fallback = plan.nodes[plan.fallback]

    assert isinstance(fallback, QueueNode)
    assert fallback.queue == "medical"
    assert isinstance(plan.nodes[fallback.exits["overflow"]], HangupNode)
    promise = plan.service_level
    assert (promise.within_seconds, promise.target, promise.short_abandon_seconds) == (20.0, 0.9, 5.0)
    assert Formula.SHORT_ABANDON_EXCLUDED is promise.formula


def test_etude_lenoir(catalogue: Catalogue) -> None:
    """Whoever shows no number is asked for one; closed means a sentence, then a message."""
    nodes = catalogue.plans["etude-lenoir"].nodes
    who, message = nodes["filter"], nodes["take_message/ask"]

    assert isinstance(who, CallerNode)
    assert who.lists[1].without_number == set(WITHOUT_NUMBER)
    assert who.exits["list:no_number"] == "screening/ask"
    assert nodes["night"].exits["next"] == "take_message/ask"
    assert isinstance(message, MessageNode)
    assert message.deliver == "email_lawyer"
    assert message.exits == {"done": "take_message/bye", "empty": "take_message/again"}


def test_plomberie_garnier(catalogue: Catalogue) -> None:
    """Two districts are those of the technician on duty, the rest the team's; there are no hours."""
    plan = catalogue.plans["plomberie-garnier"]
    code, area, onsite = (plan.nodes[name] for name in ("welcome", "area", "onsite"))

    assert plan.schedules == {}
    assert isinstance(code, CollectDigitsNode)
    assert (code.min_digits, code.max_digits, code.variable) == (5, 5, "postcode")
    assert isinstance(area, BranchNode)
    assert (VariableIs(variable="postcode", values=("75011", "75012")),) == area.when
    assert area.exits == {"when:0": "onsite", "otherwise": "dispatch"}
    assert isinstance(onsite, DialNode)
    assert [contact.name for contact in onsite.contacts] == ["plumber_on_duty", "garnier"]
    assert [contact.name for contact in onsite.people()] == ["technician", "technician_2", "garnier"]


def test_brighton_books(catalogue: Catalogue) -> None:
    """Numbers are read the British way, by the client's zone."""
    nodes = catalogue.plans["brighton-books"].nodes
    warehouse = nodes["warehouse"]

    assert isinstance(warehouse, RedirectNode)
    assert warehouse.number == "+442079460041"
    assert nodes["times"].exits["next"] == "thanks"
    assert nodes["returns"].exits == {"overflow": "take_message/ask"}


def test_every_node_knows_its_line(catalogue: Catalogue) -> None:
    """The line of a node is the line its name stands on, in the file that has it."""
    for plan in catalogue.plans.values():
        for name, node in plan.nodes.items():
            if not name.startswith("("):
                lines = (DIALPLANS / (node.source or plan.source)).read_text().splitlines()
                assert f"{name.rpartition('/')[2]}:" == lines[node.line - 1].strip()


def test_a_tree_can_be_drawn(catalogue: Catalogue) -> None:
    """Each node once, with what it does."""
    drawn = tree(catalogue.plans["plomberie-garnier"])

    staff = "rota plumber_on_duty, garnier +33639980005"
    assert f"postcode = 75011 or 75012 → onsite: dial {staff}, in turn, 20 s each" in drawn
    assert drawn.count("dispatch: queue trades, priority 0, at most 2 min") == 1
    assert "otherwise → dispatch (see above)" in drawn
