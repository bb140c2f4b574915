"""What Asterisk alone does by a tree. What is published of it: tests/asterisk/alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.fallback import Ready
from callrouter.core.nodes import HangupNode, MenuNode, MessageNode, QueueNode
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.questions.alone import AloneBy, in_words
from tests.asterisk.alone.practice import PRACTICE, SECOND, at
from tests.asterisk.callers import CHECKOUT
from tests.asterisk.engine_room import DID, plan_of
from tests.cli.test_main import run
from tests.small_client import small_client

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


def test_a_client_who_declares_a_message_has_it_taken(tmp_path: Path) -> None:
    """By its file: `check` passes it, and Asterisk alone says the prompt and records."""
    box = 'box:\n    message: { prompt: { say: "Laissez un message." }, done: bye }\n  bye:'
    tree = small_client().replace("fallback: { node: bye }", "fallback: { node: box }").replace("bye:", box, 1)
    (tmp_path / "a.yaml").write_text(tree.replace("start: bye", "start: box"))
    found = load_directory(tmp_path, PaperSpeech())
    ready = AloneBy(found.plans["a"], "+33199000010").at(at("2026-06-01 10:00"))

    assert [str(issue) for issue in found.issues] == []
    assert in_words(ready) == "a message, as at box, after “Laissez un message.”"


def test_show_says_what_callers_get_at_a_time() -> None:
    """A surgery of the demonstration, at a holiday and on the working day after it."""
    shown = run("show", "dialplans/cabinet-moreau.yaml", "--alone", "2026-05-01T10:00", cwd=CHECKOUT)
    lines = [line.strip() for line in shown.stdout.splitlines()]
    unwanted = next(line for line in lines if line.startswith("+338*: "))

    assert lines[2].startswith("Fri 2026-05-01 10:00  a message, as at night, after “Le cabinet est fermé.")
    assert lines[3] == "Sat 2026-05-02 09:00  queue medical"
    assert unwanted.startswith("+338*: Fri 2026-05-01 10:00  refused, cause 21, after “Le cabinet ne prend pas")
