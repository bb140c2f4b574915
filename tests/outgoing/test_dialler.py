"""Who may be rung for a client's messages, and what they see."""

from __future__ import annotations

from callrouter.core.call import replace
from callrouter.core.dialling import Dialling
from callrouter.core.dispatch import Reach
from callrouter.core.identity import Identity, Shows
from callrouter.core.nodes import HangupNode
from callrouter.outgoing.dialler import PlanDialler
from callrouter.testing import plan_of

PLAN = replace(
    plan_of(HangupNode(name="bye")),
    client="acme",
    numbers=("+33199000090", "+33199000091"),
    dialling=Dialling(countries=frozenset({"FR"})),
    people={
        name: Reach(name=name, title=name, number="+33612345678", pin=pin)
        for name, pin in (("anne", "ANNE"), ("bob", "BOB"), ("carl", "CARL"), ("dora", ""))
    },
)
OPERATOR = Identity(shows=Shows.CALLER, number="+33199000000")
DIALLER = PlanDialler(lambda: {"acme": PLAN}, {"ANNE": "4821", "BOB": "48-21"})


def test_they_see_the_number_that_the_messages_caller_dialled() -> None:
    """Or the client's first one, where nobody called; or whom the client declares."""
    assert DIALLER.shown("acme", "+33199000091") == "+33199000091"
    assert DIALLER.shown("acme", "") == "+33199000090"
    assert DIALLER.shown("nobody", "+33199000091") == ""
    declared = PlanDialler(lambda: {"acme": replace(PLAN, identity=OPERATOR)}, {})
    assert declared.shown("acme", "+33199000091") == "+33199000000"


def test_a_number_is_rung_that_the_client_may_dial() -> None:
    """As its plan in service says at that moment."""
    assert DIALLER.refusal("acme", "+33612345678") == ""
    assert "may not be dialled" in DIALLER.refusal("acme", "+33899123456")
    assert "may not be dialled" in DIALLER.refusal("acme", "+442079460000")
    assert "no plan" in DIALLER.refusal("nobody", "+33612345678")


def test_a_pin_is_one_that_can_be_keyed_in() -> None:
    """Of their own; whose secret is not set, or holds something else, has none."""
    assert DIALLER.pin("acme", "anne") == "4821"
    assert [DIALLER.pin("acme", one) for one in ("bob", "carl", "dora", "nobody")] == [""] * 4
    assert DIALLER.pin("nobody", "anne") == ""
