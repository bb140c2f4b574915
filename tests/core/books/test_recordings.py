"""The books of recordings: asked for, begun, paused, objected to; and the journey that says so."""

from __future__ import annotations

import pytest

from callrouter.core import engine, facts, inputs
from callrouter.core.books.recordings import MAX_PAUSES
from callrouter.core.call import Call, CallerId, CallState, Disposition, QueueOutcome, replace
from callrouter.core.effects import EnterQueue, ReadAs
from callrouter.core.explain import explain, nodes_reached
from callrouter.core.inputs import RecordingSign, RecordingTold
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.core.read_aloud import SpokenVariable
from callrouter.testing import TUESDAY_10, Playbook, assert_serialises, plan_of, sound

QUEUE = QueueNode(
    name="team",
    queue="sales",
    max_wait_seconds=60,
    announcement=(sound("this call is recorded, 9 objects"),),
    objection="9",
    keep_days=30,
    exits={"overflow": "again"},
)
PLAN = plan_of(
    QUEUE,
    QueueNode(
        name="again",
        queue="others",
        max_wait_seconds=60,
        announcement=QUEUE.announcement,
        objection="9",
        keep_days=30,
        exits={"overflow": "bye"},
    ),
    HangupNode(name="bye"),
)


def waiting() -> Playbook:
    """The announcement was heard."""
    call = Playbook(PLAN).offer().expects("answer", "play this call is recorded, 9 objects").answered().after(2)
    return call.prompt_ended().expects("queue sales recorded")


def stamps(call: Call) -> list[str]:
    return [visit.because for visit in call.visits if visit.exit == "recording"]


def told(call: Playbook, sign: RecordingSign, by: str = "anne") -> Call:
    """What the switch says of the recording."""
    return call.tells(RecordingTold(sign=sign, at=call.at, by=by)).call


def test_it_begins_with_the_answer_and_ends_with_the_conversation() -> None:
    """With whom, and for how long it is kept."""
    call = waiting().after(5).agent_answers("anne")
    assert call.call.recordings[0].began_at == call.at
    call.after(60).queue_left(QueueOutcome.ANSWERED).expects("hang up 16").hangs_up().ends(Disposition.ANSWERED)

    [one] = call.call.recordings
    assert (one.number, one.leg, one.seconds(), one.keep_days) == (1, 1, 60, 30)
    assert stamps(call.call) == ["began"]
    assert nodes_reached(call.call) == ["team"]
    assert any("team → recording (began)" in line for line in explain(call.call))
    noted = [fact.recording for fact in call.facts if isinstance(fact, facts.RecordingNoted)]
    assert [(one.began_at is not None, one.ended_at is not None) for one in noted] == [(True, False), (True, True)]


def test_nobody_hears_the_announcement_twice_or_is_recorded_after_an_objection() -> None:
    """They objected in the first queue's wait; the second does not ask."""
    call = waiting().after(3)
    call = call.digits("9").after(3).queue_left(QueueOutcome.TIMEOUT).expects("queue others")
    assert stamps(call.call) == ["objected (key 9)"]
    call.agent_answers("anne").after(9).hangs_up().ends(Disposition.ANSWERED)
    assert all(one.began_at is None for one in call.call.recordings)


def test_who_does_not_object_is_recorded_in_the_next_queue_too() -> None:
    """By a recording of its own, and without another announcement."""
    call = waiting().queue_left(QueueOutcome.TIMEOUT).expects("queue others recorded")
    call.agent_answers("anne").after(9).hangs_up().ends(Disposition.ANSWERED)
    assert [(one.number, one.began_at is not None) for one in call.call.recordings] == [(1, False), (2, True)]


def test_a_key_of_before_is_no_objection() -> None:
    """Nobody objects to what they have not heard of; during the announcement they do."""
    enter = engine.start(
        PLAN, inputs.CallOffered(call_id="c", did="+33199000010", caller=CallerId(number="+33612340001"), at=TUESDAY_10)
    )
    early = engine.step(PLAN, enter.call, inputs.DigitPressed(digit="9", at=TUESDAY_10))
    ended = engine.step(PLAN, early.call, inputs.PromptEnded(step=early.call.step, at=TUESDAY_10))

    *_, effect = ended.effects
    assert isinstance(effect, EnterQueue)
    assert effect.recording == ""
    assert stamps(ended.call) == ["objected (key 9)"]


def test_pauses_are_timed_and_bounded() -> None:
    """Paused twice is paused once; the twenty-first changes nothing."""
    call = waiting().agent_answers("anne")
    told(call, RecordingSign.PAUSED)
    before = call.call
    assert told(call, RecordingSign.PAUSED) is before
    call.after(4)
    told(call, RecordingSign.RESUMED)
    assert call.call.recordings[0].paused_seconds == 4
    for _ in range(2 * MAX_PAUSES):
        told(call, RecordingSign.PAUSED)
        told(call, RecordingSign.RESUMED)
    assert call.call.recordings[0].pauses == MAX_PAUSES
    assert len(stamps(call.call)) == 1 + 2 * MAX_PAUSES
    assert_serialises(PLAN, call.call)
    call.hangs_up().ends(Disposition.ANSWERED)


def test_a_pause_that_nobody_ended_lasts_to_the_end() -> None:
    """And is counted."""
    call = waiting().agent_answers("anne").after(10)
    told(call, RecordingSign.PAUSED)
    call.after(5).hangs_up().ends(Disposition.ANSWERED)
    assert call.call.recordings[0].paused_seconds == 5


def test_an_objection_in_the_conversation_ends_it() -> None:
    """The conversation goes on, and so does the call."""
    call = waiting().agent_answers("anne").after(10).digits("9").after(20)
    [one] = call.call.recordings
    assert (one.seconds(), one.objected_at, call.call.state) == (10, one.ended_at, CallState.CONNECTED)
    assert_serialises(PLAN, call.call)
    call.hangs_up().ends(Disposition.ANSWERED)
    assert call.call.talk_seconds() == 30


def test_an_objection_counts_while_a_colleague_is_rung() -> None:
    """The agent has given the caller away, and nobody has them yet."""
    call = waiting().agent_answers("anne").after(10)
    call = call.transferred("bea", colleague="bea").expects("ring bea").after(2).digits("9")
    assert call.call.state is CallState.DIALLING
    [one] = call.call.recordings
    assert one.objected_at == call.at
    call.after(1).hangs_up().ends(Disposition.ANSWERED)


@pytest.mark.parametrize(("seconds", "is_sure"), [(0.1, True), (1.7, True), (30, False)])
def test_who_has_not_heard_the_whole_announcement_is_not_recorded(seconds: float, is_sure: bool) -> None:
    """Its sound is missing, or ended too early, or the link was away meanwhile; the next queue says it again."""
    call = Playbook(PLAN).offer().expects("answer", "play this call is recorded, 9 objects").answered().after(seconds)
    call.tells(inputs.PromptEnded(step=call.call.step, at=call.at, is_sure=is_sure)).expects("queue sales")
    assert call.call.recordings == ()
    call = call.queue_left(QueueOutcome.TIMEOUT).expects("play this call is recorded, 9 objects")
    call.hangs_up().ends(Disposition.ABANDONED)


def test_of_an_announcement_that_lacks_a_part_nothing_is_said_or_recorded() -> None:
    """A value that it reads aloud is not set."""
    value = SpokenVariable(variable="file_number", read_as=ReadAs.DIGITS, language="fr")
    plan = plan_of(replace(QUEUE, announcement=(*QUEUE.announcement, value)), *list(PLAN.nodes.values())[1:])
    call = Playbook(plan).offer().expects("answer", "queue sales").answered().agent_answers("anne").after(9)
    assert call.call.recordings == ()
    call.hangs_up().ends(Disposition.ANSWERED)


@pytest.mark.parametrize("sign", RecordingSign)
def test_what_is_told_of_no_recording_changes_nothing(sign: RecordingSign) -> None:
    """Of a call that is not recorded."""
    plan = plan_of(
        QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "bye"}), PLAN.nodes["bye"]
    )
    call = Playbook(plan).offer().expects("answer", "queue sales").answered().agent_answers("anne")
    before = call.call
    assert told(call, sign) is before
    call.hangs_up().ends(Disposition.ANSWERED)
