"""Patience is found again, though most callers are answered before they give up."""

from __future__ import annotations

from random import Random

import pytest

from callrouter.staffing.patience import Wait, patience_of


def test_censored_waits_count() -> None:
    """Ten callers of a minute's patience each would give up; half of them are answered before."""
    random = Random(7)
    waits = []
    for _ in range(40_000):
        patience, answered = random.expovariate(1 / 90), random.expovariate(1 / 30)
        waits.append(Wait(min(patience, answered), gave_up=patience < answered))

    found = patience_of(waits)

    gave_up = [one.seconds for one in waits if one.gave_up]
    assert sum(gave_up) / len(gave_up) < 25  # what a mean of those who gave up would say
    assert found.mean_seconds == pytest.approx(90, rel=0.03)
    halfway = next(at for at, left in zip(found.at_seconds, found.still_there, strict=True) if left <= 0.5)
    assert halfway == pytest.approx(90 * 0.6931, rel=0.05)


def test_kaplan_and_meier_by_hand() -> None:
    """Of those who gave up and were answered at one instant, those who gave up did so first."""
    waits = [Wait(5, True), Wait(10, False), Wait(10, True), Wait(20, True), Wait(30, False), Wait(0, False)]

    found = patience_of(waits)

    assert found.at_seconds == [5, 10, 20]
    assert found.still_there == pytest.approx([4 / 5, 4 / 5 * 3 / 4, 4 / 5 * 3 / 4 * 1 / 2])
    assert found.mean_seconds == 75 / 3
    assert patience_of(waits, at_least_seconds=6).at_seconds == [10, 20]


def test_nobody_gives_up() -> None:
    found = patience_of([Wait(5, False)])

    assert (found.mean_seconds, found.at_seconds, found.still_there) == (None, [], [])
