"""What a caller waits for who was given away, and when they come back. Pure.

Whatever follows belongs to the same journey: the caller waits, or is rung through, as a node of the tree would have it,
and the node they were in goes on when that conversation is over. Who is refused, and whoever reaches nobody, comes
back to the agent who gave them away, once, and then goes to the client's fallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from callrouter.core.agents.preference import Preference
from callrouter.core.call import Call, CallState, DialOutcome, QueueOutcome
from callrouter.core.effects import Briefing, Dial, EnterQueue, Sound
from callrouter.core.inputs import DialEnded, QueueLeft, Result
from callrouter.core.nodes._base import Stay, remember
from callrouter.core.transfers.targets import Destination

COLLEAGUE_SECONDS: Final = 20.0
"""How long a colleague's telephone rings."""
OUTSIDE_SECONDS: Final = 30.0
"""How long a number outside does."""
TEAM_SECONDS: Final = 180.0
"""How long a caller waits in the queue of a team that they were given to."""
_STAGE: Final = "transfer"
_GIVEN, _GIVEN_BACK = 1, 2
"""In the memory of the node that the caller was given away from: where they wait, after a transfer."""


class Client(Protocol):
    """What is said to agents who answer for a client (`plan.Plan`)."""

    @property
    def phrase_sounds(self) -> tuple[Sound, ...]:
        """Whispered to them."""
        ...

    @property
    def preferences(self) -> Mapping[str, Preference]:
        """By team: whom of it the client wants."""
        ...

    def briefing(self, queue: str) -> Briefing:
        """Shown to agents of a queue."""
        ...


def wait_for(plan: Client, call: Call, found: Destination) -> Stay | None:
    """What the caller waits for after a transfer that can be done; None where the tree decides (`node`)."""
    if found.colleague:
        return _ring(plan, call, found.colleague, _GIVEN)
    given = remember(call, **{_STAGE: _GIVEN})
    if found.team:
        joins = EnterQueue(
            queue=found.team,
            priority=0,
            max_wait_seconds=TEAM_SECONDS,
            brief=plan.phrase_sounds,
            briefing=plan.briefing(found.team),
            preference=plan.preferences.get(found.team),
        )
        return Stay(call=given, state=CallState.QUEUED, effects=(joins,))
    if found.number:
        dial = Dial(numbers=(found.number,), names=(found.name or found.number,), ring_seconds=OUTSIDE_SECONDS)
        return Stay(call=given, state=CallState.DIALLING, effects=(dial,))
    return None


def give_back(plan: Client, call: Call) -> Stay | None:
    """The caller comes back to whom they were given away by; None when that has been tried, or nobody is known."""
    if call.memory.get(_STAGE) == _GIVEN_BACK or not call.agent:
        return None
    return _ring(plan, call, call.agent, _GIVEN_BACK)


def _ring(plan: Client, call: Call, agent: str, stage: int) -> Stay:
    queue = next((visit.queue for visit in reversed(call.queue_visits)), "")
    dial = Dial(
        numbers=(),
        names=(agent,),
        ring_seconds=COLLEAGUE_SECONDS,
        screen=plan.phrase_sounds,
        agent=agent,
        briefing=plan.briefing(queue),
    )
    return Stay(call=remember(call, **{_STAGE: stage}), state=CallState.DIALLING, effects=(dial,))


def is_given_away(call: Call) -> bool:
    """Whether what the call waits for follows a transfer, and is not its node's own."""
    return _STAGE in call.memory


def reached(result: Result) -> bool:
    """Whether the wait after a transfer ended with a conversation."""
    match result:
        case QueueLeft():
            return result.outcome is QueueOutcome.ANSWERED
        case DialEnded():
            return result.outcome is DialOutcome.ANSWERED
        case _:
            return False
