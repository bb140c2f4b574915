"""Every ending of a tree, the shortest way to each."""

from __future__ import annotations

from callrouter.core.call import CallerId
from callrouter.core.conditions import Bounds, VariableIs, VariableNumber
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import (
    BranchNode,
    CollectDigitsNode,
    DialNode,
    HangupNode,
    LookupNode,
    MenuNode,
    MessageNode,
    QueueNode,
)
from callrouter.core.nodes.about import NumberAsked
from callrouter.core.rota import Contact
from callrouter.core.templates import parse
from callrouter.questions.decisions import numbers_asked_for
from callrouter.questions.examples import Distinctions
from callrouter.questions.exploring import explore
from callrouter.testing import TUESDAY_10, plan_of, sound

OFFERED = CallOffered(call_id="a", did="+33199000010", caller=CallerId(number="+33612340001"), at=TUESDAY_10)
TREE = plan_of(
    MenuNode(
        name="menu",
        sounds=(sound("menu"),),
        keys=("1", "2"),
        exits={"key:1": "team", "key:2": "menu", "no_input": "message", "no_match": "team"},
    ),
    QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "message"}),
    MessageNode(name="message", sounds=(sound("speak"),), exits={"done": "bye"}),
    HangupNode(name="bye"),
)


def test_each_ending_by_its_shortest_way() -> None:
    """A loop of the caller's own making ends, and lengthens no way."""
    explored = explore(TREE, OFFERED)

    assert explored.complete
    assert {ending.outcome: way.in_words for ending, way in explored.ways.items()} == {
        "queue:sales": "presses 1, queue sales answers",
        "message:message": "presses 1, queue sales: timeout, leaves a message",
        "abandoned": "presses 1, queue sales: timeout, says nothing after the beep",
        "self_served": "presses nothing, presses nothing, says nothing after the beep",
    }


def test_the_way_can_be_walked_again() -> None:
    """What it tells is a whole call."""
    for ending, way in explore(TREE, OFFERED).ways.items():
        assert way.rehearsal.call.ended
        assert way.rehearsal.outcome == ending.outcome


def test_callers_whom_nothing_tells_apart_are_followed_once() -> None:
    """A second caller costs no further state, and each way says whose it is: of two as short, the first one's."""
    other = OFFERED.__class__(call_id="b", did=OFFERED.did, caller=CallerId(number="+33612340002"), at=TUESDAY_10)
    states = next(most for most in range(100) if explore(TREE, OFFERED, max_states=most).complete)
    explored = explore(TREE, OFFERED, other, max_states=states + 1)

    assert explored.complete
    assert {way.offered for way in explored.ways.values()} == {OFFERED}


def test_bounded() -> None:
    """A tree with more states than are looked at is said to be incomplete, not walked for ever."""
    assert not explore(TREE, OFFERED, max_states=2).complete


def test_numbers_that_the_tree_tells_apart() -> None:
    """One of each kind: for which nothing holds, values, this side of each bound and that."""
    asked = NumberAsked(variable="age", min_digits=2, max_digits=3)
    plan = plan_of(
        CollectDigitsNode(name="age", sounds=(), variable="age", min_digits=2, max_digits=3),
        BranchNode(
            name="branch",
            when=(
                VariableIs(variable="age", values=("042", "7")),
                VariableNumber(variable="age", bounds=Bounds(below=18)),
                VariableIs(variable="other", values=("99",)),
            ),
        ),
    )

    assert numbers_asked_for(asked, Distinctions(plan)) == ("22#", "11#", "042")


def test_who_is_given_little_time_may_answer_all_the_same() -> None:
    """An agent can take a call within five seconds, and somebody who is rung within three."""
    tree = plan_of(
        QueueNode(name="team", queue="sales", max_wait_seconds=5, exits={"overflow": "doctor"}),
        DialNode(
            name="doctor",
            contacts=(Contact(name="doctor", number="+33612360001"),),
            ring_seconds=3,
            exits={"no_answer": "bye"},
        ),
        HangupNode(name="bye"),
    )

    assert {ending.outcome: way.in_words for ending, way in explore(tree, OFFERED).ways.items()} == {
        "queue:sales": "queue sales answers",
        "dial:doctor": "queue sales: timeout, doctor answers",
        "abandoned": "queue sales: timeout, doctor: no answer",
    }


def test_whoever_answered_the_caller_decides_not_what_is_looked_up_then() -> None:
    """The node of an ending is the one that reached somebody."""
    tree = plan_of(
        QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "bye", "done": "file"}),
        LookupNode(name="file", url=parse("https://crm.example/"), exits={"next": "bye", "failed": "bye"}),
        HangupNode(name="bye"),
    )

    assert {(one.outcome, one.node) for one in explore(tree, OFFERED).ways} == {
        ("queue:sales", "team"),
        ("abandoned", "bye"),
    }
