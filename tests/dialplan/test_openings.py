"""Whoever is sent a link to what is confidential can open it: by a PIN, or by a code that comes another way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dialplan.test_delivery import found, load

TELLS = "{ message: { deliver: two, done: bye } }"


def policy(steps: str, more: str = "") -> str:
    return f"  two: {{ urgent: [{steps}], confidential: true{more} }}"


def told(folder: Path, steps: str, contacts: str, more: str = "") -> list[str]:
    """What is said of openings, without where it is mended."""
    said = found(folder, policy(steps, more), contacts=contacts, first=TELLS)
    return [one.partition("is confidential: ")[2].partition(":")[0] for one in said if "confidential" in one]


@pytest.mark.parametrize(
    ("by", "contacts", "lacks"),
    [
        ("email", 'x: { number: "06 12 34 00 91", email: x@acme.example }', ""),
        ("sms", 'x: { number: "06 12 34 00 91", email: x@acme.example }', ""),
        ("[sms, email]", 'x: { number: "06 12 34 00 91", email: x@acme.example }', ""),
        ("email", 'x: { email: x@acme.example, pin: "env:X" }', ""),
        ("sms", 'x: { number: "06 12 34 00 91", pin: "env:X" }', ""),
        ("email", "x: { email: x@acme.example }", "e-mail, and has neither a PIN that opens it nor a mobile number"),
        ("sms", 'x: { number: "06 12 34 00 91" }', "SMS, and has neither a PIN that opens it nor an email"),
        (
            "email",
            'x: { number: "01 99 00 00 91", email: x@acme.example }',
            "e-mail, and has neither a PIN that opens it nor a mobile number",
        ),
        (
            "webhook",
            'x: { url: "https://acme.example/x" }',
            "webhook, and has neither a PIN that opens it nor a mobile number or an email",
        ),
        ("webhook", 'x: { url: "https://acme.example/x", email: x@acme.example }', ""),
    ],
)
def test_each_of_its_means_is_opened(tmp_path: Path, by: str, contacts: str, lacks: str) -> None:
    """A fixed line gets no SMS; a machine's contact shows its link to somebody, too."""
    said = told(
        tmp_path, f"{{ to: [x, anna], by: {by}, wait: 10m }}, {{ to: anna, by: [sms, email], wait: 10m }}", contacts
    )

    wanted = [one for one in said if 'contact "x" is sent' in one]
    assert wanted == ([f'contact "x" is sent a link by {lacks} for a code'] if lacks else [])


def test_each_person_is_blamed_once(tmp_path: Path) -> None:
    """However many steps tell them."""
    step = "{ to: [x, y], by: email, wait: 10m }"
    contacts = "x: { email: x@acme.example }, y: { email: y@acme.example }"
    said = told(tmp_path, f"{step}, {step}", contacts)

    assert [one.partition(" is sent")[0] for one in said] == ['contact "x"', 'contact "y"']


def test_people_of_rotas_and_whoever_is_told_where_they_have_nobody(tmp_path: Path) -> None:
    said = told(
        tmp_path, "{ to: duty, by: email, wait: 10m }, { to: box, wait: 10m }", "x: { email: x@a.example }", ", last: x"
    )

    assert any('contact "x" is sent a link by e-mail' in one for one in said)
    assert not any("anna" in one or "bob" in one for one in said)  # they have mobile telephones


def test_what_is_not_confidential_asks_for_nothing(tmp_path: Path) -> None:
    delivery = "  two: { urgent: [{ to: [x, y], by: email, wait: 10m }] }"
    contacts = "x: { email: x@acme.example }, y: { email: y@acme.example }"
    catalogue = load(tmp_path, delivery, contacts=contacts, first=TELLS)

    assert [str(one) for one in catalogue.issues] == []
