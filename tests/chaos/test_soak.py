"""What grows with calls, and what only varies."""

from __future__ import annotations

import pytest

from tests.chaos.soak import Held, growth, leaks


def held(place: int, **changed: float) -> Held:
    """After ten thousand calls for each place."""
    found: dict[str, float] = {"engine_mb": 150.0, "asterisk_mb": 90.0, "engine_files": 30, "asterisk_files": 40}
    found |= {"engine_threads": 4, "astdb_rows": 12, "tasks": 20.0} | changed
    return Held(calls=place * 10_000, failed=0, **found)  # type: ignore[arg-type]


def test_what_stays_does_not_leak() -> None:
    assert leaks([held(place) for place in range(11)]) == {}


def test_what_grows_is_told() -> None:
    found = [held(place, engine_mb=150.0 + 2 * place, engine_files=30 + place) for place in range(11)]

    assert leaks(found) == {"engine_mb": pytest.approx(2.0), "engine_files": pytest.approx(1.0)}


def test_what_only_varies_is_no_leak() -> None:
    found = [held(place, engine_mb=150.0 + (6.0 if place % 2 else 0.0)) for place in range(11)]

    assert leaks(found) == {}
    assert growth(found)["engine_mb"][1] > 0.5


def test_what_a_process_gets_ready_with_is_no_leak() -> None:
    found = [held(place, engine_mb=100.0 + min(place, 4) * 20) for place in range(11)]

    assert leaks(found) == {}
