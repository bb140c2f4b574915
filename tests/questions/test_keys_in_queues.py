"""Callers who leave a line by a key, as `route`, `route --all` and `diff` see it; and what they hear meanwhile."""

from __future__ import annotations

import pytest

from callrouter.core.call import CallerId, QueueOutcome
from callrouter.core.effects import Announced, Comfort, EnterQueue, Rising
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import HangupNode, MenuNode, MessageNode, QueueNode
from callrouter.questions.diff.experience import met
from callrouter.questions.exploring import explore
from callrouter.questions.rehearsal import Script, rehearse
from callrouter.testing import TUESDAY_10, plan_of, sound

OFFERED = CallOffered(call_id="a", did="+33199000010", caller=CallerId(number="+33612340001"), at=TUESDAY_10)
TREE = plan_of(
    QueueNode(
        name="team",
        queue="sales",
        max_wait_seconds=60,
        keys=("1", "2"),
        exits={"key:1": "message", "key:2": "menu", "overflow": "bye"},
    ),
    MenuNode(
        name="menu",
        sounds=(sound("go on?"),),
        keys=("3",),
        exits={"key:3": "team", **dict.fromkeys(("no_input", "no_match"), "bye")},
    ),
    MessageNode(name="message", sounds=(sound("speak"),), exits={"done": "bye"}),
    HangupNode(name="bye"),
)


@pytest.mark.parametrize(
    ("keys", "outcome", "left_by"),
    [
        ((), "queue:sales", []),
        (("",), "queue:sales", []),
        (("7",), "queue:sales", []),
        (("1",), "message:message", [QueueOutcome.EXITED]),
        (("2", "3"), "queue:sales", [QueueOutcome.EXITED]),
        (("2", "3", "2", "3", "1"), "message:message", [QueueOutcome.EXITED] * 3),
    ],
)
def test_keys_are_pressed_in_turn_at_questions_and_in_lines(
    keys: tuple[str, ...], outcome: str, left_by: list[QueueOutcome]
) -> None:
    """A key that means nothing in the line does nothing."""
    rehearsal = rehearse(TREE, OFFERED, Script(keys=keys))

    assert rehearsal.outcome == outcome
    assert [visit.outcome for visit in rehearsal.call.queue_visits if visit.outcome is QueueOutcome.EXITED] == left_by


def test_every_ending_with_its_key() -> None:
    """The line is left by each of them, and for good."""
    explored = explore(TREE, OFFERED)

    assert explored.complete
    assert {ending.outcome: way.in_words for ending, way in explored.ways.items()} == {
        "queue:sales": "queue sales answers",
        "message:message": "presses 1 in queue sales, leaves a message",
        "abandoned": "queue sales: timeout",
    }


def test_what_is_told_is_part_of_what_callers_meet() -> None:
    """`diff` sees each change of it."""
    waits = EnterQueue(
        queue="sales",
        priority=1,
        max_wait_seconds=180,
        keys=("1",),
        announced=Announced(every_seconds=30, places=(sound("next"),), minutes=(sound("soon"),)),
        comfort=Comfort(every_seconds=45, messages=((sound("please hold"),),)),
        rising=Rising(after_seconds=60, to=5),
    )

    told = "told position and expected wait every 30 s"
    assert list(met([waits])) == [
        f"wait for sales with priority 1 and 5 after 1 min at most 3 min or until they press 1, {told}",
        "hear every 45 s «please hold»",
    ]
