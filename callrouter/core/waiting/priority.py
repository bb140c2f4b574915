"""Who goes first in a line: by list, by node, by client, and by how long somebody has waited.

Of two callers the one with the higher priority goes first, and of two with the same the one who came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from callrouter.core.call import CallerId
from callrouter.core.effects import Rising
from callrouter.core.numbers import CallerList

MOST_PRIORITY = 1000


class ListPriority(Struct, frozen=True, kw_only=True):
    """The priority of the callers of a list."""

    callers: CallerList
    priority: int


def priority_of(
    caller: CallerId,
    ordinary: int,
    lists: Sequence[ListPriority],
    rising: Rising | None,
    turn_at: datetime | None,
    at: datetime,
) -> tuple[int, Rising | None]:
    """The priority with which a caller joins a line, and what raises it later, if anything still does.

    The first list that holds them decides, else `ordinary` is theirs. Waiting raises it, and never lowers it. It counts
    from `turn_at`, for a caller who comes back.
    """
    priority = next((one.priority for one in lists if one.callers.match(caller)), ordinary)
    if rising is None or rising.to <= priority:
        return priority, None
    left = rising.after_seconds - (max(0.0, (at - turn_at).total_seconds()) if turn_at else 0.0)
    if left <= 0:
        return rising.to, None
    return priority, Rising(after_seconds=left, to=rising.to)
