"""Play one or several prompts, then go on.

```yaml
play:
  prompt: { say: "Bonjour, cabinet du docteur Moreau." }
  interruptible: true
  next: menu
```

A key pressed meanwhile cuts the prompt short (unless `interruptible: false`) and is kept for the next menu.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState
from callrouter.core.effects import Play, Sound
from callrouter.core.nodes._base import Leave, Node, Stay, Step, keyed

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


@dataclass(frozen=True, kw_only=True)
class PlayNode(Node):
    """Play sounds, then go on."""

    kind: ClassVar[str] = "play"

    sounds: tuple[Sound, ...]
    interruptible: bool = True

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Play, unless the caller has already keyed what comes next."""
        call = keyed(call)
        if self.interruptible and call.digits:
            return Leave(call=call, exit="next", because="keyed ahead")
        play = Play(sounds=self.sounds, interruptible=self.interruptible)
        return Stay(call=call, state=CallState.PLAYING, effects=(play,))
