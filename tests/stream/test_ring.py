"""What is kept of events, and what of it somebody who comes back is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.stream.ring import EventId, Ring

GARBAGE = [
    None, "", "-", "1", "1-", "-1", "1-2-", "1-2-3-4", "1--3", "1-2 ", " 1-2", "a-b", "1-2\n", "१-२", "0x1-2", "+1-2",
    "1e3-2", "1.0-2", "null", "1" * 17 + "-1", "1-" + "9" * 17, "1-" + "9" * 10_000, "\x00", "snapshot",
]  # fmt: skip


def ring(*kept: str, most: int = 8) -> Ring[str]:
    made: Ring[str] = Ring(EventId(7, 100), most)
    for one in kept:
        made.append(one)
    return made


def test_an_id_reads_as_it_is_written() -> None:
    assert EventId.read(str(EventId(1795957200123, 42))) == EventId(1795957200123, 42)


@pytest.mark.parametrize("text", GARBAGE)
def test_what_is_no_id_is_none(text: str | None) -> None:
    assert EventId.read(text) is None


@given(st.text())
def test_whatever_is_sent_is_an_id_or_none(text: str) -> None:
    found = EventId.read(text)

    assert found is None or (found.epoch >= 0 and found.number >= 0)


def test_who_comes_back_goes_on_from_there() -> None:
    kept = ring("a", "b", "c")

    assert kept.last == EventId(7, 103)
    assert kept.since(EventId(7, 103)) == []
    assert kept.since(EventId(7, 101)) == ["b", "c"]
    assert kept.since(EventId(7, 100)) == ["a", "b", "c"]


@pytest.mark.parametrize("seen", [EventId(7, 99), EventId(7, 104), EventId(8, 102), EventId(6, 102), EventId(0, 0)])
def test_who_is_from_elsewhere_cannot_go_on(seen: EventId) -> None:
    """Too long ago, of a number that was never given, or of another life of the engine."""
    assert ring("a", "b", "c").since(seen) is None


def test_what_is_too_old_is_forgotten() -> None:
    kept = ring("a", "b", "c", "d", most=2)

    assert kept.all() == ["c", "d"]
    assert kept.since(EventId(7, 101)) is None
    assert kept.since(EventId(7, 102)) == ["c", "d"]


def test_nobody_goes_on_across_an_interruption() -> None:
    kept = ring("a", "b")
    before = kept.last
    kept.interrupt()

    assert kept.since(before) is None
    kept.append("c")
    assert kept.since(before) is None
    assert kept.all() == ["c"]


@given(st.integers(0, 30), st.integers(1, 10), st.integers(90, 140))
def test_nothing_is_left_out(count: int, most: int, seen: int) -> None:
    """What is given is every event after that one, or nothing."""
    kept: Ring[int] = Ring(EventId(7, 100), most)
    for number in range(101, 101 + count):
        kept.append(number)
    given_again = kept.since(EventId(7, seen))

    assert given_again is None or given_again == list(range(seen + 1, 101 + count))
    assert (given_again is None) == (not max(100, 100 + count - most) <= seen <= 100 + count)
