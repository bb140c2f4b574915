"""A caller's turn in a team's line: since when they wait there.

A caller who leaves the line for a menu, by a key or because nobody came in time, and comes back to the same line in the
same call has the place among the others that they would have had, had they stayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from callrouter.core.call import Call, QueueOutcome

_KEEPS_TURN = frozenset({QueueOutcome.EXITED, QueueOutcome.TIMEOUT})
"""How a visit ends after which the caller is still owed their place."""


def turn_of(call: Call, queue: str, *, still: bool = False) -> datetime | None:
    """Since when a caller who comes back to a queue has waited for it; None: they have no turn there yet.

    A visit in which somebody answered, or in which the line did not take them, ends a turn. `still`: they wait there
    now, and that visit counts.
    """
    turn: datetime | None = None
    for visit in reversed(call.queue_visits):
        if visit.queue != queue:
            continue
        if visit.outcome not in _KEEPS_TURN and not (still and visit.outcome is None):
            break
        turn = visit.entered_at
    return turn


def place_of(turn_at: datetime, priority: int, others: Iterable[tuple[int, datetime]]) -> int:
    """The place, from 1, of somebody among those who wait, by priority and turn: after all who have a higher priority,
    and after those of the same priority who came before, or at the same instant.
    """
    return 1 + sum(one > priority or (one == priority and since <= turn_at) for one, since in others)
