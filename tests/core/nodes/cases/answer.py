"""Transcripts of `answer`."""

from callrouter.core.call import CallState, Disposition
from callrouter.core.effects import Answer
from callrouter.core.nodes import AnswerNode, HangupNode, PlayNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

HELLO = PlayNode(name="hello", sounds=(sound("hello"),), exits={"next": "bye"})
BYE = HangupNode(name="bye")
PLAN = plan_of(
    AnswerNode(name="pick_up", exits={"next": "again"}), AnswerNode(name="again", exits={"next": "hello"}), HELLO, BYE
)
SILENT = plan_of(
    AnswerNode(name="pick_up", exits={"next": "again"}), AnswerNode(name="again", exits={"next": "bye"}), BYE
)


def case_answers_once_together_with_what_is_heard() -> Playbook:
    """The prompt takes the call off the hook: nobody waits for the answer alone."""
    call = Playbook(PLAN).offer().expects("answer", "play hello").passes("pick_up:next", "again:next")
    call.after(0.1).answered().prompt_ended().expects("hang up 16")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_where_nothing_is_heard_the_answer_is_waited_for() -> Playbook:
    """Or a hang-up would overtake it."""
    call = Playbook(SILENT).offer().expects("answer")
    call.after(0.1).answered().expects("hang up 16").passes("pick_up:next", "again:next", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_hang_up_before_the_answer_is_done() -> Playbook:
    """It never got anywhere."""
    call = Playbook(SILENT).offer().expects("answer")
    assert call.call.state is CallState.ANSWERING
    return call.hangs_up().ends(Disposition.LEFT_EARLY)


def case_keys_while_being_answered_do_no_harm() -> Playbook:
    """There is nothing yet that they could choose."""
    call = Playbook(SILENT).offer().expects("answer")
    call.digits("7").answered().expects("hang up 16").passes("pick_up:next", "again:next", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        PLAN.nodes["pick_up"],
        About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING},
            does=(Answer(),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
)
"""Nodes, and what each says of itself."""
