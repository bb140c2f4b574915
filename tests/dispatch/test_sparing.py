"""What takes long is done a tenth of the time, and what does not is done whenever it is asked for."""

from __future__ import annotations

import pytest

from callrouter.dispatch.sparing import Sparing


def test_it_waits_nine_times_as_long_as_it_took() -> None:
    now = [100.0]
    sparing = Sparing(seconds=lambda: now[0])
    assert sparing.wait_seconds == 0
    with sparing.done():
        now[0] += 2.0
    assert round(sparing.wait_seconds, 6) == 18.0
    now[0] += 17.0
    assert round(sparing.wait_seconds, 6) == 1.0
    now[0] += 1.5
    assert sparing.wait_seconds == 0


def test_what_failed_has_taken_its_time_too() -> None:
    now = [0.0]
    sparing = Sparing(seconds=lambda: now[0])

    def fails() -> None:
        now[0] += 1.0
        raise TimeoutError

    with pytest.raises(TimeoutError), sparing.done():
        fails()
    assert round(sparing.wait_seconds, 6) == 9.0
