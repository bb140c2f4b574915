"""Go one way in opening hours, another outside them.

```yaml
opening_hours: { hours: open, open: welcome, closed: night, holiday: night }
```

`hours` names one of the client's hours (the only one, when there is one); `holiday` is optional and means
closed when it is not there. Times are the client's own zone's.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call
from callrouter.core.nodes._base import Leave, Node, Step
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class OpeningHoursNode(Node, frozen=True, kw_only=True):
    """Branch on the client's hours; exits are `open`, `closed` and, if wanted, `holiday`."""

    kind: ClassVar[str] = "opening_hours"
    exit_names: ClassVar[frozenset[str]] = frozenset({"open", "closed"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"holiday"})

    hours: str

    def about(self) -> About:
        """It looks at the hours; at their holidays only where those have an exit of their own."""
        return About(
            family=Family.DECIDES,
            left_by=dict.fromkeys(self.exits, LeftBy.NOTHING),
            does=(),
            reads=Reads(hours=self.hours, holidays="holiday" in self.exits),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Look at the clock we were handed."""
        found = plan.schedules[self.hours].at(at)
        if found.open:
            return Leave(call=call, exit="open", because=found.because)
        exit_name = "holiday" if found.holiday and "holiday" in self.exits else "closed"
        return Leave(call=call, exit=exit_name, because=found.because)
