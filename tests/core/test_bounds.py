"""What a call may grow to, however long it lasts and whatever is keyed or sent."""

from __future__ import annotations

from callrouter.core import engine, inputs
from callrouter.core.call import Call, CallerId, CallState, Disposition, QueueOutcome, replace
from callrouter.core.engine import MAX_DIGITS_AHEAD, MAX_NAME, MAX_NUMBER
from callrouter.core.nodes import CollectDigitsNode, HangupNode, MenuNode, PlayNode, QueueNode, SetNode
from callrouter.core.plan import MAX_VISITS, variables_length
from callrouter.testing import TUESDAY_10, Playbook, plan_of, sound

MENU = MenuNode(name="menu", sounds=(), keys=("1",), exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"})
BYE = HangupNode(name="bye")
LOOP = plan_of(PlayNode(name="loop", sounds=(sound("loop"),), interruptible=False, exits={"next": "loop"}))


def test_a_caller_who_leans_on_the_keypad() -> None:
    """The first keys are kept, the others are not."""
    call = Playbook(LOOP).offer().expects("answer", "play loop").answered().digits("12" + "5" * 100)

    assert call.call.digits == "12" + "5" * (MAX_DIGITS_AHEAD - 2)
    call.hangs_up().ends(Disposition.LEFT_EARLY)


def test_keys_ahead_do_not_outlive_a_queue() -> None:
    """What was keyed before a wait for a human says nothing about a menu after it."""
    queue = QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "menu"})
    call = Playbook(plan_of(queue, MENU, BYE)).offer().expects("answer", "queue sales").answered().digits("1")
    first = MenuNode(
        name="first", sounds=(), keys=("2",), exits={"key:2": "team", "no_input": "bye", "no_match": "bye"}
    )
    keyed = Playbook(plan_of(first, queue, MENU, BYE)).offer().expects("answer", "collect 1").answered().keys("21")

    assert call.call.digits == keyed.expects("queue sales").call.digits == ""
    for one in (call, keyed):
        one.queue_left(QueueOutcome.EMPTY).expects("collect 1").hangs_up().ends(Disposition.ABANDONED)


def _laps(call: Call) -> int:
    """Prompts heard until the engine has had enough."""
    for lap in range(2 * MAX_VISITS):
        if call.state is not CallState.PLAYING:
            return lap
        call = engine.step(LOOP, call, inputs.PromptEnded(step=call.step, at=TUESDAY_10)).call
    raise AssertionError("the tree goes round without end")


def test_a_loop_of_prompts_ends_after_so_many_and_no_sooner_for_a_successor() -> None:
    """Visits that a taken-over call has lost still count."""
    call = Playbook(LOOP).offer().expects("answer", "play loop").stops_here()

    assert _laps(call) == MAX_VISITS + 1
    assert _laps(replace(call, visits_dropped=MAX_VISITS - 10)) == 11


def test_a_callers_own_text_is_bounded() -> None:
    """Name and numbers, but nothing of an ordinary length."""
    long = CallerId(number="9" * 1000, name="é" * 1000)
    offered = inputs.CallOffered(call_id="1", did="1" * 1000, caller=long, diverted_from="2" * 1000, at=TUESDAY_10)
    call = engine.start(LOOP, offered).call
    usual = CallerId(number="+33612340001", name="Ève ${SHELL(id)}")

    assert (len(call.caller.number or ""), len(call.caller.name)) == (MAX_NUMBER, MAX_NAME)
    assert (len(call.did), len(call.diverted_from or "")) == (MAX_NUMBER, MAX_NUMBER)
    assert engine.start(LOOP, replace(offered, caller=usual)).call.caller == usual


def test_the_length_of_a_trees_variables() -> None:
    """Names and longest values, each variable once."""
    nodes = (
        SetNode(name="a", variables={"reason": "urgent", "x": ""}),
        SetNode(name="b", variables={"reason": "very urgent"}),
        CollectDigitsNode(name="c", sounds=(), variable="x", min_digits=1, max_digits=8),
    )

    assert variables_length(node.about() for node in nodes) == len("reason") + len("very urgent") + len("x") + 8
