"""Erlang's formulas are those of others, and of a chain that is solved in full."""

from __future__ import annotations

import math

import numpy as np
import pytest

from callrouter.core.service_level import Formula
from callrouter.staffing.erlang import impatient, patient, waiting_probability
from callrouter.staffing.model import Load, Served

PYWORKFORCE = [
    (100, 180, 20, 14, 0.1741319335950498, 0.8883500191794669),
    (10, 240, 20, 3, 0.18079096045197737, 0.8426531569114775),
    (500, 300, 20, 90, 0.3672894852320363, 0.7645011851926847),
    (2000, 360, 30, 420, 0.23028543077534383, 0.9565047004375993),
    (60, 180, 15, 8, 0.3569810858786802, 0.6978220346720903),
]
"""Calls in half an hour, handle time, threshold, agents; and what pyworkforce 0.5.1 (MIT) says: who waits, who is
answered in time. It brings ortools and pandas, and so is not installed for these tests."""


@pytest.mark.parametrize(("calls", "handle", "within", "agents", "waits", "in_time"), PYWORKFORCE)
def test_erlang_c_is_that_of_a_kept_library(
    calls: int, handle: float, within: float, agents: int, waits: float, in_time: float
) -> None:
    load = Load(arrivals_per_second=calls / 1800, handle_seconds=handle)

    assert waiting_probability(agents, load.erlangs) == pytest.approx(waits, rel=1e-12)
    assert patient(load, agents, within).answered_within == pytest.approx(in_time, rel=1e-12)


def _solved(load: Load, agents: int, patience: float, within: float, longest: int) -> tuple[float, float, float]:
    """Of the chain of callers in the line, one by one: who is answered, answered in time, and gone in time.

    Somebody who finds k ahead of them moves up when one of those leaves, and leaves by themselves meanwhile; how far
    they are after a time is the exponential of a matrix, by squaring.
    """
    ends, leaves = agents / load.handle_seconds, 1.0 / patience
    logs = [0.0]
    for there in range(1, agents + longest + 1):
        rate = there / load.handle_seconds if there <= agents else ends + (there - agents) * leaves
        logs.append(logs[-1] + math.log(load.arrivals_per_second / rate))
    weights = np.exp(np.array(logs) - max(logs))
    states = weights / weights.sum()
    size = longest + 2  # positions 0 to longest - 1, then answered, then gone
    moves = np.zeros((size, size))
    for ahead in range(longest):
        up = ends + ahead * leaves
        moves[ahead, ahead - 1 if ahead else longest] += up
        moves[ahead, longest + 1] += leaves
        moves[ahead, ahead] -= up + leaves

    def after(seconds: float) -> np.ndarray:
        squarings = max(0, math.ceil(math.log2(np.abs(moves).max() * seconds * 8)))
        step = moves * (seconds / 2**squarings)
        term = result = np.eye(size)
        for power in range(1, 30):
            term = term @ step / power
            result = result + term
        for _ in range(squarings):
            result = result @ result
        return result

    arrives = np.zeros(size)
    arrives[:longest] = states[agents : agents + longest]
    at_once = float(states[:agents].sum())
    soon, late = arrives @ after(within), arrives @ after(50 * patience)
    return at_once + late[longest], at_once + soon[longest], soon[longest + 1]


@pytest.mark.parametrize(
    ("calls", "handle", "agents", "patience"),
    [(100, 180, 8, 120), (100, 180, 12, 60), (20, 200, 2, 300), (300, 240, 42, 90), (60, 60, 1, 20)],
)
def test_erlang_a_is_the_chain_solved_in_full(calls: int, handle: float, agents: int, patience: float) -> None:
    """Also where more comes than agents can do: then callers give up, and the line does not grow."""
    load = Load(arrivals_per_second=calls / 1800, handle_seconds=handle)

    served = impatient(load, agents, 20, patience_seconds=patience, short_seconds=5)

    answered, in_time, gone = _solved(load, agents, patience, 20, 90)
    _, _, short = _solved(load, agents, patience, 5, 90)
    assert served.answered == pytest.approx(answered, abs=1e-8)
    assert served.answered_within == pytest.approx(in_time, abs=1e-8)
    assert served.abandoned_within == pytest.approx(gone, abs=1e-8)
    assert served.short_abandoned == pytest.approx(short, abs=1e-8)
    assert served.answered + served.abandoned == pytest.approx(1)


def test_callers_of_much_patience_are_those_of_erlang_c() -> None:
    load = Load(arrivals_per_second=100 / 1800, handle_seconds=180)

    served, for_ever = impatient(load, 13, 20, patience_seconds=1e7), patient(load, 13, 20)

    assert served.answered_within == pytest.approx(for_ever.answered_within, abs=1e-4)
    assert served.wait_seconds == pytest.approx(for_ever.wait_seconds, rel=1e-2)


@pytest.mark.parametrize("agents", [1, 500, 600, 2000])
def test_hundreds_of_agents_overflow_nothing(agents: int) -> None:
    """A load of five hundred, with too few agents, just enough, and far too many."""
    load = Load(arrivals_per_second=500 / 180, handle_seconds=180)

    served, for_ever = impatient(load, agents, 20, patience_seconds=90), patient(load, agents, 20)

    assert 0 <= served.answered_within <= served.answered <= 1 + 1e-12
    assert 0 <= for_ever.answered_within <= 1
    assert 0 <= served.short_abandoned <= served.abandoned_within <= served.abandoned + 1e-12
    assert served.occupancy <= 1 + 1e-9


def test_a_level_is_by_its_formula() -> None:
    """The same shares, and other sentences about them."""
    served = Served(answered=0.9, answered_within=0.8, abandoned=0.1, abandoned_within=0.06, short_abandoned=0.02)

    assert served.level(Formula.STRICT) == pytest.approx(0.8)
    assert served.level(Formula.SHORT_ABANDON_EXCLUDED) == pytest.approx(0.8 / 0.98)
    assert served.level(Formula.ANSWERED_ONLY) == pytest.approx(0.8 / 0.9)


def test_nobody_comes_and_nobody_works() -> None:
    nobody = Load(arrivals_per_second=0, handle_seconds=180)
    some = Load(arrivals_per_second=0.1, handle_seconds=180)

    assert patient(nobody, 0, 20).answered_within == impatient(nobody, 0, 20, patience_seconds=60).answered_within == 1
    assert patient(some, 0, 20).answered_within == 0
    gone = impatient(some, 0, 60, patience_seconds=60)
    assert (gone.answered, gone.abandoned) == (0, 1)
    assert gone.abandoned_within == pytest.approx(1 - math.exp(-1))
