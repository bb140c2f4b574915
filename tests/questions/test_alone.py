"""What Asterisk alone does by a tree. What is published of it: tests/asterisk/alone."""

from __future__ import annotations

import pytest

from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.fallback import Ready
from callrouter.core.nodes import HangupNode, MenuNode, MessageNode, QueueNode
from callrouter.questions.alone import AloneBy
from tests.asterisk.alone.practice import PRACTICE, SECOND, at
from tests.asterisk.engine_room import DID, plan_of

DECLARED = QueueNode(name="declared", queue="reception", max_wait_seconds=60, exits={"overflow": "bye"})
BYE = HangupNode(name="bye", sounds=(Sound(file="vm-goodbye", seconds=1.0),))


@pytest.mark.parametrize(
    ("when", "gets"),
    [
        ("2026-06-01 10:00", "queue:reception"),  # declared, and the practice is open
        ("2026-06-01 15:00", "message:night"),  # 17:00 in Paris
        ("2026-06-06 10:00", "message:night"),  # a Saturday
        ("2026-06-03 10:00", "number:+33199000099"),
        ("2026-06-04 10:00", "closed"),
    ],
)
def test_while_the_client_is_closed_its_tree_says_what_callers_get(when: str, gets: str) -> None:
    """And while it is open the fallback that it declares."""
    assert str(AloneBy(PRACTICE, DID).at(at(when))) == gets


def test_without_a_declared_fallback_the_tree_decides_at_any_time() -> None:
    """The declared one is not missed while somebody would answer by the tree."""
    assert str(AloneBy(replace(PRACTICE, fallback=""), DID).at(at("2026-06-01 10:00"))) == "queue:medical"


def test_who_presses_nothing_is_not_told_that_nobody_is_there() -> None:
    """A menu that hangs up on silence: callers would have pressed a key, and the declared fallback has them."""
    menu = MenuNode(
        name="menu",
        sounds=SECOND,
        keys=("1",),
        exits={"key:1": "declared", "no_input": "bye", "no_match": "bye"},
    )
    with_fallback = plan_of(menu, BYE, DECLARED, fallback="declared")

    assert str(AloneBy(with_fallback, DID).at(at("2026-06-01 10:00"))) == "queue:reception"
    assert AloneBy(replace(with_fallback, fallback=""), DID).at(at("2026-06-01 10:00")).sounds == BYE.sounds


def test_a_message_that_is_declared_is_taken() -> None:
    """`fallback: { node: … }` of a message."""
    plan = plan_of(BYE, MessageNode(name="box", sounds=SECOND, exits={"done": "bye"}), fallback="box")
    found = AloneBy(plan, DID).at(at("2026-06-01 10:00"))

    assert isinstance(found, Ready)
    assert str(found) == "message:box"
