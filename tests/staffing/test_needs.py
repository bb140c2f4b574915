"""The fewest agents who keep a promise, and no fewer."""

from __future__ import annotations

from random import Random

import pytest

from callrouter.core.service_level import Formula
from callrouter.staffing.erlang import impatient, patient
from callrouter.staffing.model import Load, Target
from callrouter.staffing.needs import needed, needs_of
from callrouter.staffing.patience import Wait, patience_of
from callrouter.staffing.simulation import Measured

TARGET = Target(within_seconds=20, share=0.8, formula=Formula.SHORT_ABANDON_EXCLUDED)


@pytest.mark.parametrize("fewest", [0, 1, 2, 7, 64, 65, 999])
def test_the_fewest(fewest: int) -> None:
    assert needed(lambda agents: 1.0 if agents >= fewest else 0.0, 0.8) == fewest


@pytest.mark.parametrize(("calls", "expected"), [(100, 14), (10, 3), (60, 9)])
def test_erlang_c_needs_what_a_kept_library_says(calls: int, expected: int) -> None:
    """pyworkforce 0.5.1: `required_positions` of handle times of 180, 240 and 180 s, the last within 15 s."""
    handle, within = {100: (180, 20), 10: (240, 20), 60: (180, 15)}[calls]
    load = Load(arrivals_per_second=calls / 1800, handle_seconds=handle)

    assert needed(lambda agents: patient(load, agents, within).level(Formula.STRICT), 0.8) == expected


def test_three_answers_for_one_line() -> None:
    """Callers who give up make room for others: fewer agents are needed than where all of them wait."""
    random = Random(5)
    talks = [(random.expovariate(1 / 150), 30.0) for _ in range(5000)]
    waits = [Wait(random.expovariate(1 / 60), gave_up=True) for _ in range(5000)]
    load = Load(arrivals_per_second=90 / 1800, handle_seconds=180)

    found = needs_of(
        load, Measured(conversations=talks, pick_ups=(2.0,), patience=patience_of(waits)), TARGET, times=12
    )

    assert found.by_erlang_a is not None
    assert found.by_play is not None
    assert 9 < found.by_erlang_a < found.by_erlang_c
    assert abs(found.by_play - found.by_erlang_a) <= 2
    level = impatient(load, found.by_erlang_a - 1, 20, patience_seconds=60).level(TARGET.formula)
    assert (level or 1.0) < 0.8
    assert (found.played.level.value or 0.0) >= 0.8


def test_who_never_gives_up_has_no_erlang_a() -> None:
    load = Load(arrivals_per_second=0.02, handle_seconds=100)

    found = needs_of(load, Measured(conversations=[(90.0, 10.0)]), TARGET, times=4)

    assert found.by_erlang_a is None
    assert (found.by_play or 0) >= 2


def test_no_number_of_agents_helps_those_who_pick_up_too_late() -> None:
    load = Load(arrivals_per_second=0.02, handle_seconds=100)

    found = needs_of(load, Measured(conversations=[(90.0, 10.0)], pick_ups=(14.0, 25.0)), TARGET, times=3)

    assert found.by_play is None
    assert (found.played.level.value or 0.0) < 0.8
