"""Nothing of a call is left once it is over: a short form of `make soak`, with the real engine on a real Asterisk."""

from __future__ import annotations

import pytest

from bench import sizes
from bench.soak import Look, growing_in, slope, soak
from bench.stand import stand

CALLS = 600
WINDOW = 150
WARM_UP = 2
"""Windows in which pools and caches fill."""
LEFT_OVER = ("engine: descriptors", f"engine: {sizes.TASKS}", "Asterisk: channels", "Asterisk: UDP ports")


def test_no_container_grows_with_calls_of_all_kinds() -> None:
    """Nor do tasks, descriptors, channels, ports and AstDB; memory has noise of its own, and needs `make soak`."""
    with stand() as found:
        looks, failed, rows = soak(found, calls=CALLS, window=WINDOW)

    assert failed == 0
    assert rows == CALLS
    assert growing_in(looks[WARM_UP:]) == {}
    for what in LEFT_OVER:
        assert looks[-1].values[what] <= looks[WARM_UP].values[what], what
    assert looks[-1].values["AstDB: rows of callrouter/ended"] == 0
    assert looks[-1].values["engine: journal of calls in progress, bytes"] == 0


def seen(calls: int, **containers: int) -> Look:
    return Look(calls=calls, values={}, containers=containers)


def test_what_grows_is_named() -> None:
    """By how much a call; what is as large as before, and what shrinks, is not."""
    looks = [seen(calls, kept=calls // 10, steady=50, shrinking=1000 - calls) for calls in (100, 200, 300)]

    assert growing_in(looks) == {"kept": pytest.approx(0.1)}


def test_a_slope_is_that_of_the_straight_line() -> None:
    """By least squares, of however few points."""
    assert slope([(0, 5), (10, 7), (20, 9)]) == pytest.approx(0.2)
    assert slope([(0, 5), (10, 5)]) == 0
    assert slope([(0, 5)]) == slope([]) == 0


class Holder:
    """Holds something in a slot, and something else by name."""

    __slots__ = ("__dict__", "calls")

    def __init__(self) -> None:
        self.calls = {"one": 1, "two": 2}
        self.seen = [1]


async def test_sizes_are_by_where_a_container_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all instances together, also those that the collector had put out of sight."""
    monkeypatch.setattr(sizes, "OURS", (__name__,))
    holders = [Holder(), Holder()]
    found = sizes.sizes()

    assert len(holders) == 2
    assert found[f"{__name__}.Holder.calls"] == 4
    assert found[f"{__name__}.Holder.seen"] == 2
    assert found[sizes.TASKS] == 1
