"""Token buckets: a burst, then a rate, each key for itself, in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.api.throttle import Throttle


class Clock:
    """Seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_and_then_a_rate() -> None:
    clock = Clock()
    throttle = Throttle(burst=3, per_second=0.5, clock=clock)

    assert [throttle.take("a") for _ in range(4)] == [0, 0, 0, 2]
    assert throttle.take("b") == 0
    clock.seconds += 1.5
    assert throttle.wait("a") == pytest.approx(0.5)
    clock.seconds += 0.5
    assert (throttle.take("a"), throttle.take("a")) == (0, 2)
    clock.seconds += 100
    assert [throttle.take("a") for _ in range(4)] == [0, 0, 0, 2]


def test_asking_takes_nothing() -> None:
    throttle = Throttle(burst=1, per_second=1, clock=Clock())

    assert [throttle.wait("a") for _ in range(3)] == [0, 0, 0]
    assert len(throttle) == 0


def test_the_least_recent_keys_are_forgotten() -> None:
    throttle = Throttle(burst=1, per_second=1, most_keys=100, clock=Clock())
    for number in range(1000):
        throttle.take(str(number))

    assert len(throttle) == 100
    assert throttle.wait("999") == 1
    assert throttle.wait("0") == 0


@given(st.integers(1, 20), st.floats(0.05, 50), st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_never_more_than_burst_and_rate(burst: int, per_second: float, pauses: list[float]) -> None:
    """And whoever waits as long as is said is let through."""
    clock = Clock()
    throttle = Throttle(burst=burst, per_second=per_second, clock=clock)
    began, let_through = clock.seconds, 0
    for pause in pauses:
        clock.seconds += pause
        wait = throttle.take("a")
        let_through += not wait
        assert let_through <= burst + (clock.seconds - began) * per_second + 1e-6
        if wait:
            clock.seconds += wait + 1e-9
            assert throttle.take("a") == 0
            let_through += 1
