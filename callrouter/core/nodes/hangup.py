"""End the call, after a last word if there is one.

```yaml
hangup: { prompt: { say: "Merci, au revoir." } }
```
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState
from callrouter.core.effects import Play
from callrouter.core.inputs import Result
from callrouter.core.nodes._base import Finish, Node, Stay, Step, read_in, sounds_in, spoken
from callrouter.core.nodes.about import About, Effort, Family, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class HangupNode(Node, frozen=True, kw_only=True):
    """End the call; no exits."""

    kind: ClassVar[str] = "hangup"
    exit_names: ClassVar[frozenset[str]] = frozenset()

    sounds: tuple[PromptPart, ...] = ()

    def about(self) -> About:
        """The last word, if there is one."""
        return About(
            family=Family.ENDS,
            left_by={},
            does=(Play(sounds=sounds_in(self.sounds), interruptible=False),) if self.sounds else (),
            reads=Reads(),
            variables=Variables(needed=read_in(self.sounds)),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Say good-bye, or just end."""
        if not self.sounds:
            return Finish(call=call)
        return self.wait_again(plan, call, at)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Good-bye."""
        parts, troubles = spoken(plan, call, self.sounds)
        play = Play(sounds=parts, interruptible=False)
        return Stay(call=call, state=CallState.PLAYING, effects=(play,), troubles=troubles)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Good-bye was said."""
        return Finish(call=call)
