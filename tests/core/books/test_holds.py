"""Each time on hold is a fact of its own, whatever is heard in whatever order."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import facts
from callrouter.core.call import Call, Disposition, Hold, LegPurpose
from callrouter.core.explain import explain
from callrouter.core.inputs import AgentAnswered, LegHeard, LegSign
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.testing import Playbook, plan_of

PLAN = plan_of(
    QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "bye"}), HangupNode(name="bye")
)
SIGNS = (LegSign.HELD, LegSign.RESUMED, LegSign.HUNG_UP, LegSign.ENDED)


def talking() -> Playbook:
    """The caller talks to anne, on her channel 1.1."""
    call = Playbook(PLAN).offer().expects("answer", "queue sales").answered().after(5)
    return call.tells(AgentAnswered(agent="anne", at=call.at, leg="1.1"))


def heard(call: Playbook, sign: LegSign, after: float) -> Playbook:
    call.after(after)
    return call.tells(LegHeard(leg="1.1", sign=sign, at=call.at))


def noted(call: Playbook) -> list[Hold]:
    return [fact.hold for fact in call.facts if isinstance(fact, facts.HoldNoted)]


def test_two_holds_the_second_to_the_end() -> None:
    """Each begins and ends as a fact; they are in the explanation."""
    call = heard(heard(heard(talking(), LegSign.HELD, 10), LegSign.RESUMED, 7), LegSign.HELD, 20)
    call.after(4).hangs_up().ends(Disposition.ANSWERED)

    assert [(one.leg, one.number, one.seconds()) for one in noted(call)] == [(1, 1, 0), (1, 1, 7), (1, 2, 0), (1, 2, 4)]
    assert [(one.number, one.seconds()) for one in call.call.holds] == [(1, 7), (2, 4)]
    assert sum("on hold for" in line for line in explain(call.call, PLAN)) == 2


@given(st.lists(st.tuples(st.sampled_from(SIGNS), st.integers(0, 30)), max_size=20))
def test_they_are_what_the_leg_was_on_hold(signs: list[tuple[LegSign, int]]) -> None:
    """Numbered without a gap, none within another, and as long in all as the leg says."""
    call = talking()
    for sign, after in signs:
        heard(call, sign, after)
    call.after(1).hangs_up().ends(Disposition.ANSWERED)
    ended: Call = call.call
    [leg] = [one for one in ended.legs if one.purpose is LegPurpose.AGENT]

    assert [one.number for one in ended.holds] == list(range(1, leg.holds + 1))
    assert abs(sum(one.seconds() for one in ended.holds) - leg.hold_seconds) < 1e-3
    for earlier, later in zip(ended.holds, ended.holds[1:], strict=False):
        assert earlier.ended_at is not None
        assert earlier.ended_at <= later.began_at + timedelta(microseconds=1)
