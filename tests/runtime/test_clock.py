"""The engine's clock follows the machine's, but small corrections never make a wait negative."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callrouter.runtime import clock
from callrouter.runtime.clock import SystemClock

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Machine:
    """A machine whose clock the test sets."""

    def __init__(self) -> None:
        self.at = AT
        self.seconds = 100.0
        self.said: list[float] = []

    def now(self, zone: object) -> datetime:
        return self.at

    def steady(self) -> float:
        return self.seconds

    def goes_on(self, seconds: float) -> None:
        """Time passes."""
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds

    def warning(self, event: str, *, seconds: float) -> None:
        self.said.append(seconds)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    made = type("Frozen", (datetime,), {"now": staticmethod(machine.now)})
    monkeypatch.setattr(clock, "datetime", made)
    monkeypatch.setattr(clock, "log", machine)
    return machine


def test_a_small_correction_is_waited_for(machine: Machine) -> None:
    """The clock stands still, and never goes back."""
    ours = SystemClock(steady=machine.steady)
    assert ours.now() == AT
    machine.at = AT - timedelta(seconds=3)
    assert ours.now() == AT
    machine.goes_on(4)
    assert ours.now() == AT + timedelta(seconds=1)
    assert machine.said == []


def test_a_clock_that_was_set_back_is_followed(machine: Machine) -> None:
    """An hour of calls is not dated to one instant; it is said once."""
    ours = SystemClock(60.0, steady=machine.steady)
    assert ours.now() == AT + timedelta(seconds=60)
    machine.at = AT - timedelta(hours=1)
    assert ours.now() == AT - timedelta(minutes=59)
    machine.goes_on(2)
    assert ours.now() == AT - timedelta(minutes=59) + timedelta(seconds=2)
    assert machine.said == [-3600.0]


@pytest.mark.parametrize("hours", [1, -1])
def test_by_how_much_it_was_set_is_told(machine: Machine, hours: int) -> None:
    """To all who want to hear; before the first time by the new clock; not what passed meanwhile, and not an hour in
    which nobody asked.
    """
    told: list[timedelta] = []
    also: list[timedelta] = []
    ours = SystemClock(steady=machine.steady)
    ours.tells(told.append)
    ours.tells(also.append)
    ours.now()
    machine.goes_on(3600)
    ours.now()
    machine.goes_on(10)
    machine.at += timedelta(hours=hours)
    ours.now()
    machine.goes_on(10)
    ours.now()

    assert told == also == [timedelta(hours=hours)]
