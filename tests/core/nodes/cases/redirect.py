"""Transcripts of `redirect`."""

from callrouter.core.call import DialOutcome, Disposition
from callrouter.core.effects import Dial
from callrouter.core.nodes import HangupNode, RedirectNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Ring, Uses, Variables
from callrouter.testing import Playbook, plan_of

PLAN = plan_of(RedirectNode(name="warehouse", number="+442079460041", exits={"failed": "bye"}), HangupNode(name="bye"))


def case_taken() -> Playbook:
    """Whoever answers there has the call."""
    call = Playbook(PLAN).offer().expects("dial +442079460041").somebody_answers()
    call.after(20).dial_ended(DialOutcome.ANSWERED).expects("hang up 16").passes("warehouse:end")
    return call.hangs_up().ends(Disposition.REDIRECTED)


def case_not_reached() -> Playbook:
    """The document says what then."""
    call = Playbook(PLAN).offer().expects("dial +442079460041")
    call.dial_ended(DialOutcome.BUSY).expects("hang up 16").passes("warehouse:failed", "bye:end")
    return call.hangs_up().ends(Disposition.ABANDONED)


ABOUT = (
    (
        PLAN.nodes["warehouse"],
        About(
            family=Family.REACHES,
            left_by={"failed": LeftBy.OTHERS},
            does=(Dial(numbers=("+442079460041",), ring_seconds=30.0),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(rings=(Ring(whom="+442079460041", path=("number",)),)),
            effort=Effort(),
            unheard={"identity": "the number that whoever is rung sees"},
        ),
    ),
)
"""Nodes, and what each says of itself."""
