"""The laws of the record, and whether they hold: each compares what we say with what the telephones wrote down, and
names what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.laws import of_consultations, of_journeys, of_rings, of_sessions
from tests.laws.compared import Compared

ALL: Final[tuple[Callable[[Compared], Iterator[str]], ...]] = (
    of_journeys.one_journey_a_caller,
    of_journeys.each_ended_as_the_telephones_say,
    of_journeys.received_is_the_sum,
    of_journeys.visits_are_the_sum,
    of_journeys.callers_left_when_they_did,
    of_journeys.no_gap,
    of_rings.each_ring_is_an_offer,
    of_rings.conversations_are_theirs,
    of_consultations.consultations_are_theirs,
    of_sessions.sessions_are_theirs,
    of_sessions.wrap_ups_are_theirs,
    of_sessions.callbacks_are_theirs,
)


def broken(found: Compared) -> dict[str, list[str]]:
    """What differs, by law; nothing, if all hold."""
    return {law.__name__: wrong for law in ALL if (wrong := list(law(found)))}
