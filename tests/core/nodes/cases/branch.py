"""Transcripts of `branch`."""

from datetime import UTC, date, datetime

from callrouter.core.call import Disposition
from callrouter.core.nodes import BranchNode, HangupNode, SetNode
from callrouter.core.nodes.branch import DateWithin, ShareOfCalls, VariableIs
from callrouter.testing import TUESDAY_10, Playbook, plan_of

BRANCH = BranchNode(
    name="area",
    when=(
        VariableIs(variable="postcode", values=("75011", "75012")),
        DateWithin(first=date(2026, 12, 24), last=date(2027, 1, 3)),
        ShareOfCalls(percent=10),
        VariableIs(variable="vip"),
    ),
    exits={"when:0": "bye", "when:1": "bye", "when:2": "bye", "when:3": "bye", "otherwise": "bye"},
)
DRAWN_LAST = "call-3"  # crc32 draws 98.04 of 100 for it
DRAWN_FIRST = "call-10"  # … and 5.79


def _call(variables: dict[str, str], call_id: str, *visits: str, at: datetime = TUESDAY_10) -> Playbook:
    plan = plan_of(SetNode(name="given", variables=variables, exits={"next": "area"}), BRANCH, HangupNode(name="bye"))
    call = Playbook(plan, at=at).offer(call_id=call_id).expects("hang up 16").passes("given:next", *visits, "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_by_value() -> Playbook:
    """One of several values, and why."""
    call = _call({"postcode": "75012"}, DRAWN_LAST, "area:when:0")
    assert call.call.visits[1].because == "postcode = 75012"
    return call


def case_by_date_in_the_clients_zone() -> Playbook:
    """23:30 UTC on the 23rd is Christmas Eve in Paris."""
    return _call({}, DRAWN_LAST, "area:when:1", at=datetime(2026, 12, 23, 23, 30, tzinfo=UTC))


def case_a_day_too_early() -> Playbook:
    """22:30 UTC on the 23rd is not."""
    return _call({}, DRAWN_LAST, "area:otherwise", at=datetime(2026, 12, 23, 22, 30, tzinfo=UTC))


def case_by_share() -> Playbook:
    """Drawn from the call's id: the same each time."""
    return _call({}, DRAWN_FIRST, "area:when:2")


def case_set_at_all() -> Playbook:
    """Any value will do."""
    return _call({"vip": "", "postcode": "92100"}, DRAWN_LAST, "area:when:3")


def case_otherwise() -> Playbook:
    """No condition holds."""
    return _call({"postcode": "92100"}, DRAWN_LAST, "area:otherwise")
