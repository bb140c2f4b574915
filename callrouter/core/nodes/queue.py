"""Put the caller in a team's line.

```yaml
queue:
  name: medical
  priority: 0
  priority_of: { vip: 10 }
  rises: { after: 2m, to: 10 }
  max_wait: 3m
  brief: { say: "Cabinet Moreau" }
  record: { announcement: { say: "Cet appel est enregistré. Pour vous y opposer, tapez 9." }, objection: "9" }
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

With `record` the conversation is recorded, through transfers too, once the caller has heard the whole `announcement`;
it is said once a call. Where it was not heard whole (a value it reads is not set, a sound is missing, the link to
Asterisk was away) the caller waits all the same, and is not recorded. The caller objects by the key `objection` during
it, while they wait or while they talk: nothing more is recorded, and what was recorded is deleted. The agent pauses the
recording with *7 and resumes it with *8. Without an engine nobody hears the announcement, and no conversation is
recorded.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import structs

from callrouter.core.agents.preference import Preference
from callrouter.core.books import recordings
from callrouter.core.call import Call, CallState, QueueOutcome, replace
from callrouter.core.effects import Announced, Comfort, EnterQueue, Part, Play, Rising, Sound
from callrouter.core.inputs import PromptEnded, QueueLeft, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, read_in, sounds_in, spoken, usual_seconds
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart
from callrouter.core.waiting.priority import ListPriority, priority_of
from callrouter.core.waiting.turns import turn_of

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


_HEARD_SHARE: Final = 0.9
"""Of an announcement's length: the switch ends a little before the length that is written down."""


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
    preference: Preference | None = None
    """Whom of the team its client wants."""
    keys: tuple[str, ...] = ()
    announced: Announced | None = None
    comfort: tuple[tuple[PromptPart, ...], ...] = ()
    comfort_seconds: float = 0.0
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
            left_by={way: LeftBy.KEY if way.startswith("key:") else LeftBy.OTHERS for way in self.exits},
            does=(*announces, self._joins(sounds_in(self.brief), tuple(map(sounds_in, self.comfort)))),
            reads=Reads(lists=tuple(one.callers for one in self.list_priorities)),
            variables=Variables(needed=read_in(self.brief, self.announcement, *self.comfort)),
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
            return self._wait(plan, call, at)
        parts, troubles = spoken(plan, call, self.announcement)
        if troubles or not any(isinstance(part, Sound) for part in parts):
            # Not all of it would be said, so nothing is recorded.
            return self._wait(plan, call, at, record=False, missed=troubles)
        # What was keyed before the caller knew of it is no objection, and no key cuts it short.
        call = replace(call, digits="")
        return Stay(call=call, state=CallState.PLAYING, effects=(_announces(parts),), troubles=troubles)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The announcement was heard; or the conversation is over, or nobody came."""
        if isinstance(result, PromptEnded):
            if self.objection in call.digits:
                call = recordings.object_ahead(call, self.objection, at)
            return self._wait(plan, call, at, record=self._was_heard(call, result))
        if isinstance(result, QueueLeft) and result.outcome is QueueOutcome.ANSWERED:
            return self.leave_or_finish(call, "done", "conversation over")
        if isinstance(result, QueueLeft) and result.key in self.keys:
            return Leave(call=call, exit=f"key:{result.key}", because=f"key {result.key}")
        outcome = result.outcome.value if isinstance(result, QueueLeft) else "failed"
        return Leave(call=call, exit="overflow", because=outcome)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """The announcement; or the line, at the place that the caller has there, recorded as was asked for."""
        if call.state is CallState.PLAYING:
            parts, troubles = spoken(plan, call, self.announcement)
            return Stay(call=call, state=CallState.PLAYING, effects=(_announces(parts),), troubles=troubles)
        turn_at = turn_of(call, self.queue, still=True)
        return self._line(plan, call, at, turn_at, recorded=recordings.is_asked_for(call))

    def _was_heard(self, call: Call, ended: PromptEnded) -> bool:
        """Whether the announcement lasted as long as its sounds do: of a missing file, or of an order that was lost
        with the link, nothing is heard, and the switch says that it has ended all the same.
        """
        took = (ended.at - _entered_at(call)).total_seconds()
        sounds = sum(part.seconds for part in self.announcement if isinstance(part, Sound))
        return ended.is_sure and took >= _HEARD_SHARE * sounds

    def _wait(self, plan: Plan, call: Call, at: datetime, *, record: bool = True, missed: tuple[str, ...] = ()) -> Step:
        recorded = record and bool(self.announcement) and not recordings.objected(call)
        if recorded:
            call = recordings.ask(call, self.objection, self.keep_days, at)
        stay = self._line(plan, call, at, turn_of(call, self.queue), recorded=recorded)
        return replace(stay, troubles=(*missed, *stay.troubles))

    def _line(self, plan: Plan, call: Call, at: datetime, turn_at: datetime | None, *, recorded: bool) -> Stay:
        brief, troubles = spoken(plan, call, self.brief)
        said = [spoken(plan, call, message) for message in self.comfort]
        priority, rising = priority_of(call.caller, self.priority, self.list_priorities, self.rising, turn_at, at)
        joins = replace(
            self._joins(brief or plan.phrase_sounds, tuple(parts for parts, _ in said)),
            briefing=plan.briefing(self.queue),
            turn_at=turn_at,
            priority=priority,
            rising=rising,
        )
        if recorded:
            name = recordings.name_of(call.call_id, call.recordings_made)
            joins = structs.replace(joins, recording=name, objection=self.objection)
        troubles = (*troubles, *(trouble for _, wrong in said for trouble in wrong))
        return Stay(call=call, state=CallState.QUEUED, effects=(joins,), troubles=troubles)

    def _joins(self, brief: tuple[Part, ...], messages: tuple[tuple[Part, ...], ...]) -> EnterQueue:
        heard = tuple(message for message in messages if message)
        return EnterQueue(
            queue=self.queue,
            priority=self.priority,
            max_wait_seconds=self.max_wait_seconds,
            brief=brief,
            preference=self.preference,
            keys=self.keys,
            announced=self.announced,
            rising=self.rising,
            comfort=Comfort(every_seconds=self.comfort_seconds, messages=heard) if heard else None,
        )


def _entered_at(call: Call) -> datetime:
    """When the node was: when the one before was left."""
    return call.visits[-1].at if call.visits else call.clocks.ringing_at


def _announces(parts: tuple[Part, ...]) -> Play:
    return Play(sounds=parts, interruptible=False)
