"""Go by who calls.

```yaml
caller: { vip: priority, unwanted: refuse, otherwise: hours }
```

Each key but `otherwise` names one of the client's lists, asked in the order written; the first that holds the
caller decides. A list holds numbers, prefixes (`"08*"`), and callers without a number, by why they have none:
`withheld` (the caller hides it), `unauthenticated` (the network could not authenticate it) and `unavailable` (there is
none, and nobody says why). Few trunks say all of it, and operators hide numbers that they cannot authenticate as if the
caller did: ask callers without a number who they are, rather than to refuse them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call
from callrouter.core.nodes._base import Leave, Node, Step
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.numbers import CallerList

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class CallerNode(Node, frozen=True, kw_only=True):
    """Branch on lists of callers; exits are `list:NAME` and `otherwise`."""

    kind: ClassVar[str] = "caller"
    exit_names: ClassVar[frozenset[str]] = frozenset({"otherwise"})

    lists: tuple[CallerList, ...]

    def about(self) -> About:
        """It asks its lists, and nothing else."""
        return About(
            family=Family.DECIDES,
            left_by=dict.fromkeys(self.exits, LeftBy.NOTHING),
            does=(),
            reads=Reads(lists=self.lists),
            variables=Variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """The first list that holds the caller decides."""
        for callers in self.lists:
            if found := callers.match(call.caller):
                return Leave(call=call, exit=f"list:{callers.name}", because=f"{callers.name}: {found}")
        return Leave(call=call, exit="otherwise", because="in no list")
