"""The laws of journeys and of queue visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tests.laws import account
from tests.laws.account import is_talk
from tests.laws.compared import TOLERANCE_SECONDS, Compared, near
from tests.laws.notes import Kind
from tests.laws.ours import instant
from tests.laws.town import AGENTS

DISPOSITIONS: Final = frozenset(
    {"answered", "redirected", "message_left", "self_served", "abandoned", "left_early", "rejected", "failed"}
)
OUTCOMES: Final = frozenset({"answered", "abandoned", "timeout", "full", "empty", "exited"})
"""Of queue visits: entered = answered + abandoned + overflowed (three) + exited. A callback that was asked for in a
queue is an exit of it here; `failed` is nobody's wish."""


def one_journey_a_caller(found: Compared) -> Iterator[str]:
    """And each row is somebody's."""
    yield from found.unpaired
    for pair in found.pairs:
        for ring in pair.journey.offers:
            if pair.journey.caller.shown and ring.number != pair.journey.caller.number:
                yield f"{pair.name}: {ring.phone} was shown {ring.number}"


def each_ended_as_the_telephones_say(found: Compared) -> Iterator[str]:
    """One disposition a journey, and the right one."""
    for pair in found.pairs:
        right = account.dispositions(pair.journey)
        if pair.row["disposition"] not in right:
            yield f"{pair.name}: {pair.row['disposition']}, by the telephones {sorted(right)}"


def received_is_the_sum(found: Compared) -> Iterator[str]:
    """Per client and per interval, and as many as dialled then."""
    whole = (0.0, float("inf"), {"clients": found.ours.stats})
    for start, end, stats in (whole, *found.ours.intervals):
        for one in stats["clients"]:
            client, split = one["client"], one["by_disposition"]
            dialled = sum(1 for c in found.notes.callers if c.client == client and start <= c.dialled_at < end)
            if set(split) != DISPOSITIONS or one["received"] != sum(split.values()) or one["received"] != dialled:
                yield f"{client}: {dialled} dialled, {one['received']} received, {split}"
            rows = Counter(
                pair.row["disposition"]
                for pair in found.pairs
                if pair.row["client"] == client and start <= instant(pair.row["clocks"]["ringing_at"]) < end
            )
            if {name: count for name, count in split.items() if count} != rows:
                yield f"{client}: figures {split}, rows {dict(rows)}"
            if one["answered"] != split["answered"] + split["redirected"] or one["abandoned"] != split["abandoned"]:
                yield f"{client}: {one['answered']} answered and {one['abandoned']} abandoned of {split}"
            if one["offered"] != one["answered"] + one["abandoned"] + one["overflowed"]:
                yield f"{client}: offered {one['offered']}"
            if split["failed"]:
                yield f"{client}: {split['failed']} failed"


def visits_are_the_sum(found: Compared) -> Iterator[str]:
    """Entered = answered + abandoned + overflowed + exited, each by one telephone's word."""
    for pair in found.pairs:
        journey, visits = pair.journey, pair.row["queue_visits"]
        for visit in visits:
            if visit["outcome"] not in OUTCOMES or not visit["left_at"]:
                yield f"{pair.name}: a visit of {visit['queue']} is {visit['outcome']}"
            if (visit["outcome"] == "answered") != (visit["answered_at"] is not None):
                yield f"{pair.name}: a visit that is {visit['outcome']}, answered at {visit['answered_at']}"
        answered = [visit for visit in visits if visit["outcome"] == "answered"]
        maybe = journey.conversations
        surely = [ring for ring in maybe if not journey.is_race(ring)]
        # Whom a colleague gives a caller to is rung by no queue.
        agents = [dial for dial in pair.row["dials"] if dial["target"] in AGENTS]
        given, taken = len(agents), sum(1 for dial in agents if dial["outcome"] == "answered")
        if not len(surely) <= len(answered) + taken <= len(maybe):
            yield f"{pair.name}: {len(answered)} visits and {taken} given answered, {len(maybe)} picked up"
        # Who was spoken to first, and then had the caller, was not offered them.
        spoken_to = [ring for ring in maybe if ring.kind is Kind.CONSULTATION]
        certain = [ring for ring in spoken_to if not journey.is_race(ring)]
        offered = sum(visit["offers"] for visit in visits) + given - len(pair.row["offers"])
        if not len(certain) <= offered <= len(spoken_to):
            yield f"{pair.name}: {given} given and {len(spoken_to)} spoken to, {offered} too many of {visits}"
        for earlier, later in pairwise(visits):
            if instant(later["entered_at"]) < instant(earlier["left_at"]):
                yield f"{pair.name}: two queues at once"


def callers_left_when_they_did(found: Compared) -> Iterator[str]:
    """The caller's own leg: when they dialled and left, and whether they hung up."""
    for pair in found.pairs:
        caller, clocks = pair.journey.caller, pair.row["clocks"]
        (leg,) = [one for one in pair.row["legs"] if one["purpose"] == "caller"]
        yield from near(
            found.notes, f"{pair.name} dialled", clocks["ringing_at"], caller.dialled_at, 2 * TOLERANCE_SECONDS
        )
        if caller.without_power:
            if leg["ended_by"] != "system":
                yield f"{pair.name}: ended by {leg['ended_by']}, and their telephone had no power"
            continue
        yield from near(found.notes, f"{pair.name} left", clocks["ended_at"], caller.left_at)
        if (leg["ended_by"] == "caller") != caller.hung_up:
            others = [one.dialog.ended_at for one in pair.journey.rings if is_talk(one)]
            crossed = caller.dialog is not None and caller.dialog.crossed
            if not crossed and not any(abs(caller.left_at - at) < account.RACE_SECONDS for at in others):
                yield f"{pair.name}: ended by {leg['ended_by']}, the caller {'did' if caller.hung_up else 'did not'}"


def no_gap(found: Compared) -> Iterator[str]:
    """Nothing was hidden from us, and we say so."""
    for gap in found.ours.gaps:
        yield f"a gap is declared: {gap}"
