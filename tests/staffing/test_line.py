"""A line's half hours, each with what it needs and what it reached."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from callrouter.core.call import QueueOutcome
from callrouter.staffing.line import Line, Stay, clock, plan_of
from callrouter.staffing.model import Target

MONDAY = date(2026, 11, 23)


def _stay(slot: int, day: int, seconds: float, outcome: QueueOutcome, handled: float | None = None) -> Stay:
    took = None if handled is None else (handled - 20, 20.0)
    return Stay(slot=slot, day=MONDAY + timedelta(weeks=day), seconds=seconds, outcome=outcome, handled=took)


def test_each_half_hour_of_a_line() -> None:
    """Calls of its days on average, its own handle time if it has enough, and the level that was measured."""
    busy = [
        _stay(18, day, 5.0 if number % 5 else 45.0, QueueOutcome.ANSWERED, 200)
        for day in range(4)
        for number in range(20 + day)
    ]
    quiet = [_stay(24, 0, 2, QueueOutcome.ANSWERED, 80), _stay(24, 1, 90, QueueOutcome.TIMEOUT)]
    gone = [_stay(18, day, 30, QueueOutcome.ABANDONED) for day in range(4)]
    days = [MONDAY + timedelta(weeks=day) for day in range(4)]
    line = Line(days=days, stays=[*busy, *quiet, *gone], pick_ups=[2.0], offers=100, missed=0, there={18: 4.2})

    plan = plan_of(line, Target(), times=4)

    first, second = plan.rows
    assert [clock(row.slot) for row in plan.rows] == ["09:00", "12:00"]
    assert first.calls.value == 22.5
    assert (first.calls.low or 0.0) < 22.5 < (first.calls.high or 0.0)
    assert first.handle_seconds == 200
    assert second.handle_seconds == pytest.approx((200 * len(busy) + 80) / (len(busy) + 1))
    assert first.measured == sum(one.seconds <= 20 for one in busy) / (len(busy) + 4)
    assert second.measured == 0.5
    assert first.level_there is not None
    assert second.level_there is None
    assert (plan.missed, plan.max_wait_seconds) == (0, 90)
    assert plan.patience_seconds == sum(one.seconds for one in line.stays) / 4


def test_a_single_day_has_the_interval_of_a_count() -> None:
    """Of a hundred callers on one day, twenty more or fewer on another are no surprise."""
    stays = [_stay(18, 0, 1, QueueOutcome.ANSWERED, 60) for _ in range(100)]

    row = plan_of(Line(days=[MONDAY], stays=stays, pick_ups=(), offers=0, missed=0, there={}), Target(), times=2).rows[
        0
    ]

    assert (row.calls.low, row.calls.high) == pytest.approx((100 - 19.6, 100 + 19.6))
