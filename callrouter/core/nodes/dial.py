"""Ring people of the client's.

```yaml
dial:
  contacts: [doctor, nurse]
  mode: in_turn
  ring: 20s
  screen: true
  no_answer: urgent_message
```

`mode` is `in_turn` (one after the other) or `at_once` (the first to accept is connected). With `screen`, the
called party must press 1 to accept, so that a mobile's voicemail does not swallow an emergency. Nobody:
`no_answer`. After the conversation the call ends, or goes on at `done`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, DialOutcome
from callrouter.core.effects import Dial, Sound
from callrouter.core.inputs import DialEnded, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, remember

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody who can be reached by telephone."""

    name: str
    number: str
    """E.164."""


@dataclass(frozen=True, kw_only=True)
class DialNode(Node):
    """Ring contacts; exits are `no_answer` and, if wanted, `done`."""

    kind: ClassVar[str] = "dial"
    exit_names: ClassVar[frozenset[str]] = frozenset({"no_answer"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"done"})

    contacts: tuple[Contact, ...]
    at_once: bool = False
    ring_seconds: float = 20.0
    screen: tuple[Sound, ...] = ()

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Ring the first, or all."""
        return self._ring(call, 0)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The conversation is over; or the next one's turn; or nobody is left."""
        outcome = result.outcome if isinstance(result, DialEnded) else DialOutcome.FAILED
        if outcome is DialOutcome.ANSWERED:
            return self.leave_or_finish(call, "done", "conversation over")
        following = call.memory.get("next", 0) + 1
        if self.at_once or following >= len(self.contacts):
            return Leave(call=call, exit="no_answer", because=outcome.value)
        return self._ring(call, following)

    def targets(self, call: Call) -> tuple[Contact, ...]:
        """Whom the present attempt rings."""
        return self.contacts if self.at_once else (self.contacts[call.memory.get("next", 0)],)

    def _ring(self, call: Call, index: int) -> Step:
        call = remember(call, next=index)
        targets = self.targets(call)
        dial = Dial(
            numbers=tuple(contact.number for contact in targets),
            names=tuple(contact.name for contact in targets),
            ring_seconds=self.ring_seconds,
            screen=self.screen,
        )
        return Stay(call=call, state=CallState.DIALLING, effects=(dial,))
