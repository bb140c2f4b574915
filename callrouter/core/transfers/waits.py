"""What a caller waits for who was given away, and when they come back. Pure.

Whatever follows belongs to the same journey: the caller waits, or is rung through, as a node of the tree would have it,
and the node they were in goes on when that conversation is over. Who is refused, and whoever reaches nobody, comes
back to the agent who gave them away, once, and then goes to the client's fallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from callrouter.core.agents.preference import Preference
from callrouter.core.call import Call, CallState
from callrouter.core.effects import Briefing, Dial, EnterQueue, Sound
from callrouter.core.nodes._base import Stay, remember
from callrouter.core.transfers.targets import Destination, TransferRules

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
    def transfers(self) -> TransferRules:
        """Whom its callers may be given to."""
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
        return _line(plan, given, found.team)
    if found.number:
        return _outside(given, found.number, found.name or found.number)
    return None


def wait_again(plan: Client, call: Call) -> Stay:
    """What the caller waits for, or talks in, after a transfer, as it is asked for once more."""
    visit = call.queue_visits[-1] if call.queue_visits else None
    dial = call.dials[-1] if call.dials else None
    if dial is None or (visit is not None and visit.left_at is None and visit.entered_at >= dial.started_at):
        return _line(plan, call, visit.queue if visit else "", turn_at=visit.entered_at if visit else None)
    if dial.agent:
        return _ring(plan, call, dial.agent, call.memory.get(_STAGE, _GIVEN))
    return _outside(call, plan.transfers.contacts.get(dial.target, dial.target), dial.target)


def give_back(plan: Client, call: Call) -> Stay | None:
    """The caller comes back to whom they were given away by; None when that has been tried, or nobody is known."""
    if call.memory.get(_STAGE) == _GIVEN_BACK or not call.agent:
        return None
    return _ring(plan, call, call.agent, _GIVEN_BACK)


def _line(plan: Client, call: Call, team: str, turn_at: datetime | None = None) -> Stay:
    joins = EnterQueue(
        queue=team,
        priority=0,
        max_wait_seconds=TEAM_SECONDS,
        brief=plan.phrase_sounds,
        briefing=plan.briefing(team),
        preference=plan.preferences.get(team),
        turn_at=turn_at,
    )
    return Stay(call=call, state=CallState.QUEUED, effects=(joins,))


def _outside(call: Call, number: str, name: str) -> Stay:
    dial = Dial(numbers=(number,), names=(name,), ring_seconds=OUTSIDE_SECONDS)
    return Stay(call=call, state=CallState.DIALLING, effects=(dial,))


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


def given_away(call: Call) -> Call:
    """The call, marked so."""
    return remember(call, **{_STAGE: _GIVEN})


def reached(call: Call) -> bool:
    """Whether the wait after a transfer, which is over, ended with a conversation."""
    last: list[tuple[datetime, datetime | None]] = [
        *((visit.entered_at, visit.answered_at) for visit in call.queue_visits[-1:]),
        *((dial.started_at, dial.answered_at) for dial in call.dials[-1:]),
    ]
    return bool(last) and max(last, key=lambda attempt: attempt[0])[1] is not None
