"""What the run must have come to, by the telephones' notes alone.

Where two things happened at two telephones in the same instant, or a caller left in the instant in which the tree went
on, a telephone cannot say which was first. Only there is more than one answer right, and each such place says so here:
`RACE_SECONDS`, and the windows of `_enters_service`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.laws.notes import Caller, Kind, Ring
from tests.laws.town import (
    ASK_SECONDS,
    COLLEAGUE_SECONDS,
    HELLO_SECONDS,
    INVITE_SECONDS,
    MENU_SECONDS,
    RING_SECONDS,
)

RACE_SECONDS: Final = 0.4
"""What two telephones do within it, they may have done in either order: a SIP message, three processes and a busy
machine lie between them."""
GIVEN_SECONDS: Final = 2.0
"""After a REFER, at most, the telephone of the colleague is rung."""
SHORTEST_MESSAGE, SURE_OF_MESSAGE = 1.6, 2.6
"""Seconds: with less it is no message (`min: 2s`), with more it is one; in between the PBX's clock decides."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A caller, and the telephones that were rung for them."""

    caller: Caller
    rings: Sequence[Ring]

    @property
    def offers(self) -> list[Ring]:
        """Of agents, by a queue."""
        return [ring for ring in self.rings if ring.kind is Kind.OFFER]

    def answered_for_sure(self) -> bool:
        """Whether an agent had the caller, by both telephones."""
        return any(is_talk(ring) and not self.is_race(ring) for ring in self.offers)

    def answered_at_all(self) -> bool:
        """Whether an agent picked up, though the caller may have left in that instant."""
        return any(is_talk(ring) for ring in self.offers)

    def patience(self, ring: Ring) -> float:
        """Seconds for which a telephone is rung at most: by a queue, or because a colleague gave it the caller.

        One without power is given up sooner by SIP itself, if the ring is longer than that.
        """
        by_colleague = any(
            giver.gave_to == ring.phone and 0 <= ring.dialog.began_at - giver.gave_at < GIVEN_SECONDS
            for giver in self.offers
        )
        longest = COLLEAGUE_SECONDS if by_colleague else RING_SECONDS
        return min(longest, INVITE_SECONDS) if ring.without_power else longest

    def is_race(self, ring: Ring) -> bool:
        """Whether the caller left in the instant in which the telephone was picked up, or it was put down again."""
        left_at = self.caller.left_at
        short = ring.dialog.ended_at and ring.dialog.ended_at - ring.accepted_at < RACE_SECONDS
        return bool(short or (left_at and left_at - ring.accepted_at < RACE_SECONDS))


def is_talk(ring: Ring) -> bool:
    """Whether whoever was rung had the caller."""
    return ring.dialog.status == 200 and ring.accepted_at > 0


def dispositions(journey: Journey) -> frozenset[str]:
    """What its row may say: one thing, but for what the telephones cannot know."""
    if journey.answered_for_sure():
        return frozenset({"answered"})
    found = _otherwise(journey)
    if _redirected(journey, sure=True):
        found = frozenset({"redirected"})
    elif _redirected(journey, sure=False):
        found |= {"redirected"}
    return found | {"answered"} if journey.answered_at_all() else found


def _redirected(journey: Journey, *, sure: bool) -> bool:
    contacts = [ring for ring in journey.rings if ring.kind is Kind.CONTACT and is_talk(ring)]
    return any(not journey.is_race(ring) or not sure for ring in contacts)


def _otherwise(journey: Journey) -> frozenset[str]:
    """Nobody answered."""
    caller = journey.caller
    if caller.intention == "unwanted":
        return frozenset({"rejected"})
    if caller.asked_back_at:
        return frozenset({"message_left"})
    without_message = _unserved(journey)
    if caller.spoke is not None:
        seconds = min(caller.spoke[1], caller.left_at or caller.spoke[1]) - caller.spoke[0]
        if seconds > SURE_OF_MESSAGE:
            return frozenset({"message_left"})
        if seconds > SHORTEST_MESSAGE:
            return without_message | {"message_left"}
    return without_message


def _unserved(journey: Journey) -> frozenset[str]:
    """Neither anybody nor a machine took what they wanted."""
    caller = journey.caller
    earliest, latest = _enters_service(caller)
    stayed = caller.left_at - caller.dialled_at
    if journey.rings or stayed > latest:
        return frozenset({"abandoned"})
    sure_not = stayed < earliest
    if caller.hung_up and sure_not:
        race = caller.client == "delta" and stayed > HELLO_SECONDS - RACE_SECONDS
        return frozenset({"left_early", "self_served"}) if race else frozenset({"left_early"})
    if not caller.hung_up:
        return frozenset({"self_served"} if sure_not else {"self_served", "abandoned"})
    return frozenset({"left_early", "abandoned"})


def _enters_service(caller: Caller) -> tuple[float, float]:
    """Seconds after they dialled, before which they were not in a human's line, and after which they were.

    The second is for a busy machine: setting a call up takes it half a second now and then.
    """
    never = float("inf")
    keyed = caller.keyed[0][0] - caller.dialled_at if caller.keyed else 0.0
    match caller.client, caller.intention:
        case ("alpha", "message" | "callback"):
            return never, never
        case ("alpha", "press_for_team" | "contact"):
            after = max(keyed, HELLO_SECONDS)
            return after - 0.2, after + 2.0
        case ("alpha", _):
            menu = HELLO_SECONDS + ASK_SECONDS + MENU_SECONDS
            return menu - 0.4, menu + 2.0
        case ("beta", _):
            return HELLO_SECONDS - 0.2, HELLO_SECONDS + 2.0
        case ("delta", _):
            return never, never
        case _:
            return 0.0, 1.5


def offer_outcomes(ring: Ring, journey: Journey) -> frozenset[str]:
    """What an offer's row may say, by the telephone that rang."""
    left_at, dialog = journey.caller.left_at, ring.dialog
    left_first = bool(left_at and journey.caller.hung_up)
    if is_talk(ring):
        # Picked up in the instant in which the ring was taken back, by the queue's patience or because the caller left.
        return frozenset({"answered", "caller_left", "rang_out"} if journey.is_race(ring) else {"answered"})
    if ring.without_power and not dialog.answered_at:
        gone = left_first and left_at < dialog.began_at + journey.patience(ring) + RACE_SECONDS
        return frozenset({"phone_failed", "caller_left"} if gone else {"phone_failed"})
    if dialog.status in (486, 480, 603):
        race = left_first and abs(left_at - dialog.ended_at) < RACE_SECONDS
        return frozenset({"refused", "caller_left"} if race else {"refused"})
    # A ring that is taken back because the caller left is so after they did, by this process's one clock.
    if left_first and 0 <= dialog.cancelled_at - left_at < RACE_SECONDS:
        rang_long = dialog.cancelled_at - dialog.began_at > journey.patience(ring) - RACE_SECONDS
        return frozenset({"caller_left", "rang_out"} if rang_long else {"caller_left"})
    return frozenset({"rang_out"})


def ended_by(ring: Ring, journey: Journey) -> frozenset[str | None]:
    """Who ended a conversation, by both telephones."""
    them = "agent" if ring.kind is Kind.OFFER else "contact"
    caller, ended_at = journey.caller, ring.dialog.ended_at
    if ring.gave_to:
        return frozenset({None, them})
    if ring.without_power:
        return frozenset({"caller", "system"})
    by_caller = caller.hung_up and not caller.without_power
    if ring.dialog.hung_up:
        race = by_caller and abs(caller.left_at - ended_at) < RACE_SECONDS
        return frozenset({them, "caller"} if race else {them})
    return frozenset({"caller"} if by_caller else {"system"})


def held_seconds(ring: Ring) -> float:
    """How long they had the caller on hold; who is on hold at the end was so until then."""
    return sum((until or ring.dialog.ended_at) - since for since, until in ring.held)
