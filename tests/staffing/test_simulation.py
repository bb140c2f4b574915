"""A line that is played is the one that the formulas describe; and keeps the rules that they do not know."""

from __future__ import annotations

from random import Random

import pytest

from callrouter.core.service_level import Formula
from callrouter.staffing import simulation
from callrouter.staffing.erlang import impatient, patient
from callrouter.staffing.model import Load, Target
from callrouter.staffing.patience import Patience, Wait, patience_of
from callrouter.staffing.simulation import Kind, Measured, Rules, Strategy, play

TARGET = Target(within_seconds=20, formula=Formula.STRICT)
RATE = 60 / 1800
LOAD = Load(arrivals_per_second=RATE, handle_seconds=180)


def _exponential(mean: float, size: int = 20_000, seed: int = 3) -> list[float]:
    random = Random(seed)
    return [random.expovariate(1 / mean) for _ in range(size)]


def _measured(patience: float | None = None, **fields: object) -> Measured:
    talks = [(0.75 * one, 0.25 * one) for one in _exponential(180)]
    waits = [Wait(one, gave_up=True) for one in _exponential(patience, seed=4)] if patience else []
    return Measured(conversations=talks, pick_ups=(1e-6,), patience=patience_of(waits), **fields)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The formulas know no second between two looks."""
    if "formula" in request.node.name:
        monkeypatch.setattr(simulation, "LOOK_SECONDS", 1e-6)


@pytest.mark.parametrize("agents", [7, 8])
def test_a_formula_says_the_same_where_nobody_gives_up(agents: int) -> None:
    expected = patient(LOAD, agents, 20)

    found = play(RATE, agents, _measured(), TARGET, seconds=40_000, warm_up_seconds=8_000, times=12)

    low, high = found.level.low or 1.0, found.level.high or 0.0
    assert low - 0.01 <= expected.answered_within <= high + 0.01
    assert found.served.occupancy == pytest.approx(expected.occupancy, abs=0.03)


@pytest.mark.parametrize("agents", [4, 6])
def test_a_formula_says_the_same_where_callers_give_up(agents: int) -> None:
    expected = impatient(LOAD, agents, 20, patience_seconds=90)

    found = play(RATE, agents, _measured(90), TARGET, seconds=20_000, times=12)

    low, high = found.level.low or 1.0, found.level.high or 0.0
    assert low - 0.01 <= expected.answered_within <= high + 0.01
    assert found.served.abandoned == pytest.approx(expected.abandoned, abs=0.02)
    assert found.served.abandoned_within == pytest.approx(expected.abandoned_within, abs=0.02)
    assert found.served.short_abandoned == pytest.approx(expected.short_abandoned, abs=0.01)


def test_the_same_seed_plays_the_same() -> None:
    one, again, other = (play(RATE, 6, _measured(90), TARGET, times=3, seed=seed) for seed in (5, 5, 6))

    assert one == again
    assert one != other


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_caller_is_served_in_one_way(strategy: Strategy) -> None:
    """Whatever the strategy, and however many offers are missed."""
    rules = Rules(strategy=strategy, max_wait_seconds=60, levels=(2, 2), next_level_seconds=20)

    served = play(RATE, 6, _measured(120, missed=0.2), TARGET, rules=rules, times=5).served

    assert served.answered + served.abandoned + served.overflowed == pytest.approx(1)
    assert 0 < served.overflowed < 1
    assert served.short_abandoned <= served.abandoned_within <= served.abandoned
    assert served.answered_within <= served.answered
    assert served.occupancy <= 1


def test_whoever_waits_too_long_leaves_the_line() -> None:
    served = play(RATE, 4, _measured(), TARGET, rules=Rules(max_wait_seconds=30), times=5).served

    assert served.overflowed > 0.1
    assert served.abandoned == 0
    assert served.wait_seconds < 30


def test_missed_calls_cost_time() -> None:
    """A ring of fifteen seconds that nobody answers is one for the caller, too."""
    all_taken, some_missed = (
        play(RATE, 9, _measured(missed=missed), TARGET, seconds=20_000, times=5) for missed in (0.0, 0.3)
    )

    assert some_missed.served.answered_within < all_taken.served.answered_within
    assert some_missed.served.wait_seconds > all_taken.served.wait_seconds + 3


def test_an_agent_becomes_free_a_moment_before_anybody_looks() -> None:
    """Half a second on average, of those who wait."""
    looked = play(RATE, 7, _measured(), TARGET, seconds=20_000, times=5)

    assert looked.served.wait_seconds > patient(LOAD, 7, 20).wait_seconds * 0.5


def test_a_higher_priority_goes_first() -> None:
    """Nobody of priority 10 waits for one of priority 0."""
    both = (Kind(share=0.2, priority=10), Kind(share=0.8))
    measured = _measured(120)

    first = play(RATE, 5, measured, TARGET, rules=Rules(kinds=both), times=10)
    alike = play(RATE, 5, measured, TARGET, rules=Rules(kinds=(Kind(),)), times=10)

    assert first.served.answered == pytest.approx(alike.served.answered, abs=0.05)


def test_nobody_is_patient_for_longer_than_was_ever_seen_without_a_tail() -> None:
    """Beyond the longest wait that was seen, patience goes on at the measured mean."""
    short = Patience(mean_seconds=1.0, at_seconds=(5.0,), still_there=(0.5,))
    measured = Measured(conversations=[(1e6, 0.0)], pick_ups=(1e-6,), patience=short)

    served = play(RATE, 0, measured, TARGET, times=5).served

    assert served.abandoned == 1
    assert served.abandoned_within > 0.99
