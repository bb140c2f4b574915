"""Put the caller in a team's line.

```yaml
queue:
  name: medical
  priority: 0
  max_wait: 3m
  brief: { say: "Cabinet Moreau" }
  record: { announcement: { say: "Cet appel est enregistré. Pour vous y opposer, tapez 9." }, objection: "9" }
  overflow: take_message
```

Music plays until an agent answers; `brief`, or else the client's `answer_phrase`, is whispered to the agent first.
Nobody within `max_wait`, a full queue or nobody logged in: `overflow`. After the conversation the call ends, or goes on
at `done`.

With `record` the conversation is recorded, through transfers too, once the caller has heard the whole `announcement`;
it is said once a call. The caller objects by the key `objection` during it, while they wait or while they talk:
nothing more is recorded, and what was recorded is deleted. The agent pauses the recording with *7 and resumes it with
*8. Without an engine nobody hears the announcement, and no conversation is recorded.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from msgspec import structs

from callrouter.core.books import recordings
from callrouter.core.call import Call, CallState, QueueOutcome, replace
from callrouter.core.effects import Briefing, EnterQueue, Part, Play, Sound
from callrouter.core.inputs import PromptEnded, QueueLeft, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, read_in, sounds_in, spoken, usual_seconds
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
    announcement: tuple[PromptPart, ...] = ()
    """Said before a conversation that is recorded; empty: it is not recorded."""
    objection: str = ""
    """The key by which the caller objects to that."""
    keep_days: int = 0
    """For how long the recording is kept."""

    def about(self) -> About:
        """Agents decide."""
        announces = (_announces(sounds_in(self.announcement)),) if self.announcement else ()
        return About(
            family=Family.REACHES,
            left_by=dict.fromkeys(self.exits, LeftBy.OTHERS),
            does=(*announces, self._joins(sounds_in(self.brief))),
            reads=Reads(),
            variables=Variables(needed=read_in(self.brief, self.announcement)),
            uses=Uses(),
            effort=Effort(seconds=usual_seconds(self.announcement)),
            unheard={
                "brief": "what agents hear first",
                "objection": "the key by which callers object to being recorded",
                "keep_days": "how many days a conversation's recording is kept",
            },
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Join the line; say before that the conversation is recorded, once a call."""
        if not self.announcement or call.recordings_made:
            return self._wait(plan, call)
        parts, troubles = spoken(plan, call, self.announcement)
        if not any(isinstance(part, Sound) for part in parts):
            return self._wait(plan, call, record=False)  # nothing was said, so nothing is recorded
        # What was keyed before the caller knew of it is no objection, and no key cuts it short.
        call = replace(call, digits="")
        return Stay(call=call, state=CallState.PLAYING, effects=(_announces(parts),), troubles=troubles)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The announcement was heard; or the conversation is over, or nobody came."""
        if isinstance(result, PromptEnded):
            if self.objection in call.digits:
                call = recordings.object_ahead(call, self.objection, at)
            return self._wait(plan, call)
        if isinstance(result, QueueLeft) and result.outcome is QueueOutcome.ANSWERED:
            return self.leave_or_finish(call, "done", "conversation over")
        outcome = result.outcome.value if isinstance(result, QueueLeft) else "failed"
        return Leave(call=call, exit="overflow", because=outcome)

    def _wait(self, plan: Plan, call: Call, *, record: bool = True) -> Step:
        recorded = record and bool(self.announcement) and not recordings.objected(call)
        if recorded:
            call = recordings.ask(call, self.objection, self.keep_days)
        brief, troubles = spoken(plan, call, self.brief)
        joins = self._joins(brief or plan.phrase_sounds, plan.briefing(self.queue))
        if recorded:
            name = recordings.name_of(call.call_id, call.recordings_made)
            joins = structs.replace(joins, recording=name, objection=self.objection)
        return Stay(call=call, state=CallState.QUEUED, effects=(joins,), troubles=troubles)

    def _joins(self, brief: tuple[Part, ...], briefing: Briefing | None = None) -> EnterQueue:
        return EnterQueue(
            queue=self.queue,
            priority=self.priority,
            max_wait_seconds=self.max_wait_seconds,
            brief=brief,
            briefing=briefing,
        )


def _announces(parts: tuple[Part, ...]) -> Play:
    return Play(sounds=parts, interruptible=False)
