"""Give variables a value.

```yaml
set: { variables: { motif: urgence }, next: secretaries }
```

Variables are kept with the call and stand in its record. `set: { language: en, next: welcome }` changes the language
instead, or as well: all that follows is spoken in it, and every prompt on the way must be written in it.
`show`, `route` and `explain` call a node that is met in another language than the first `welcome@en`; an expected route
may name it so, or as `welcome`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, replace
from callrouter.core.nodes._base import Leave, Node, Step
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class SetNode(Node, frozen=True, kw_only=True):
    """Set variables, then go on."""

    kind: ClassVar[str] = "set"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next"})

    variables: Mapping[str, str]

    def about(self) -> About:
        """The ones it sets, whatever they were."""
        return About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING},
            does=(),
            reads=Reads(),
            variables=Variables(
                longest={name: len(value) for name, value in self.variables.items()},
                known_after={"next": frozenset(self.variables)},
            ),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Set them."""
        because = ", ".join(f"{name} = {value}" for name, value in self.variables.items())
        call = replace(call, variables={**call.variables, **self.variables})
        return Leave(call=call, exit="next", because=because)
