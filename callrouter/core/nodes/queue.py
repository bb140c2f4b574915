"""Put the caller in a team's line.

```yaml
queue:
  name: medical
  priority: 0
  max_wait: 3m
  brief: { say: "Cabinet Moreau" }
  overflow: take_message
```

Music plays until an agent answers; `brief`, or else the client's `answer_phrase`, is whispered to the agent first.
Nobody within `max_wait`, a full queue or nobody logged in: `overflow`. After the conversation the call ends, or goes on
at `done`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.agents.preference import Preference
from callrouter.core.call import Call, CallState, QueueOutcome
from callrouter.core.effects import Briefing, EnterQueue, Part
from callrouter.core.inputs import QueueLeft, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, read_in, sounds_in, spoken
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class QueueNode(Node, frozen=True, kw_only=True):
    """Wait for an agent; exits are `overflow` and, if wanted, `done`."""

    kind: ClassVar[str] = "queue"
    exit_names: ClassVar[frozenset[str]] = frozenset({"overflow"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"done"})

    queue: str
    priority: int = 0
    max_wait_seconds: float
    brief: tuple[PromptPart, ...] = ()
    preference: Preference | None = None
    """Whom of the team its client wants."""

    def about(self) -> About:
        """Agents decide."""
        return About(
            family=Family.REACHES,
            left_by=dict.fromkeys(self.exits, LeftBy.OTHERS),
            does=(self._joins(sounds_in(self.brief)),),
            reads=Reads(),
            variables=Variables(needed=read_in(self.brief)),
            uses=Uses(),
            effort=Effort(),
            unheard={"brief": "what agents hear first"},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Join the line."""
        brief, troubles = spoken(plan, call, self.brief)
        joins = self._joins(brief or plan.phrase_sounds, plan.briefing(self.queue))
        return Stay(call=call, state=CallState.QUEUED, effects=(joins,), troubles=troubles)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The conversation is over, or nobody came."""
        if isinstance(result, QueueLeft) and result.outcome is QueueOutcome.ANSWERED:
            return self.leave_or_finish(call, "done", "conversation over")
        outcome = result.outcome.value if isinstance(result, QueueLeft) else "failed"
        return Leave(call=call, exit="overflow", because=outcome)

    def _joins(self, brief: tuple[Part, ...], briefing: Briefing | None = None) -> EnterQueue:
        return EnterQueue(
            queue=self.queue,
            priority=self.priority,
            max_wait_seconds=self.max_wait_seconds,
            brief=brief,
            briefing=briefing,
            preference=self.preference,
        )
