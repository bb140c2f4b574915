"""What is said of queues that the PBX lacks is what its dialplan does (tests/asterisk/teams/test_not_there_yet.py)."""

from __future__ import annotations

import pytest

from callrouter.asterisk.pbx.missing_queues import by_consequence, consequence
from callrouter.core.agents.preference import Preference


@pytest.mark.parametrize(
    ("queue", "becomes"),
    [
        ("sales", "overflows at once"),
        (Preference(team="sales", prefer=("anne",), next_level_seconds=20).queue, "is offered to the whole team"),
        (Preference(team="sales", prefer=("anne",), never=("bruno",)).queue, "waits until it is there"),
        (Preference(team="sales", prefer=tuple(f"agent-{one}" for one in range(20))).queue, "waits until it is there"),
    ],
)
def test_what_becomes_of_callers(queue: str, becomes: str) -> None:
    """By the queue's name alone."""
    assert becomes in consequence(queue)


def test_those_that_come_to_the_same_are_told_together() -> None:
    """In the order in which they were found."""
    found = by_consequence({"a": ["one"], "b.x": ["two"], "c": ["one"]})

    assert [list(missing) for missing in found.values()] == [["a", "c"], ["b.x"]]
