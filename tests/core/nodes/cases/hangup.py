"""Transcripts of `hangup`."""

from callrouter.core.call import Disposition
from callrouter.core.effects import Play
from callrouter.core.nodes import HangupNode
from callrouter.core.nodes.about import About, Effort, Family, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

PLAN = plan_of(HangupNode(name="bye", sounds=(sound("good-bye"),)))


def case_with_a_last_word() -> Playbook:
    """Then the end."""
    call = Playbook(PLAN).offer().expects("answer", "play good-bye").answered().prompt_ended().expects("hang up 16")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_control_lost_after_the_end_of_the_tree() -> Playbook:
    """The tree had served the caller; what remained was to hang up."""
    call = Playbook(PLAN).offer().expects("answer", "play good-bye").answered().prompt_ended().expects("hang up 16")
    return call.control_lost().hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        PLAN.nodes["bye"],
        About(
            family=Family.ENDS,
            left_by={},
            does=(Play(sounds=(sound("good-bye"),), interruptible=False),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
)
"""Nodes, and what each says of itself."""
