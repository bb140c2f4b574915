"""Another engine has a call from now on: the same call, in the same wait. Pure.

The step stays as it is: what was asked for is what is still waited for, whoever asked. The trace has a stamp, as a
passage of the node that the caller is in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callrouter.core import facts as fact
from callrouter.core.call import TAKEN_OVER, Call, CallState, Revision, Visit, replace
from callrouter.core.effects import Hangup
from callrouter.core.plan import Plan
from callrouter.core.steps.turn import Turn, refuse
from callrouter.core.steps.walk import in_full
from callrouter.core.transfers import waits

NORMAL_CLEARING: Final = 16
"""Q.850."""
_BECAUSE: Final = "another engine goes on"
_WAITS: Final = frozenset(CallState) - {CallState.OFFERED, CallState.HANGING_UP, CallState.ADRIFT, CallState.ENDED}
"""States in which something was asked of the switch that ends the wait."""


def take_over(call: Call, epoch: int, at: datetime) -> Turn:
    """The call under a new epoch; nothing is asked for."""
    stamp = Visit(node=call.node, exit=TAKEN_OVER, because=_BECAUSE, at=at)
    revision = Revision(max(epoch, call.revision.epoch), call.revision.count + 1)
    call = replace(call, revision=revision, visits=(*call.visits, stamp))
    return Turn(call=call, facts=(fact.CallTakenOver(call=call, at=at),))


def ask_again(plan: Plan, call: Call, at: datetime) -> Turn:
    """The effects of the wait that the call is in, or of its end; the call stays as it is."""
    if call.state is CallState.HANGING_UP:
        return Turn(call=call, effects=(Hangup(cause=call.hangup_cause or NORMAL_CLEARING),))
    if call.state not in _WAITS:
        return refuse(call, f"nothing is waited for while {call.state}")
    node = plan.nodes[call.node]
    stay = waits.wait_again(plan, call) if waits.is_given_away(call) else node.wait_again(plan, call, at)
    return Turn(call=call, effects=in_full(plan, call, stay.effects))
