"""Refuse the call, politely if there is a prompt.

```yaml
reject: { cause: busy, prompt: { say: "Ce numéro ne reçoit pas d'appels masqués." } }
```

Without a prompt the call is never answered (`cause`: `rejected`, `busy` or `unallocated`); with one it is
answered, told so and ended. Either way it counts as rejected, and in no service figure.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, Disposition, replace
from callrouter.core.effects import Play
from callrouter.core.inputs import Result
from callrouter.core.nodes._base import Finish, Node, Stay, Step, read_in, sounds_in, spoken
from callrouter.core.nodes.about import About, Effort, Family, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class RejectNode(Node, frozen=True, kw_only=True):
    """Refuse; no exits."""

    kind: ClassVar[str] = "reject"
    exit_names: ClassVar[frozenset[str]] = frozenset()

    sounds: tuple[PromptPart, ...] = ()
    cause: int = 21
    """Q.850: 21 call rejected, 17 user busy, 1 unallocated number."""

    def about(self) -> About:
        """What is said before the caller is refused."""
        return About(
            family=Family.REFUSES,
            left_by={},
            does=(Play(sounds=sounds_in(self.sounds), interruptible=False),) if self.sounds else (),
            reads=Reads(),
            variables=Variables(needed=read_in(self.sounds)),
            uses=Uses(),
            effort=Effort(),
            unheard={"cause": "the cause given to the network"},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Refuse at once, or say why first."""
        if not self.sounds:
            return Finish(call=call, verdict=Disposition.REJECTED, cause=self.cause)
        # Decided now: a caller who hangs up during the sentence was refused all the same.
        call = replace(call, verdict=Disposition.REJECTED)
        return self.wait_again(plan, call, at)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """The sentence."""
        parts, troubles = spoken(plan, call, self.sounds)
        play = Play(sounds=parts, interruptible=False)
        return Stay(call=call, state=CallState.PLAYING, effects=(play,), troubles=troubles)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The sentence was said."""
        return Finish(call=call, verdict=Disposition.REJECTED, cause=self.cause)
