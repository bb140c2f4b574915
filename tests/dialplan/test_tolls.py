"""Every place of the documents where a number to ring may stand is held against the list of what may be dialled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from callrouter.core.nodes import CallbackNode
from callrouter.dialplan import Catalogue

Load = Callable[[], Catalogue]

HEAD = """\
client: {name}
numbers: ["01 99 00 00 {last}"]
timezone: Europe/Paris
language: fr
"""
BYE = "  bye: { hangup: }\n"
CONTACTS = 'contacts: { lover: { number: "0899 12 34 56" }, doctor: { number: "06 12 34 00 07" } }\n'
ROTA = """\
rotas:
  nights: { timezone: Europe/Paris, change: "mon 08:00", cycle: [doctor, lover], starting: 2026-01-05 }
"""
WRITTEN = {
    "redirect": 'start: it\nnodes:\n  it: { redirect: { number: "NUMBER", failed: bye } }\n' + BYE,
    "dial": "start: it\nnodes:\n  it: { dial: { contacts: [lover], no_answer: bye } }\n" + BYE,
    "own contact": (
        'contacts: { own: { number: "NUMBER" } }\n'
        "start: it\nnodes:\n  it: { dial: { contacts: [doctor, own], mode: at_once, no_answer: bye } }\n" + BYE
    ),
    "fallback": 'fallback: { number: "NUMBER" }\nstart: bye\nnodes:\n' + BYE,
    "snippet": ('start: it\nnodes:\n  it: { include: { snippet: away, with: { to: "NUMBER", after: bye } } }\n' + BYE),
}
SNIPPETS = """\
snippets:
  away:
    parameters: { to: number, after: node }
    start: go
    nodes: { go: { redirect: { number: $to, failed: $after } } }
"""
NUMBERS = ("0899 12 34 56", "0825 12 34 56", "0810 12 34 56", "+44 20 7946 0041", "00 882 13 12 34 56")


@pytest.fixture
def put(tmp_path: Path, load: Load) -> Callable[..., Catalogue]:
    """Loads one client, with what all share."""

    def write(body: str, dialling: str = "", **shared: str) -> Catalogue:
        folder = tmp_path / "shared"
        folder.mkdir(exist_ok=True)
        for kind, text in {"contacts": CONTACTS, "snippets": SNIPPETS, "dialling": dialling, **shared}.items():
            if text:
                (folder / f"{kind}.yaml").write_text(text)
        (tmp_path / "a.yaml").write_text(HEAD.format(name="a", last="10") + body)
        return load()

    return write


def refused(found: Catalogue) -> list[str]:
    """What may not be dialled, as the findings say it."""
    return [issue.message for issue in found.issues if "may not be dialled" in issue.message]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("place", WRITTEN)
def test_a_number_that_costs_more_is_refused_wherever_it_stands(
    put: Callable[..., Catalogue], place: str, number: str
) -> None:
    """Whether it is written in the tree, in a contact, for a snippet or as the fallback."""
    contacts = CONTACTS.replace("0899 12 34 56", number)
    found = put(WRITTEN[place].replace("NUMBER", number), contacts=contacts)

    assert len(refused(found)) >= 1
    assert not found.plans


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("prefix", ["+33", "08", "089"])
def test_a_country_code_opens_none_of_them(put: Callable[..., Catalogue], place: str, prefix: str) -> None:
    """An operator who allows the whole country has said nothing about premium numbers, and is told so."""
    found = put(WRITTEN[place].replace("NUMBER", NUMBERS[0]), dialling=f'prefixes: ["{prefix}"]\n')

    assert len(refused(found)) >= 1
    assert any("opens no number that costs more than a call" in issue.message for issue in found.issues)


@pytest.mark.parametrize("place", WRITTEN)
def test_a_range_that_is_named_is_open(put: Callable[..., Catalogue], place: str) -> None:
    """Three digits of it."""
    found = put(WRITTEN[place].replace("NUMBER", NUMBERS[0]), dialling='prefixes: ["0899"]\n')

    assert refused(found) == []
    assert found.plans


def test_who_is_on_call_must_be_dialable(put: Callable[..., Catalogue]) -> None:
    """Each person of a rota, whoever's turn it is today."""
    tree = "start: it\nnodes:\n  it: { dial: { contacts: [nights], no_answer: bye } }\n" + BYE
    found = put(tree, calendars=ROTA)

    assert [message for message in refused(found) if "lover" in message], found.issues


def test_a_callback_knows_the_clients_list(put: Callable[..., Catalogue]) -> None:
    """What its caller keys is held against it while they call."""
    tree = (
        'dialling: { countries: [BE], prefixes: ["0892 70"] }\nstart: it\nnodes:\n'
        "  it: { callback: { done: bye, declined: bye, no_input: bye, no_match: bye } }\n" + BYE
    )
    found = put(tree, dialling='refused: ["+32 2"]\n')
    node = found.plans["a"].nodes["it"]

    assert isinstance(node, CallbackNode)
    allowed = {number: node.dialling.refusal(number) == "" for number in (
        "+33140000099", "+33892701234", "+3292345678", "+3222345678", "+33899123456", "+442079460041"
    )}  # fmt: skip
    assert allowed == {
        "+33140000099": True,
        "+33892701234": True,
        "+3292345678": True,
        "+3222345678": False,
        "+33899123456": False,
        "+442079460041": False,
    }
