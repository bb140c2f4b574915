"""Put the caller in a team's line.

```yaml
queue:
  name: medical
  priority: 0
  priority_of: { vip: 10 }
  rises: { after: 2m, to: 10 }
  max_wait: 3m
  brief: { say: "Cabinet Moreau" }
  announce: { every: 30s, tell: [position, expected_wait] }
  comfort: { every: 45s, messages: ["Merci de patienter.", "Pour laisser un message, tapez 1."] }
  keys: { "1": take_message }
  overflow: take_message
```

Music plays until an agent answers; `brief`, or else the client's `answer_phrase`, is whispered to the agent first.
Nobody within `max_wait`, a full queue or nobody logged in: `overflow`. After the conversation the call ends, or goes on
at `done`. `keys` leave the line, to leave a message, say, or to ask for a callback; a caller who comes back to the same
line in the same call, after a key or after `max_wait`, has the place that they would have had, had they stayed.

Higher priorities are answered first, and of callers with the same priority the one who came first. The first list of
`priority_of` that holds the caller decides, else the node's `priority`, else the client's, else it is 0. `rises` raises
it for whoever has waited so long, and never lowers it; they stand after those who had that priority before them. It
does nothing while no engine runs.

`announce` tells callers their position and how long it may take, in callrouter's own sentences in the language of the
call. Neither ever goes up for one caller: where it would, nothing is said. The expected wait is the position times the
team's mean conversation and the client's wrap-up, divided by the agents who are there and not paused; it is not told
while the team has not talked to anybody since Asterisk's start. `comfort` plays its messages in turn. Both are heard
over the music, delay no agent, stop when one answers, and are silent while no engine runs.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, QueueOutcome, replace
from callrouter.core.effects import Announced, Comfort, EnterQueue, Part, Rising
from callrouter.core.inputs import QueueLeft, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, read_in, sounds_in, spoken
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart
from callrouter.core.waiting.priority import ListPriority, priority_of
from callrouter.core.waiting.turns import turn_of

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class QueueNode(Node, frozen=True, kw_only=True):
    """Wait for an agent; exits are `overflow`, `key:1` … and, if wanted, `done`."""

    kind: ClassVar[str] = "queue"
    exit_names: ClassVar[frozenset[str]] = frozenset({"overflow"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"done"})

    queue: str
    priority: int = 0
    list_priorities: tuple[ListPriority, ...] = ()
    rising: Rising | None = None
    max_wait_seconds: float
    brief: tuple[PromptPart, ...] = ()
    keys: tuple[str, ...] = ()
    announced: Announced | None = None
    comfort: tuple[tuple[PromptPart, ...], ...] = ()
    comfort_seconds: float = 0.0

    def about(self) -> About:
        """Agents decide."""
        return About(
            family=Family.REACHES,
            left_by={way: LeftBy.KEY if way.startswith("key:") else LeftBy.OTHERS for way in self.exits},
            does=(self._joins(sounds_in(self.brief), tuple(map(sounds_in, self.comfort))),),
            reads=Reads(lists=tuple(one.callers for one in self.list_priorities)),
            variables=Variables(needed=read_in(self.brief, *self.comfort)),
            uses=Uses(),
            effort=Effort(),
            unheard={"brief": "what agents hear first"},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Join the line."""
        brief, troubles = spoken(plan, call, self.brief)
        said = [spoken(plan, call, message) for message in self.comfort]
        turn_at = turn_of(call, self.queue)
        priority, rising = priority_of(call.caller, self.priority, self.list_priorities, self.rising, turn_at, at)
        joins = replace(
            self._joins(brief or plan.phrase_sounds, tuple(parts for parts, _ in said)),
            briefing=plan.briefing(self.queue),
            turn_at=turn_at,
            priority=priority,
            rising=rising,
        )
        troubles = (*troubles, *(trouble for _, wrong in said for trouble in wrong))
        return Stay(call=call, state=CallState.QUEUED, effects=(joins,), troubles=troubles)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The conversation is over, or nobody came."""
        if isinstance(result, QueueLeft) and result.outcome is QueueOutcome.ANSWERED:
            return self.leave_or_finish(call, "done", "conversation over")
        if isinstance(result, QueueLeft) and result.key in self.keys:
            return Leave(call=call, exit=f"key:{result.key}", because=f"key {result.key}")
        outcome = result.outcome.value if isinstance(result, QueueLeft) else "failed"
        return Leave(call=call, exit="overflow", because=outcome)

    def _joins(self, brief: tuple[Part, ...], messages: tuple[tuple[Part, ...], ...]) -> EnterQueue:
        heard = tuple(message for message in messages if message)
        return EnterQueue(
            queue=self.queue,
            priority=self.priority,
            max_wait_seconds=self.max_wait_seconds,
            brief=brief,
            keys=self.keys,
            announced=self.announced,
            rising=self.rising,
            comfort=Comfort(every_seconds=self.comfort_seconds, messages=heard) if heard else None,
        )
