"""What is told of place and time never goes up, and nothing is told that is not known."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.effects import Announced, Sound
from callrouter.core.waiting.announcing import NOTHING_TOLD, announcement
from callrouter.core.waiting.estimate import expected_seconds, whole_minutes


def sounds(kind: str, count: int) -> tuple[Sound, ...]:
    """So many sentences; the last one is of all that is more."""
    return tuple(Sound(file=f"{kind}-{number}", seconds=2.0) for number in range(1, count + 1))


BOTH = Announced(every_seconds=30.0, places=sounds("place", 11), minutes=sounds("minutes", 16))
seen = st.lists(st.tuples(st.integers(1, 40), st.none() | st.floats(0.0, 4000.0)), max_size=20)


def told_of(kind: str, said: tuple[Sound, ...]) -> list[int]:
    """The numbers told of a kind."""
    return [int(one.file.partition("-")[2]) for one in said if one.file.startswith(kind)]


@given(seen)
def test_neither_place_nor_time_ever_goes_up(seen: list[tuple[int, float | None]]) -> None:
    """Whatever becomes of the line: what is told now is no more than anything that was told before, and true."""
    told, places, minutes = NOTHING_TOLD, [99], [99]
    for place, expected in seen:
        said, told = announcement(BOTH, place, expected, told)
        for one in told_of("place", said):
            assert one == min(place, 11) <= places[-1]
            places.append(one)
        for one in told_of("minutes", said):
            assert expected is not None
            assert one == min(max(1, ceil(expected / 60)), 16) <= minutes[-1]
            minutes.append(one)


@given(seen)
def test_what_is_as_good_as_before_is_always_told(seen: list[tuple[int, float | None]]) -> None:
    """Nobody is left without a word who has come no further back."""
    told = NOTHING_TOLD
    for place, expected in seen:
        before = told
        said, told = announcement(BOTH, place, expected, told)
        assert bool(told_of("place", said)) is (before.place is None or place <= before.place)
        if expected is None:
            assert not told_of("minutes", said)


@pytest.mark.parametrize(
    ("announced", "files"),
    [
        (Announced(every_seconds=30.0, places=BOTH.places), ["place-2"]),
        (Announced(every_seconds=30.0, minutes=BOTH.minutes), ["minutes-3"]),
        (BOTH, ["place-2", "minutes-3"]),
        (Announced(every_seconds=30.0), []),
    ],
)
def test_only_what_is_wanted_is_told(announced: Announced, files: list[str]) -> None:
    """Place, time, both."""
    said, _ = announcement(announced, 2, 121.0, NOTHING_TOLD)

    assert [one.file for one in said] == files


@pytest.mark.parametrize(
    ("place", "agents", "handling", "expected"),
    [(1, 1, 60.0, 60.0), (4, 2, 90.0, 180.0), (3, 0, 90.0, None), (3, 2, 0.0, None)],
)
def test_expected_wait(place: int, agents: int, handling: float, expected: float | None) -> None:
    """The place times the handling time, divided among the agents; unknown without either."""
    assert expected_seconds(place, agents, handling) == expected


@given(st.integers(1, 50), st.integers(1, 30), st.floats(1.0, 900.0))
def test_expected_wait_grows_with_the_place_and_falls_with_agents(place: int, agents: int, handling: float) -> None:
    """And the first caller of a lone agent waits for one conversation."""
    wait = expected_seconds(place, agents, handling)
    further, more = expected_seconds(place + 1, agents, handling), expected_seconds(place, agents + 1, handling)

    assert (more or 0.0) < (wait or 0.0) < (further or 0.0)
    assert expected_seconds(1, 1, handling) == handling


@pytest.mark.parametrize(("seconds", "minutes"), [(0.0, 1), (59.9, 1), (60.0, 1), (60.1, 2), (901.0, 16)])
def test_minutes_are_rounded_up(seconds: float, minutes: int) -> None:
    """Less than a minute is one."""
    assert whole_minutes(seconds) == minutes
