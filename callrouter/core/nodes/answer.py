"""Take the call off the hook before anything is heard.

```yaml
answer: { next: welcome }
```

Nodes that play, collect, queue or record answer by themselves; this one makes the moment explicit, and takes no time
where one of them follows.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, replace
from callrouter.core.effects import Answer
from callrouter.core.nodes._base import Leave, Node, Stay, Step
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class AnswerNode(Node, frozen=True, kw_only=True):
    """Answer, then go on."""

    kind: ClassVar[str] = "answer"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next"})

    def about(self) -> About:
        """Answered already, it is passed at once."""
        return About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING},
            does=(Answer(),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Answer, unless that was done before."""
        if call.clocks.answered_at:
            return Leave(call=call, exit="next", because="already answered")
        return replace(self.wait_again(plan, call, at), instead=Leave(call=call, exit="next"))

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Answer."""
        return Stay(call=call, state=CallState.ANSWERING, effects=(Answer(),))
