"""The laws of offers and of conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tests.laws import account
from tests.laws.account import is_talk
from tests.laws.answering import BACK_SECONDS
from tests.laws.compared import TOLERANCE_SECONDS, Compared, Pair, near
from tests.laws.notes import Kind, Notes, Ring
from tests.laws.ours import Row, instant

FOUND_SECONDS: Final = 8.0
"""In which Asterisk, which asks every 5 s and waits 3 s, finds that a telephone has power again."""


def each_ring_is_an_offer(found: Compared) -> Iterator[str]:
    """With the agent, the times and the outcome; and each offer rang a telephone."""
    for pair in found.pairs:
        offers = sorted(pair.row["offers"], key=lambda one: instant(one["began_at"]))
        rings = sorted(pair.journey.offers, key=lambda one: one.dialog.began_at)
        offers = [one for one in offers if not _could_not_ring(found.notes, one, rings)]
        if [one["agent"] for one in offers] != [one.phone for one in rings]:
            yield f"{pair.name}: offers {[one['agent'] for one in offers]}, rings {[one.phone for one in rings]}"
            continue
        for offer, ring in zip(offers, rings, strict=True):
            right = account.offer_outcomes(ring, pair.journey)
            if offer["outcome"] not in right:
                yield f"{pair.name}: {ring.phone} {offer['outcome']}, by the telephones {sorted(right)}"
            yield from near(found.notes, f"{pair.name}: {ring.phone} rang", offer["began_at"], ring.dialog.began_at)
            yield from _no_longer(found.notes, pair, offer, ring)
            if offer["outcome"] == "answered":
                yield from near(
                    found.notes, f"{pair.name}: {ring.phone} picked up", offer["ended_at"], ring.accepted_at
                )
    known = {pair.row["call_id"] for pair in found.pairs}
    for ring in found.notes.rings:
        if ring.kind is Kind.OFFER and ring.call not in known:
            yield f"{ring.phone} rang for {ring.call}, of which there is no row"


def _no_longer(notes: Notes, pair: Pair, offer: Row, ring: Ring) -> Iterator[str]:
    """No ring is longer than it may be."""
    patience, ended_at = pair.journey.patience(ring), instant(offer["ended_at"])
    rang = ended_at - ring.dialog.began_at
    if rang > patience + TOLERANCE_SECONDS + notes.late_seconds(ended_at):
        yield f"{pair.name}: {ring.phone} {offer['outcome']} after {rang:.2f} s, and it may ring {patience:g} s"


def conversations_are_theirs(found: Compared) -> Iterator[str]:
    """Whoever had the caller is a leg: from when to when, how long on hold, and who hung up."""
    for pair in found.pairs:
        journey = pair.journey
        legs = [leg for leg in pair.row["legs"] if leg["purpose"] in ("agent", "contact") and leg["answered_at"]]
        talks = [ring for ring in journey.rings if is_talk(ring)]
        surely = [ring for ring in talks if not journey.is_race(ring)]
        if not len(surely) <= len(legs) <= len(talks):
            yield f"{pair.name}: legs of {[one['party'] for one in legs]}, talks of {[one.phone for one in talks]}"
            continue
        for leg in legs:
            ring = min(talks, key=lambda one: abs(one.accepted_at - instant(leg["answered_at"])))
            yield from _conversation(found.notes, pair, leg, ring)


def _conversation(notes: Notes, pair: Pair, leg: Row, ring: Ring) -> Iterator[str]:
    name = f"{pair.name}: {leg['party']}"
    if leg["purpose"] == "agent" and leg["party"] != ring.phone:
        yield f"{name} instead of {ring.phone}"
    yield from near(notes, f"{name} answered", leg["answered_at"], ring.accepted_at)
    by = account.ended_by(ring, pair.journey)
    if leg["ended_by"] not in by:
        yield f"{name}: ended by {leg['ended_by']}, by the telephones {by}"
    if ring.without_power or pair.journey.caller.without_power:
        return  # when the other side noticed is not in the telephone's record
    yield from near(notes, f"{name} ended", leg["ended_at"], ring.gave_at or ring.dialog.ended_at)
    held = account.held_seconds(ring)
    if abs(leg["hold_seconds"] - held) > TOLERANCE_SECONDS:
        yield f"{name}: {leg['hold_seconds']} s on hold, {held:.2f} by the telephone"
    talked = (ring.gave_at or ring.dialog.ended_at) - ring.accepted_at - held
    if abs(leg["talk_seconds"] - talked) > 2 * TOLERANCE_SECONDS:
        yield f"{name}: {leg['talk_seconds']} s of talk, {talked:.2f} by the telephone"


def _could_not_ring(notes: Notes, offer: Row, rings: Sequence[Ring]) -> bool:
    """Whether it is of a telephone that Asterisk knew to be without power, so that it sent it nothing.

    A queue offers such a one nothing; a colleague may give it a caller.
    """
    began_at = instant(offer["began_at"])
    lost_at = [one.dialog.ended_at for one in notes.rings if one.phone == offer["agent"] and one.without_power]
    known = any(0 <= began_at - at < BACK_SECONDS + FOUND_SECONDS for at in lost_at)
    rang = any(one.phone == offer["agent"] and abs(one.dialog.began_at - began_at) < 1 for one in rings)
    return bool(offer["outcome"] == "phone_failed" and known and not rang)
