"""Transcripts of `answer`."""

from callrouter.core.call import CallState, Disposition
from callrouter.core.nodes import AnswerNode, HangupNode, PlayNode
from callrouter.testing import Playbook, plan_of, sound

PLAN = plan_of(
    AnswerNode(name="pick_up", exits={"next": "again"}),
    AnswerNode(name="again", exits={"next": "hello"}),
    PlayNode(name="hello", sounds=(sound("hello"),), exits={"next": "bye"}),
    HangupNode(name="bye"),
)


def case_answers_once() -> Playbook:
    """The second answer is passed, and the prompt needs none."""
    call = Playbook(PLAN).offer().expects("answer")
    call.after(0.1).answered().expects("play hello").passes("pick_up:next", "again:next")
    call.prompt_ended().expects("hang up 16")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_hang_up_before_the_answer_is_done() -> Playbook:
    """It never got anywhere."""
    call = Playbook(PLAN).offer().expects("answer")
    assert call.call.state is CallState.ANSWERING
    return call.hangs_up().ends(Disposition.LEFT_EARLY)


def case_keys_while_being_answered_are_kept() -> Playbook:
    """And let the prompt be skipped."""
    call = Playbook(PLAN).offer().expects("answer")
    call.digits("7").answered().expects("hang up 16").passes("pick_up:next", "again:next", "hello:next", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)
