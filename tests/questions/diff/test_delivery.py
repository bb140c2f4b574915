"""What differs in who is told of messages: in words, and nothing where nothing does."""

from __future__ import annotations

from pathlib import Path

from callrouter.core.call import replace
from callrouter.core.plan import Plan
from callrouter.questions.diff.delivery import changed_policies
from callrouter.questions.diff.settings import unheard
from tests.dialplan.test_delivery import RIGHT, ROTAS, load

ONE = """  doctors:
    urgent: [{ to: duty, by: [sms, email], wait: 10m }]
    ordinary: box"""


def plan(folder: Path, delivery: str, rotas: str = ROTAS) -> Plan:
    """The client with these policies."""
    return load(folder, delivery, rotas=rotas).plans["first"]


def test_policies_that_come_and_go(tmp_path: Path) -> None:
    """A new one is said whole."""
    one, two = plan(tmp_path / "1", ONE), plan(tmp_path / "2", f"{ONE}\n{RIGHT.replace('doctors', 'others')}")

    assert list(changed_policies(one, one)) == []
    assert list(changed_policies(one, two)) == [
        (
            "Policy others is new. Every message: at once whoever is on call by duty, by SMS and e-mail; after 10"
            " minutes more it stands on the agents' list."
        )
    ]
    assert list(changed_policies(two, one)) == ["Policy others is gone."]


def test_each_part_of_a_policy_is_told(tmp_path: Path) -> None:
    """What becomes of messages now, and what did before; and what leaves the house."""
    becomes = f"{ONE.replace('10m', '20m')}\n    ages: 4h\n    confidential: true"
    one, two = plan(tmp_path / "1", ONE), plan(tmp_path / "2", becomes)

    assert list(unheard(one, two)) == [
        (
            "Policy doctors: urgent messages go now: at once whoever is on call by duty, by SMS and e-mail; after 20"
            " minutes more it stands on the agents' list; before: at once whoever is on call by duty, by SMS and"
            " e-mail; after 10 minutes more it stands on the agents' list."
        ),
        (
            "Policy doctors: ordinary messages go now: at once Boîte, by e-mail; after 4 hours without an"
            " acknowledgement it is urgent; before: at once Boîte, by e-mail."
        ),
        "Policy doctors: what leaves the house now holds a link, and nothing of the message.",
    ]
    assert list(changed_policies(two, one))[-1] == "Policy doctors: what leaves the house now holds the message."


def test_whoever_is_told_elsewhere_or_at_other_times(tmp_path: Path) -> None:
    """Though the policy says the same."""
    one, two = plan(tmp_path / "1", ONE), plan(tmp_path / "2", ONE, ROTAS.replace("[anna, bob]", "[bob, anna]"))
    moved = replace(one.people["bob"], email="", number="+33612340029")
    proves = replace(one.people["bob"], pin="BOB_PIN")
    unseen = replace(one.people["carl"], email="carl@acme.example")

    assert list(changed_policies(one, two)) == ["Rota duty, by which people are told of messages, has changed."]
    assert list(changed_policies(one, replace(one, people={**one.people, "bob": moved, "carl": unseen}))) == [
        "bob is now told by e-mail at no address instead of bob@acme.example.",
        "bob is now told by SMS and telephone at +33612340029 instead of +33612340022.",
    ]
    assert list(changed_policies(one, replace(one, people={**one.people, "bob": proves}))) == [
        "bob now opens confidential messages by the PIN env:BOB_PIN instead of a code that is sent.",
    ]
