"""Go by a variable, a date, or a share of the calls.

```yaml
branch:
  when:
    - { variable: dossier, equals: "1234", then: known }
    - { from: 2026-12-24, to: 2027-01-03, then: christmas }
    - { percentage: 10, then: survey }
  otherwise: secretaries
```

The first condition that holds decides. The share is drawn from the call's own id: the same call always goes
the same way.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from callrouter.core.call import Call
from callrouter.core.nodes._base import Leave, Node, Step

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableIs:
    """The variable has one of these values; with none given: it is set at all."""

    variable: str
    values: tuple[str, ...] = ()

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        value = call.variables.get(self.variable)
        if value is None or (self.values and value not in self.values):
            return ""
        return f"{self.variable} = {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWithin:
    """The day, in the client's zone, is one of these (both ends included)."""

    first: date
    last: date
    timezone: str = ""
    """IANA name; empty: the plan's own."""

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        today = at.astimezone(ZoneInfo(self.timezone or plan.timezone)).date()
        return f"{today.isoformat()}" if self.first <= today <= self.last else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOfCalls:
    """This share of the calls, in percent."""

    percent: float

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        drawn = zlib.crc32(call.call_id.encode()) % 10_000 / 100
        return f"drawn {drawn:.2f} of {self.percent:g} %" if drawn < self.percent else ""


Condition = VariableIs | DateWithin | ShareOfCalls


@dataclass(frozen=True, kw_only=True)
class BranchNode(Node):
    """Branch on conditions; exits are `when:0`, `when:1` … in the order written, and `otherwise`."""

    kind: ClassVar[str] = "branch"
    exit_names: ClassVar[frozenset[str]] = frozenset({"otherwise"})

    when: tuple[Condition, ...]

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """The first condition that holds decides."""
        for index, condition in enumerate(self.when):
            if because := condition.holds(plan, call, at):
                return Leave(call=call, exit=f"when:{index}", because=because)
        return Leave(call=call, exit="otherwise", because="no condition holds")
