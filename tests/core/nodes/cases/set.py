"""Transcripts of `set`."""

from callrouter.core.call import Disposition
from callrouter.core.nodes import HangupNode, SetNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.testing import Playbook, plan_of

PLAN = plan_of(
    SetNode(name="first", variables={"reason": "urgent", "team": "day"}, exits={"next": "second"}),
    SetNode(name="second", variables={"reason": "«très» urgent"}, exits={"next": "bye"}),
    HangupNode(name="bye"),
)


def case_the_last_value_stays() -> Playbook:
    """And the others are kept."""
    call = Playbook(PLAN).offer().expects("hang up 16").passes("first:next", "second:next", "bye:end")
    assert call.call.variables == {"reason": "«très» urgent", "team": "day"}
    return call.hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        PLAN.nodes["first"],
        About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING},
            does=(),
            reads=Reads(),
            variables=Variables(longest={"reason": 6, "team": 3}, known_after={"next": frozenset({"reason", "team"})}),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
)
"""Nodes, and what each says of itself."""
