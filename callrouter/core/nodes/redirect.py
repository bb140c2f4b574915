"""Send the call to a number for good.

```yaml
redirect: { number: "01 40 00 00 99", ring: 30s, failed: take_message }
```

Whoever answers there has the call; nobody within `ring`: `failed`. `identity` is whose number they see, where it is not
that of the client's other calls.

`redirect: { client: etude-lenoir }`, or `redirect: { did: "01 99 00 00 20" }` with one of its numbers, goes on at the
start of another client's tree, with that client's hours, lists and language; the call stays in the first one's record
and has the first one's fallback.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, DialOutcome
from callrouter.core.effects import Dial
from callrouter.core.identity import Identity
from callrouter.core.inputs import DialEnded, Result
from callrouter.core.nodes._base import Finish, Leave, Node, Stay, Step
from callrouter.core.nodes.about import WHOSE_NUMBER, About, Effort, Family, LeftBy, Reads, Ring, Uses, Variables

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class RedirectNode(Node, frozen=True, kw_only=True):
    """Redirect to a number; its exit is `failed`."""

    kind: ClassVar[str] = "redirect"
    exit_names: ClassVar[frozenset[str]] = frozenset({"failed"})

    number: str
    ring_seconds: float = 30.0
    identity: Identity | None = None
    """Whose number they see; None: what the client's other calls show."""

    def about(self) -> About:
        """Whoever has the number decides."""
        return About(
            family=Family.REACHES,
            left_by={"failed": LeftBy.OTHERS},
            does=(self._dial(),),
            reads=Reads(),
            variables=Variables(),
            uses=Uses(rings=(Ring(whom=self.number, path=("number",)),)),
            effort=Effort(),
            unheard={"identity": WHOSE_NUMBER},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Ring it."""
        return self.wait_again(plan, call, at)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Ring it."""
        return Stay(call=call, state=CallState.DIALLING, effects=(self._dial(),))

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Over, or not reached."""
        outcome = result.outcome if isinstance(result, DialEnded) else DialOutcome.FAILED
        if outcome is DialOutcome.ANSWERED:
            return Finish(call=call, because="conversation over")
        return Leave(call=call, exit="failed", because=outcome.value)

    def _dial(self) -> Dial:
        return Dial(numbers=(self.number,), ring_seconds=self.ring_seconds, identity=self.identity)
