"""Transcripts of `reject`."""

from callrouter.core.call import Disposition
from callrouter.core.effects import Answer, Play
from callrouter.core.nodes import RejectNode
from callrouter.core.nodes.about import About, Effort, Family, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of, sound

SILENT = plan_of(RejectNode(name="refuse", cause=17))
SORRY = sound("sorry")
POLITE = plan_of(RejectNode(name="refuse", sounds=(SORRY,)))


def case_without_a_word() -> Playbook:
    """Never answered."""
    call = Playbook(SILENT).offer().expects("hang up 17").passes("refuse:end")
    call.hangs_up().ends(Disposition.REJECTED)
    assert call.call.clocks.answered_at is None
    return call


def case_politely() -> Playbook:
    """No key cuts the sentence short."""
    call = Playbook(POLITE).offer().expects(Answer(), Play(sounds=(SORRY,), interruptible=False)).answered()
    return call.digits("1").prompt_ended().expects("hang up 21").hangs_up().ends(Disposition.REJECTED)


def case_hang_up_during_the_sentence() -> Playbook:
    """Refused all the same."""
    return Playbook(POLITE).offer().expects(Answer, Play).answered().hangs_up().ends(Disposition.REJECTED)


ABOUT = (
    (
        SILENT.nodes["refuse"],
        About(
            family=Family.REFUSES,
            left_by={},
            does=(),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={"cause": "the cause given to the network"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
