"""Who goes first in a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callrouter.core.call import CallerId
from callrouter.core.effects import Rising
from callrouter.core.numbers import CallerList
from callrouter.core.waiting.priority import ListPriority, priority_of

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
VIP, KNOWN = "+33612340007", "+33612340008"
LISTS = (
    ListPriority(callers=CallerList(name="vip", numbers=frozenset({VIP})), priority=10),
    ListPriority(callers=CallerList(name="known", numbers=frozenset({VIP, KNOWN})), priority=3),
)
RISING = Rising(after_seconds=120.0, to=5)


@pytest.mark.parametrize(
    ("number", "waited", "priority", "left"),
    [
        (VIP, None, 10, None),
        (KNOWN, None, 3, 120.0),
        ("+33612340009", None, 1, 120.0),
        ("+33612340009", 30, 1, 90.0),
        ("+33612340009", 120, 5, None),
        (VIP, 500, 10, None),
        (None, None, 1, 120.0),
    ],
)
def test_list_then_node_then_waiting(number: str | None, waited: int | None, priority: int, left: float | None) -> None:
    """The first list decides, and waiting raises; whoever has more keeps it."""
    turn_at = None if waited is None else AT - timedelta(seconds=waited)

    found, rising = priority_of(CallerId(number=number), 1, LISTS, RISING, turn_at, AT)

    assert (found, rising and rising.after_seconds) == (priority, left)


def test_without_rising_a_priority_stays() -> None:
    """However long they have waited."""
    assert priority_of(CallerId(), 2, (), None, AT - timedelta(hours=1), AT) == (2, None)
