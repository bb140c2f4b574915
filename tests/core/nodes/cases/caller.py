"""Transcripts of `caller`."""

from callrouter.core.call import Disposition, Presentation
from callrouter.core.nodes import CallerNode, HangupNode, RejectNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.numbers import CallerList
from callrouter.testing import Playbook, plan_of

HIDDEN = frozenset({Presentation.WITHHELD, Presentation.UNAUTHENTICATED})
PLAN = plan_of(
    CallerNode(
        name="filter",
        lists=(
            CallerList(name="vip", numbers=frozenset({"+33612340007", "+33899000001"})),
            CallerList(
                name="unwanted",
                prefixes=("+338",),
                without_number=HIDDEN,
            ),
        ),
        exits={"list:vip": "welcome", "list:unwanted": "refuse", "otherwise": "bye"},
    ),
    HangupNode(name="welcome"),
    HangupNode(name="bye"),
    RejectNode(name="refuse"),
)


def case_in_no_list() -> Playbook:
    """Everybody else."""
    call = Playbook(PLAN).offer(caller="+33612340001").expects("hang up 16").passes("filter:otherwise", "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_by_number() -> Playbook:
    """The first list that holds them decides, though their prefix is unwanted."""
    call = Playbook(PLAN).offer(caller="+33899000001").expects("hang up 16").passes("filter:list:vip", "welcome:end")
    assert call.call.visits[0].because == "vip: +33899000001"
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_by_prefix() -> Playbook:
    """Premium numbers."""
    call = Playbook(PLAN).offer(caller="+33899123456").expects("hang up 21")
    call.passes("filter:list:unwanted", "refuse:end")
    assert call.call.visits[0].because == "unwanted: +338*"
    return call.hangs_up().ends(Disposition.REJECTED)


def case_withheld() -> Playbook:
    """A withheld number is not compared, even when the trunk lets us see it."""
    call = Playbook(PLAN).offer(caller="+33612340007", presentation=Presentation.WITHHELD).expects("hang up 21")
    assert call.call.visits[0].because == "unwanted: withheld"
    return call.hangs_up().ends(Disposition.REJECTED)


def case_not_authenticated() -> Playbook:
    """Said as such, where the list names them."""
    call = Playbook(PLAN).offer(caller=None, presentation=Presentation.UNAUTHENTICATED).expects("hang up 21")
    assert call.call.visits[0].because == "unwanted: unauthenticated"
    return call.hangs_up().ends(Disposition.REJECTED)


def case_without_any_number() -> Playbook:
    """Whose number is not there, and nobody says why, has not withheld it."""
    call = Playbook(PLAN).offer(caller=None, presentation=Presentation.UNAVAILABLE).expects("hang up 16")
    return call.passes("filter:otherwise", "bye:end").hangs_up().ends(Disposition.SELF_SERVED)


ABOUT = (
    (
        PLAN.nodes["filter"],
        About(
            family=Family.DECIDES,
            left_by={"list:vip": LeftBy.NOTHING, "list:unwanted": LeftBy.NOTHING, "otherwise": LeftBy.NOTHING},
            does=(),
            reads=Reads(
                lists=(
                    CallerList(name="vip", numbers=frozenset({"+33612340007", "+33899000001"})),
                    CallerList(
                        name="unwanted",
                        prefixes=("+338",),
                        without_number=HIDDEN,
                    ),
                )
            ),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
)
"""Nodes, and what each says of itself."""
