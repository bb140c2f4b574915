"""The law of consultations: whom an agent spoke to first."""

from __future__ import annotations

from collections.abc import Iterator

from tests.laws.account import RACE_SECONDS
from tests.laws.compared import TOLERANCE_SECONDS, Compared, Pair, near
from tests.laws.notes import Notes, Ring
from tests.laws.ours import Row, instant


def consultations_are_theirs(found: Compared) -> Iterator[str]:
    """Each ring of a colleague who was to be spoken to is a leg; whoever picked up was spoken to, and how long."""
    for pair in found.pairs:
        legs = [leg for leg in pair.row["legs"] if leg["purpose"] == "consultation"]
        legs.sort(key=lambda leg: instant(leg["began_at"]))
        rings = sorted(pair.journey.consultations, key=lambda ring: ring.dialog.began_at)
        rings = [ring for ring in rings if not _came_too_late(pair, ring)]
        legs = [leg for leg in legs if leg["answered_at"] or any(leg["party"] == ring.phone for ring in rings)]
        if [leg["party"] for leg in legs] != [ring.phone for ring in rings]:
            yield f"{pair.name}: {[leg['party'] for leg in legs]} consulted, {[ring.phone for ring in rings]} rang"
            continue
        for leg, ring in zip(legs, rings, strict=True):
            yield from _spoken_to(found.notes, pair, leg, ring)


def _spoken_to(notes: Notes, pair: Pair, leg: Row, ring: Ring) -> Iterator[str]:
    name, left_at = f"{pair.name}: {ring.phone}, who was consulted,", pair.journey.caller.left_at
    picked_up = ring.dialog.status == 200
    short = picked_up and ring.dialog.ended_at and ring.dialog.ended_at - ring.dialog.answered_at < RACE_SECONDS
    if short or (left_at and left_at - (ring.dialog.answered_at or ring.dialog.ended_at) < RACE_SECONDS):
        return  # picked up in the instant in which it was over
    if picked_up != (leg["answered_at"] is not None):
        yield f"{name} {'picked up' if picked_up else 'did not pick up'}, and answered at {leg['answered_at']}"
    elif picked_up:
        yield from near(notes, f"{name} answered", leg["answered_at"], ring.dialog.answered_at)
        ended_at = min(ring.accepted_at or ring.dialog.ended_at, left_at or ring.dialog.ended_at)
        spoke = instant(leg["ended_at"]) - ended_at
        if abs(spoke) > TOLERANCE_SECONDS + ring.unsure_seconds + notes.late_seconds(ended_at):
            yield f"{name} ended {spoke:+.2f} s from the telephones' record"


def _came_too_late(pair: Pair, ring: Ring) -> bool:
    """Whether the caller was gone when the telephone rang."""
    left_at = pair.journey.caller.left_at
    return bool(left_at and ring.dialog.began_at > left_at - RACE_SECONDS)
