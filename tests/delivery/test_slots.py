"""Whose turn it is, with a clock set by hand."""

from __future__ import annotations

from callrouter.delivery import slots as shares
from callrouter.delivery.slots import OF_ONE, SLOTS, Slots, Turn
from callrouter.runtime.breaker import FAILURES_TO_OPEN, OPEN_SECONDS

OF_THE_FAILED, OF_THE_UNPROVEN = int(SLOTS * shares.OF_THE_FAILED), int(SLOTS * shares.OF_THE_UNPROVEN)


def proven(slots: Slots, *names: str) -> None:
    """These have answered."""
    for name in names:
        assert slots.take(name, f"x:{name}") is Turn.TAKEN
        slots.give_back(name, answers=True)


def taken(slots: Slots, name: str) -> int:
    """How many this one can have now."""
    many = 0
    while slots.take(name, f"x:{name}") is Turn.TAKEN:
        many += 1
    return many


def test_one_that_answers_has_its_share_and_a_new_one_has_one() -> None:
    """Until it has answered."""
    slots = Slots()

    assert taken(slots, "a") == 1
    slots.give_back("a", answers=True)
    assert taken(slots, "a") == OF_ONE
    assert slots.without_room() == ["x:a"]


def test_however_many_are_dead_there_is_room_for_those_that_work() -> None:
    """New ones that never answer hold three quarters; those that failed a quarter."""
    slots = Slots()
    good = [f"g{number}" for number in range((SLOTS - OF_THE_UNPROVEN) // OF_ONE)]
    proven(slots, *good)
    new = [f"n{number}" for number in range(50)]

    assert sum(taken(slots, name) for name in new) == OF_THE_UNPROVEN
    assert sum(taken(slots, name) for name in good) == SLOTS - OF_THE_UNPROVEN
    for name in good * OF_ONE:
        slots.give_back(name, answers=True)
    for name in new[:OF_THE_UNPROVEN]:
        slots.give_back(name, answers=False)
    assert slots.free == SLOTS
    assert sum(taken(slots, name) for name in new[:OF_THE_UNPROVEN]) == OF_THE_FAILED
    assert taken(slots, "new") == 1
    assert taken(slots, good[0]) == OF_ONE


def test_addresses_without_room_are_all_those_of_their_destination() -> None:
    """So that the book need not be asked for them."""
    slots = Slots()
    for address in ("x:a/1", "x:a/2"):
        slots.take("a", address)
    slots.take("b", "x:b")
    slots.give_back("b", answers=True)

    assert sorted(slots.without_room()) == ["x:a/1", "x:a/2"]
    slots.give_back("a", answers=None)
    assert slots.without_room() == []


def test_one_that_fails_again_and_again_rests() -> None:
    """It has room as far as the book is concerned: what is due for it fails at once. Then one attempt tries."""
    now = [0.0]
    slots = Slots(lambda: now[0])
    for _ in range(FAILURES_TO_OPEN):
        assert slots.take("a", "x:a") is Turn.TAKEN
        slots.give_back("a", answers=False)

    assert slots.take("a", "x:a") is Turn.RESTING
    assert slots.without_room() == []
    assert slots.refusal("a") == "a has failed 5 times in a row: it is not asked for a while"
    assert slots.free == SLOTS
    now[0] += OPEN_SECONDS
    assert slots.take("a", "x:a") is Turn.TAKEN
    assert slots.take("a", "x:a") is Turn.RESTING
    slots.give_back("a", answers=True)
    assert taken(slots, "a") == OF_ONE


def test_an_attempt_that_told_nothing_leaves_all_as_it_was() -> None:
    """Who answered before still counts as answering."""
    slots = Slots()
    proven(slots, "a")
    assert slots.take("a", "x:a") is Turn.TAKEN
    slots.give_back("a", answers=None)

    assert taken(slots, "a") == OF_ONE
