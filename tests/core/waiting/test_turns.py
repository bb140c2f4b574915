"""Whoever comes back to a line has the place they would have had, had they stayed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.call import Call, CallerId, Clocks, QueueOutcome, QueueVisit
from callrouter.core.waiting.turns import place_of, turn_of

BEGAN = datetime(2026, 5, 4, 9, tzinfo=UTC)
Visits = list[tuple[str, QueueOutcome]]


def call_of(visits: Visits) -> Call:
    """A caller who has been in these queues, one a minute."""
    return Call(
        call_id="1-2-3",
        client="test",
        plan_version="0",
        did="+33199000010",
        caller=CallerId(),
        clocks=Clocks(ringing_at=BEGAN),
        queue_visits=tuple(
            QueueVisit(queue=queue, entered_at=BEGAN + timedelta(minutes=minute), outcome=outcome)
            for minute, (queue, outcome) in enumerate(visits)
        ),
    )


@pytest.mark.parametrize(
    ("visits", "minute"),
    [
        ([], None),
        ([("a", QueueOutcome.EXITED)], 0),
        ([("a", QueueOutcome.TIMEOUT), ("a", QueueOutcome.EXITED)], 0),
        ([("b", QueueOutcome.EXITED)], None),
        ([("a", QueueOutcome.EXITED), ("b", QueueOutcome.TIMEOUT)], 0),
        ([("a", QueueOutcome.ANSWERED)], None),
        ([("a", QueueOutcome.EXITED), ("a", QueueOutcome.ANSWERED)], None),
        ([("a", QueueOutcome.ANSWERED), ("a", QueueOutcome.EXITED)], 1),
        ([("a", QueueOutcome.EMPTY)], None),
        ([("a", QueueOutcome.FULL), ("a", QueueOutcome.TIMEOUT)], 1),
    ],
)
def test_a_turn_begins_with_the_first_visit_that_nothing_ended(visits: Visits, minute: int | None) -> None:
    """Of the same queue: a key and the longest wait keep it, an answer ends it, and so does a line that took nobody."""
    expected = None if minute is None else BEGAN + timedelta(minutes=minute)

    assert turn_of(call_of(visits), "a") == expected


line = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 600)), max_size=30)


@given(line, st.integers(0, 3), st.integers(0, 600))
def test_nobody_older_of_the_same_priority_is_passed(others: list[tuple[int, int]], priority: int, second: int) -> None:
    """In a line that is in order, the place is after all who are older or come first, and before all others."""
    ordered = sorted(((one, BEGAN + timedelta(seconds=at)) for one, at in others), key=lambda one: (-one[0], one[1]))
    turn_at = BEGAN + timedelta(seconds=second)

    place = place_of(turn_at, priority, ordered)

    assert all(one > priority or (one == priority and since <= turn_at) for one, since in ordered[: place - 1])
    assert not any(one > priority or (one == priority and since <= turn_at) for one, since in ordered[place - 1 :])
