"""The place, by every order in which engines and a PBX can act: never two lead, and somebody can.

The PBX is modelled as it is (`manager.c`): whether a user is logged in is looked up, and another may look before the
first is put in; sessions are counted at one instant, and the number is heard at another; a session ends at one instant,
and its engine learns of it at another, or never.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from callrouter.asterisk.leading.place import AFTER, YIELD_SECONDS, PlaceState, Seen, counted, yield_seconds

OUTSIDE, INSIDE, YIELDING, LEADING = PlaceState


@dataclass(frozen=True)
class Seat:
    """One engine, and what the PBX knows of it."""

    state: PlaceState = OUTSIDE
    admitted: bool = False
    """The PBX has looked, and found nobody: it will put the session in."""
    there: bool = False
    """The session is in the PBX's list."""
    answer: Seen | None = None
    """A count that is on its way."""

    @property
    def acts(self) -> bool:
        """What it sends is carried out, and it sends."""
        return self.state is LEADING and self.there


World = tuple[Seat, ...]


def put(world: World, at: int, seat: Seat) -> World:
    return (*world[:at], seat, *world[at + 1 :])


def steps(world: World) -> Iterator[World]:
    """Every world that can follow."""
    sessions = sum(seat.there for seat in world)
    for at, seat in enumerate(world):
        if seat.state is OUTSIDE and not seat.there and not seat.admitted and not sessions:
            yield put(world, at, replace(seat, admitted=True))
        if seat.admitted:
            yield put(world, at, Seat(state=AFTER[OUTSIDE][Seen.LOGGED_IN], there=True))
        if seat.there and seat.state is not OUTSIDE and seat.answer is None:
            yield put(world, at, replace(seat, answer=counted(sessions)))
        if seat.answer is not None:
            after = AFTER[seat.state][seat.answer]
            yield put(world, at, replace(seat, state=after, answer=None))
        if seat.there and seat.state is OUTSIDE:  # it leaves
            yield put(world, at, replace(seat, there=False, answer=None))
        if seat.there:  # killed, cut off, or ended by somebody else
            yield put(world, at, replace(seat, there=False))
        if not seat.there and seat.state is not OUTSIDE:  # it learns of it
            yield put(world, at, Seat(state=AFTER[seat.state][Seen.ENDED]))


def reachable(engines: int) -> dict[World, list[World]]:
    """Every world there can be, with what can follow each."""
    first: World = (Seat(),) * engines
    found: dict[World, list[World]] = {}
    waiting = deque([first])
    while waiting:
        world = waiting.popleft()
        if world not in found:
            found[world] = list(steps(world))
            waiting.extend(found[world])
    return found


def leaves(seat: Seat) -> bool:
    """Whether its answer will make it leave."""
    return seat.state is YIELDING and seat.answer is Seen.WITH_ANOTHER


@pytest.fixture(scope="module")
def worlds() -> dict[World, list[World]]:
    return reachable(3)


def test_never_do_two_act(worlds: dict[World, list[World]]) -> None:
    assert max(sum(seat.acts for seat in world) for world in worlds) == 1


def test_several_do_get_in(worlds: dict[World, list[World]]) -> None:
    """Otherwise the model would be kinder than Asterisk."""
    assert max(sum(seat.there for seat in world) for world in worlds) == 3


def test_somebody_can_lead_whatever_happened(worlds: dict[World, list[World]]) -> None:
    """From every world there is a way to one in which somebody acts."""
    before: dict[World, list[World]] = {world: [] for world in worlds}
    for world, following in worlds.items():
        for one in following:
            before[one].append(world)
    reached = {world for world in worlds if any(seat.acts for seat in world)}
    waiting = deque(reached)
    while waiting:
        for world in before[waiting.popleft()]:
            if world not in reached:
                reached.add(world)
                waiting.append(world)

    assert reached == set(worlds)


def test_of_those_who_got_in_together_one_stays() -> None:
    """Nobody dies, nobody else comes, and each of those who are counted once more has left before the next is: in the
    end one leads, whatever the order.
    """
    seen: set[World] = set()
    ends: list[World] = []
    waiting: list[World] = [(Seat(state=INSIDE, there=True),) * 3]
    while waiting:
        world = waiting.pop()
        if world in seen:
            continue
        seen.add(world)
        # No session ends but that of who leaves, nobody logs in anew, and who leads or has left has nothing to do.
        following = [
            one
            for one in steps(world)
            if all(
                (now.there or not seat.there or seat.state is OUTSIDE)
                and not now.admitted
                and (now == seat or seat.state is not LEADING)
                for seat, now in zip(world, one, strict=True)
            )
            and sum(seat.there and (seat.state is OUTSIDE or leaves(seat)) for seat in one) <= 1
        ]
        waiting.extend(following)
        if not following:
            ends.append(world)

    assert ends
    assert all(sum(seat.state is LEADING for seat in world) == 1 for world in ends)


def test_only_who_was_counted_alone_leads() -> None:
    ways = {(state, seen) for state, table in AFTER.items() for seen, after in table.items() if after is LEADING}

    assert ways == {(INSIDE, Seen.ALONE), (YIELDING, Seen.ALONE), (LEADING, Seen.ALONE), (LEADING, Seen.WITH_ANOTHER)}


def test_every_session_may_end_and_nothing_else_ends_a_lead() -> None:
    assert all(AFTER[state][Seen.ENDED] is OUTSIDE for state in (INSIDE, YIELDING, LEADING))
    assert {seen for seen, after in AFTER[LEADING].items() if after is not LEADING} == {Seen.ENDED}


def test_pauses_differ() -> None:
    pauses = {yield_seconds() for _ in range(50)}

    assert len(pauses) == 50
    assert all(YIELD_SECONDS[0] <= one <= YIELD_SECONDS[1] for one in pauses)
