"""Play one or several prompts, then go on.

```yaml
play:
  prompt:
    - { say: "Votre dossier numéro" }
    - { digits: dossier }
    - { say: "Votre rendez-vous est fixé au" }
    - { date: rendezvous }
    - { time: rendezvous }
  interruptible: true
  next: menu
```

A prompt may be a sequence, and read values aloud, here between texts; `"Votre dossier {dossier}."` says the same.

A key pressed meanwhile cuts the prompt short (unless `interruptible: false`) and is kept for the next menu.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState
from callrouter.core.effects import Part, Play
from callrouter.core.nodes._base import Leave, Node, Stay, Step, keyed, read_in, sounds_in, spoken, usual_seconds
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

_MAY_BE_SKIPPED = LeftBy.TIME | LeftBy.NOTHING


class PlayNode(Node, frozen=True, kw_only=True):
    """Play sounds, then go on."""

    kind: ClassVar[str] = "play"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next"})

    sounds: tuple[PromptPart, ...]
    interruptible: bool = True

    def about(self) -> About:
        """A key that is there already cuts it short, and a value that cannot be read aloud may leave nothing to say."""
        plain = sounds_in(self.sounds)
        return About(
            family=Family.DOES,
            left_by={"next": _MAY_BE_SKIPPED if self.interruptible or not plain else LeftBy.TIME},
            does=(Play(sounds=plain, interruptible=self.interruptible),),
            reads=Reads(),
            variables=Variables(needed=read_in(self.sounds)),
            uses=Uses(),
            effort=Effort(seconds=usual_seconds(self.sounds)),
            unheard={"interruptible": "whether a key ends what is heard"},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Play, unless the caller has already keyed what comes next."""
        call = keyed(call)
        if self.interruptible and call.digits:
            return Leave(call=call, exit="next", because="keyed ahead")
        parts, troubles = spoken(plan, call, self.sounds)
        if not parts:
            return Leave(call=call, exit="next", because="nothing to say", troubles=troubles)
        return self._play(call, parts, troubles)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """From its beginning."""
        return self._play(call, *spoken(plan, call, self.sounds))

    def _play(self, call: Call, parts: tuple[Part, ...], troubles: tuple[str, ...]) -> Stay:
        play = Play(sounds=parts, interruptible=self.interruptible)
        return Stay(call=call, state=CallState.PLAYING, effects=(play,), troubles=troubles)
