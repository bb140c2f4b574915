"""Whole journeys whose meaning is agreed: messages, overflows, several queues, control lost."""

from __future__ import annotations

import pytest

from callrouter.core import state
from callrouter.core.call import CallState, DialOutcome, Disposition, QueueOutcome
from callrouter.core.explain import explain, nodes_reached
from callrouter.core.facts import InputRefused, MessageLeft, TroubleMet
from callrouter.core.nodes import DialNode, HangupNode, MenuNode, MessageNode, PlayNode, QueueNode
from callrouter.core.rota import Contact
from callrouter.store.trace import call_from_json, call_json
from callrouter.testing import Playbook, plan_of, sound

MESSAGE = MessageNode(name="message", sounds=(sound("speak"),), exits={"done": "bye"})
BYE = HangupNode(name="bye", sounds=(sound("good-bye"),))


def _queue(name: str, overflow: str) -> QueueNode:
    return QueueNode(name=name, queue=name, max_wait_seconds=60, exits={"overflow": overflow})


THREE = plan_of(_queue("first", "choose"), _queue("second", "third"), _queue("third", "message"), MESSAGE, BYE,
    MenuNode(
        name="choose",
        sounds=(sound("press 1"),),
        keys=("1",),
        exits={"key:1": "second", "no_input": "bye", "no_match": "bye"},
    ),
)  # fmt: skip


def test_three_queues_answered_in_the_third_is_one_answered_journey() -> None:
    """From 10:00:00 to 10:03:00, of which 150 s in queues; by legs it would be two lost and one answered."""
    call = Playbook(THREE).offer().expects("answer", "queue first").answered()
    call.after(60).queue_left(QueueOutcome.TIMEOUT).expects("collect 1: press 1")
    call.after(30).keys("1").expects("queue second")
    call.after(60).queue_left(QueueOutcome.TIMEOUT).expects("queue third")
    call.after(30).agent_answers("agent-1").after(45).queue_left(QueueOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)

    ended = call.call
    assert ended.clocks.bridged_at
    assert (ended.clocks.bridged_at - ended.clocks.ringing_at).total_seconds() == 180
    assert ended.waiting_seconds(call.at) == 150
    assert ended.talk_seconds() == 45
    outcomes = [visit.outcome for visit in ended.queue_visits]
    assert outcomes == [QueueOutcome.TIMEOUT, QueueOutcome.TIMEOUT, QueueOutcome.ANSWERED]


def test_explained() -> None:
    """The story, word for word, with and without the plan."""
    call = Playbook(THREE).offer().expects("answer", "queue first").answered()
    call.after(60).queue_left(QueueOutcome.TIMEOUT).expects("collect 1: press 1").after(3).keys("1")
    call.expects("queue second").after(20).agent_rings("agent-1").after(5).agent_answers("agent-1")
    call.after(30).hangs_up().ends(Disposition.ANSWERED)

    assert explain(call.call, THREE) == [
        "10:00:00  waits in queue first",
        "10:01:00  first (acme.yaml:10) → overflow (timeout)",
        "10:01:00  leaves queue first: timeout",
        "10:01:03  choose (acme.yaml:60) → key:1 (key 1)",
        "10:01:03  second (acme.yaml:20)",
        "10:01:03  waits in queue second",
        "10:01:28  answered by agent-1 after 25 s",
        "10:01:58  leaves queue second: answered",
        "10:01:58  talked to agent-1 for 30 s; hung up by caller",
        "10:01:58  ended: answered",
    ]
    assert explain(call.call)[1] == "09:01:00  first → overflow (timeout)"
    assert nodes_reached(call.call) == ["first", "choose", "second"]


def test_dials_and_dropped_steps_explained() -> None:
    """Contacts by the names the document gives them."""
    doctor = Contact(name="doctor", number="+33639980001")
    plan = plan_of(DialNode(name="urgent", contacts=(doctor,), exits={"no_answer": "bye"}), BYE)
    call = Playbook(plan).offer().expects("dial +33639980001").after(20).dial_ended(DialOutcome.BUSY)
    call.expects("answer", "play good-bye").answered().hangs_up().ends(Disposition.ABANDONED)

    assert explain(call.call, plan) == [
        "10:00:00  rings doctor",
        "10:00:20  urgent (acme.yaml:10) → no_answer (busy)",
        "10:00:20  doctor: busy",
        "10:00:20  bye (acme.yaml:20)",
        "10:00:20  ended: abandoned",
    ]


def test_who_of_several_took_the_call_is_explained() -> None:
    """All of them rang; one accepted."""
    contacts = (Contact(name="nurse", number="+33639980001"), Contact(name="doctor", number="+33639980002"))
    plan = plan_of(DialNode(name="urgent", contacts=contacts, at_once=True, exits={"no_answer": "bye"}), BYE)
    call = Playbook(plan).offer().expects("dial +33639980001 + +33639980002").after(9).somebody_answers(leg=1)
    call.after(51).dial_ended(DialOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.REDIRECTED)

    assert explain(call.call, plan)[:4] == [
        "10:00:00  rings nurse + doctor",
        "10:00:09  doctor: accepted",
        "10:01:00  urgent (acme.yaml:10) → end (conversation over)",
        "10:01:00  doctor: answered",
    ]
    again = state.decode(plan, state.encode(plan, call.call))
    assert again.dials == call.call.dials
    assert call_from_json(call_json(call.call)).dials == call.call.dials


def test_a_message_is_explained() -> None:
    """How long it is, and the node in which they hung up."""
    call = Playbook(plan_of(MESSAGE, BYE)).offer().expects("answer", "play speak").answered().after(3).prompt_ended()
    call.expects("record at most 120 s").after(9).hangs_up().ends(Disposition.MESSAGE_LEFT)

    assert explain(call.call)[-3:] == [
        "09:00:00  message",
        "09:00:12  has left a message of 9 s",
        "09:00:12  ended: message_left",
    ]


def test_queue_overflow_then_message_is_one_message_left() -> None:
    """By hang-up, in the recording."""
    call = Playbook(plan_of(_queue("team", "message"), MESSAGE, BYE)).offer().expects("answer", "queue team").answered()
    call.after(5).queue_left(QueueOutcome.FULL).expects("play speak").after(3).prompt_ended()
    call.expects("record at most 120 s").after(9).hangs_up().ends(Disposition.MESSAGE_LEFT)

    assert len([fact for fact in call.facts if isinstance(fact, MessageLeft)]) == 1
    assert call.call.queue_visits[0].outcome is QueueOutcome.FULL
    assert call.call.offered


def test_control_lost_while_waiting_then_answered_by_the_same_agents() -> None:
    """The queue goes on without us: the record is right in the end."""
    call = Playbook(plan_of(_queue("team", "message"), MESSAGE, BYE)).offer().expects("answer", "queue team").answered()
    call.after(5).control_lost().after(3).agent_rings("agent-1").after(2).agent_answers("agent-1")
    assert call.call.state is CallState.ADRIFT
    call.after(60).hangs_up().ends(Disposition.ANSWERED)

    assert call.call.waiting_seconds(call.at) == 10
    assert call.call.talk_seconds() == 60


def test_control_lost_and_nobody_there_is_our_failure() -> None:
    """Not an abandoned call."""
    call = Playbook(plan_of(PlayNode(name="hello", sounds=(sound("hello"),), exits={"next": "bye"}), BYE))
    call.offer().expects("answer", "play hello").answered().control_lost().expects_nothing()
    call.prompt_ended()
    assert isinstance(call.facts[-1], InputRefused)
    call.hangs_up().ends(Disposition.FAILED)


def test_a_tree_that_goes_round_without_waiting_ends_as_failed() -> None:
    """And says why."""
    loop = (
        MenuNode(name="a", sounds=(), keys=("1",), exits={"key:1": "b", "no_input": "b", "no_match": "b"}),
        PlayNode(name="b", sounds=(sound("b"),), exits={"next": "b"}),
    )
    call = Playbook(plan_of(*loop)).offer().expects("answer", "collect 1").digits("12").answered().collect_ended()
    call.expects("hang up 41").hangs_up().ends(Disposition.FAILED)

    assert [fact.reason for fact in call.facts if isinstance(fact, TroubleMet)] == ["the tree goes round without end"]


@pytest.mark.parametrize("outcome", QueueOutcome)
def test_a_queue_that_ends_after_somebody_answered_was_answered(outcome: QueueOutcome) -> None:
    """Whatever the switch calls the end of a conversation, or when it has no word for it, as after a transfer."""
    call = Playbook(THREE).offer().expects("answer", "queue first").answered()
    call.after(5).agent_answers("agent-1").after(30).queue_left(outcome).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)

    assert [visit.outcome for visit in call.call.queue_visits] == [QueueOutcome.ANSWERED]
